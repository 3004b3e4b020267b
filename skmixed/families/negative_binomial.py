"""Counts whose variance grows with the square of the mean: glmmTMB's nbinom2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import Extra, ExtraDerivatives, FloatArray, RowDerivatives, Trials
from skmixed.families.gamma_functions import log_rising, polygamma_rise
from skmixed.families.links import LARGEST_LOG, Log, bounded_exp
from skmixed.families.poisson import drawn_counts
from skmixed.families.positive import CountFamily

__all__ = ["NegativeBinomial"]


@dataclass(frozen=True)
class NegativeBinomial(CountFamily):
    r"""Counts with the variance :math:`\mu + \alpha \mu^2`.

    The predictor of the dispersion is the logarithm of :math:`1 / \alpha`, which glmmTMB calls phi
    and others size or theta.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import NegativeBinomial
    >>> family, eta, omega = NegativeBinomial(), np.log([2.0]), np.log([4.0])
    >>> family.dispersion_of(omega), family.variance(eta, (omega,))
    (array([0.25]), array([3.]))
    """

    name: ClassVar[str] = "negative_binomial"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    concave_links: ClassVar[tuple[type, ...]] = (Log,)
    variance_text: ClassVar[str] = r"\mu + \alpha \mu^2"
    dispersion_name: ClassVar[str | None] = r"\alpha"
    dispersion_power: ClassVar[float] = -1.0

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the size by moments, between 0.1 and 100."""
        excess = np.mean((y - mean) ** 2 - mean)
        squares = np.mean(mean**2)
        return (float(np.log(squares / np.clip(excess, squares / 100.0, squares * 10.0))),)

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a count with this mean."""
        return mean + mean * mean * bounded_exp(-extra[0])

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        size = bounded_exp(extra[0])
        return 2.0 * (
            special.xlogy(y, y / mean) - (y + size) * np.log1p((y - mean) / (mean + size))
        )

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a count drawn for each row."""
        mean, size = self.link.mean(eta), bounded_exp(extra[0])
        return drawn_counts(mean * (rng.gamma(size, size=mean.shape) / size), rng)

    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        size = bounded_exp(extra[0])
        ratio = bounded_exp(t - extra[0])
        # Linear where the ratio is held: a step too far must not look like one downhill.
        log_total = np.log1p(ratio) + np.maximum(t - extra[0] - LARGEST_LOG, 0.0)
        part = 1.0 / (1.0 + ratio)
        first = (y - size * ratio) * part
        slope = ratio * part * part
        value, second = y * t - (y + size) * log_total, -(y + size) * slope
        if not full:
            return RowDerivatives(value, first, second)
        turn = (1.0 - ratio) * part
        # The derivative in omega includes that of the constant, without which it is not small
        # where the counts are nearly Poisson's.
        in_omega = size * (polygamma_rise(0, size, y) - log_total) - first
        gap = y - size * ratio
        omega = ExtraDerivatives(in_omega, gap * slope, (gap * turn - size * ratio) * slope)
        return RowDerivatives(value, first, second, second * turn, (omega,))

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return log_rising(bounded_exp(extra[0]), y) + super()._constant(y, extra)

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        size = bounded_exp(extra[0])
        return scipy.stats.nbinom(size, size / (size + self.link.mean(eta)))
