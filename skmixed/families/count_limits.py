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

Evaluate = Callable[[FloatArray, FloatArray, FloatArray], Any]


class CountFunction(NamedTuple):
    """Hold a function of counts for each limit: of the argument, the mean and the variance."""

    name: str
    poisson: Evaluate
    gamma: Evaluate

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
        for rows, function in ((poisson, self.poisson), (gamma, self.gamma)):
            if rows.any():
                found[rows] = function(argument[rows], mean[rows], variance[rows])
        rest = ~(poisson | gamma)
        if rest.any():
            found[rest] = exact(rest, self.name)
        return found


def _gamma(mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return shape and scale of the gamma distribution with these moments."""
    scale = variance / mean
    return mean / scale, scale


def _gamma_cdf(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    shape, scale = _gamma(mean, variance)
    return special.gammainc(shape, np.maximum(y + 0.5, 0.0) / scale)


def _gamma_survival(y: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    shape, scale = _gamma(mean, variance)
    return special.gammaincc(shape, np.maximum(y + 0.5, 0.0) / scale)


def _gamma_quantile(p: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    shape, scale = _gamma(mean, variance)
    return np.ceil(special.gammaincinv(shape, p) * scale - 0.5)


def _poisson_cdf(y: FloatArray, mean: FloatArray, _: FloatArray) -> FloatArray:
    return np.where(y < 0.0, 0.0, special.pdtr(np.maximum(np.floor(y), 0.0), mean))


def _poisson_survival(y: FloatArray, mean: FloatArray, _: FloatArray) -> FloatArray:
    return np.where(y < 0.0, 1.0, special.pdtrc(np.maximum(np.floor(y), 0.0), mean))


def _poisson_quantile(p: FloatArray, mean: FloatArray, _: FloatArray) -> FloatArray:
    return np.asarray(scipy.stats.poisson.ppf(p, mean))


COUNT_CDF = CountFunction("cdf", _poisson_cdf, _gamma_cdf)
COUNT_SURVIVAL = CountFunction("sf", _poisson_survival, _gamma_survival)
COUNT_QUANTILE = CountFunction("ppf", _poisson_quantile, _gamma_quantile)
