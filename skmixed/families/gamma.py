"""Positive responses with a constant coefficient of variation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy

from skmixed.families.base import Extra, ExtraDerivatives, FloatArray, RowDerivatives, Trials
from skmixed.families.gamma_functions import digamma_excess, log_gamma_excess
from skmixed.families.links import Identity, Inverse, Log, bounded_exp
from skmixed.families.positive import PositiveFamily

__all__ = ["Gamma"]


@dataclass(frozen=True)
class Gamma(PositiveFamily):
    r"""Positive responses with the variance :math:`\phi \mu^2`.

    The dispersion is the square of the coefficient of variation. Its predictor is the logarithm of
    the shape, :math:`1 / \phi`, as in glmmTMB. The default link is the log: with the inverse, which
    is the canonical one, a linear predictor may have no mean.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Gamma
    >>> Gamma().variance(np.log([2.0]), (np.log([4.0]),))
    array([1.])
    """

    name: ClassVar[str] = "gamma"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    links: ClassVar[tuple[type, ...]] = (Log, Inverse, Identity)
    concave_links: ClassVar[tuple[type, ...]] = (Log, Inverse)
    variance_text: ClassVar[str] = r"\phi \mu^2"
    dispersion_name: ClassVar[str | None] = r"\phi"
    dispersion_power: ClassVar[float] = -1.0

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the shape by moments, between 0.1 and 10000."""
        return (float(-np.log(np.clip(np.mean((y / mean - 1.0) ** 2), 1e-4, 10.0))),)

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a response with this mean."""
        return mean * mean * bounded_exp(-extra[0])

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        gap = (y - mean) / mean
        return 2.0 * (gap - np.log1p(gap))

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a response drawn for each row."""
        mean, shape = self.link.mean(eta), bounded_exp(extra[0])
        return mean * (rng.gamma(shape, size=mean.shape) / shape)

    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        shape, log_ratio = bounded_exp(extra[0]), np.log(y) - t
        ratio = bounded_exp(log_ratio)
        gap = ratio - 1.0
        loss = gap - log_ratio
        value, first, second = -shape * loss, shape * gap, -shape * ratio
        if not full:
            return RowDerivatives(value, first, second)
        omega = ExtraDerivatives(value - shape * digamma_excess(shape), first, second)
        return RowDerivatives(value, first, second, -second, (omega,))

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return -log_gamma_excess(bounded_exp(extra[0])) - np.log(y)

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        shape = bounded_exp(extra[0])
        return scipy.stats.gamma(shape, scale=self.link.mean(eta) / shape)
