"""Distribution functions of counts that are nearly Poisson's, or too large for SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import special

from skmixed.families.base import FloatArray

__all__ = ["COUNT_CDF", "COUNT_QUANTILE", "COUNT_SURVIVAL", "CountFunction"]

# Beyond these, SciPy's functions of negative binomial counts return NaN or end the process. Gamma
# distributions with the same two moments are then nearer than 1e-6.
HUGE_MEAN, HUGE_SIZE = 1e12, 1e14
# The excess of the variance over the mean, relative to the mean, below which rounding in SciPy's
# parameters is worse than leaving the excess out.
NEARLY_NONE, SMALL = 1e-8, 1e-6


class CountFunction(NamedTuple):
    """Hold a function of counts for each limit: Poisson's of a mean, gamma's of shape and scale."""

    name: str
    poisson: Callable[[FloatArray, FloatArray], Any]
    gamma: Callable[[FloatArray, FloatArray, FloatArray], Any]

    def __call__(
        self,
        argument: FloatArray,
        mean: FloatArray,
        variance: FloatArray,
        exact: Callable[[NDArray[np.bool_], str], FloatArray],
    ) -> FloatArray:
        """Evaluate each row by its limit, or by ``exact(rows, name)`` elsewhere."""
        argument, mean, variance = np.broadcast_arrays(argument, mean, variance)
        with np.errstate(divide="ignore"):
            excess = np.maximum(variance / mean - 1.0, 0.0)
            size = mean / excess
        large = size > HUGE_SIZE
        poisson = (excess < NEARLY_NONE) | (large & (excess < SMALL))
        gamma = (mean > HUGE_MEAN) | (large & ~poisson)
        poisson &= ~gamma
        found = np.empty(mean.shape)
        if poisson.any():
            found[poisson] = self.poisson(argument[poisson], mean[poisson])
        if gamma.any():
            scale = variance[gamma] / mean[gamma]
            found[gamma] = self.gamma(argument[gamma], mean[gamma] / scale, scale)
        rest = ~(poisson | gamma)
        if rest.any():
            found[rest] = exact(rest, self.name)
        return found


COUNT_CDF = CountFunction(
    "cdf",
    lambda y, mean: np.where(y < 0.0, 0.0, special.pdtr(np.maximum(np.floor(y), 0.0), mean)),
    lambda y, shape, scale: special.gammainc(shape, np.maximum(y + 0.5, 0.0) / scale),
)
COUNT_SURVIVAL = CountFunction(
    "sf",
    lambda y, mean: np.where(y < 0.0, 1.0, special.pdtrc(np.maximum(np.floor(y), 0.0), mean)),
    lambda y, shape, scale: special.gammaincc(shape, np.maximum(y + 0.5, 0.0) / scale),
)
COUNT_QUANTILE = CountFunction(
    "ppf",
    lambda p, mean: np.asarray(scipy.stats.poisson.ppf(p, mean)),
    lambda p, shape, scale: np.ceil(special.gammaincinv(shape, p) * scale - 0.5),
)
