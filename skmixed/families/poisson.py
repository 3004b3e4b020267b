"""Poisson's distribution of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import Extra, FloatArray, RowDerivatives, Trials
from skmixed.families.links import Identity, Log, Sqrt, bounded_exp
from skmixed.families.positive import CountFamily

__all__ = ["Poisson", "drawn_counts"]

# NumPy refuses larger means.
LARGEST_MEAN = 1e18


def drawn_counts(mean: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return draws from Poisson's distribution."""
    return rng.poisson(np.minimum(mean, LARGEST_MEAN)).astype(np.float64)


@dataclass(frozen=True)
class Poisson(CountFamily):
    """Counts whose variance is their mean.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Poisson
    >>> rows = Poisson().derivatives(np.array([0.0, 3.0]), np.log([2.0, 2.0]), (), full=False)
    >>> rows.value.round(3), rows.first.round(3)
    (array([-2.   , -1.712]), array([-2.,  1.]))
    """

    name: ClassVar[str] = "poisson"
    concave_links: ClassVar[tuple[type, ...]] = (Log, Identity, Sqrt)
    variance_text: ClassVar[str] = r"\mu"

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the mean."""
        return mean

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        return 2.0 * (special.xlogy(y, y / mean) - (y - mean))

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a count drawn for each row."""
        return drawn_counts(self.link.mean(eta), rng)

    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        mean = bounded_exp(t)
        return RowDerivatives(y * t - mean, y - mean, -mean, -mean if full else None)

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        return scipy.stats.poisson(self.link.mean(eta))
