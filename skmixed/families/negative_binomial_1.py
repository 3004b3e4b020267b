"""Counts whose variance is a multiple of the mean: glmmTMB's nbinom1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import Extra, ExtraDerivatives, FloatArray, RowDerivatives, Trials
from skmixed.families.gamma_functions import log_rising, polygamma_rise
from skmixed.families.links import Identity, bounded_exp
from skmixed.families.poisson import drawn_counts
from skmixed.families.positive import CountFamily

__all__ = ["NegativeBinomial1"]


@dataclass(frozen=True)
class NegativeBinomial1(CountFamily):
    r"""Counts with the variance :math:`\mu (1 + \alpha)`.

    The predictor of the dispersion is the logarithm of :math:`\alpha`, which glmmTMB calls phi. The
    expected weight is that of quasi-likelihood, for the exact one is a series. It is no exponential
    family, and the unit deviance is Poisson's divided by :math:`1 + \alpha`.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import NegativeBinomial1
    >>> NegativeBinomial1().variance(np.log([2.0]), (np.log([0.5]),))
    array([3.])
    """

    name: ClassVar[str] = "negative_binomial_1"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    concave_links: ClassVar[tuple[type, ...]] = (Identity,)
    variance_text: ClassVar[str] = r"\mu (1 + \alpha)"
    dispersion_name: ClassVar[str | None] = r"\alpha"

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the dispersion by moments, between 0.01 and 10."""
        excess = np.mean((y - mean) ** 2) / np.mean(mean) - 1.0
        return (float(np.log(np.clip(excess, 0.01, 10.0))),)

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a count with this mean."""
        return mean * (1.0 + bounded_exp(extra[0]))

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        return 2.0 * (special.xlogy(y, y / mean) - (y - mean)) / (1.0 + bounded_exp(extra[0]))

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a count drawn for each row."""
        dispersion = bounded_exp(extra[0])
        return drawn_counts(dispersion * rng.gamma(self.link.mean(eta) / dispersion), rng)

    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        size, dispersion = bounded_exp(t - extra[0]), bounded_exp(extra[0])
        log_total = np.log1p(dispersion)
        # t - omega is the logarithm of the size, which log_rising leaves out.
        value = log_rising(size, y) + y * (t - log_total) - size * log_total
        first = size * (polygamma_rise(0, size, y) - log_total)
        curved = size * size * polygamma_rise(1, size, y)
        second = first + curved
        if not full:
            return RowDerivatives(value, first, second)
        third = first + 3.0 * curved + size**3 * polygamma_rise(2, size, y)
        share = dispersion / (1.0 + dispersion)
        pull = size * share
        omega = ExtraDerivatives(
            y / (1.0 + dispersion) - first - pull, -second - pull, -third - pull
        )
        return RowDerivatives(value, first, second, third, (omega,))

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        dispersion = bounded_exp(extra[0])
        return scipy.stats.nbinom(self.link.mean(eta) / dispersion, 1.0 / (1.0 + dispersion))
