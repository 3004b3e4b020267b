"""Positive responses with a variance that grows with the cube of the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import Extra, ExtraDerivatives, FloatArray, RowDerivatives, Trials
from skmixed.families.links import Identity, Inverse, InverseSquared, Log, bounded_exp
from skmixed.families.positive import PositiveFamily

__all__ = ["InverseGaussian"]


@dataclass(frozen=True)
class InverseGaussian(PositiveFamily):
    r"""Positive responses with the variance :math:`\phi \mu^3`.

    The predictor of the dispersion is the logarithm of :math:`\phi`. The default link is the log:
    with the inverse square, which is the canonical one, a linear predictor may have no mean.

    Parameters
    ----------
    link : Link, default Log()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import InverseGaussian
    >>> InverseGaussian().variance(np.log([2.0]), (np.log([0.5]),))
    array([4.])
    """

    name: ClassVar[str] = "inverse_gaussian"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    links: ClassVar[tuple[type, ...]] = (Log, InverseSquared, Inverse, Identity)
    concave_links: ClassVar[tuple[type, ...]] = (InverseSquared, Inverse)
    variance_text: ClassVar[str] = r"\phi \mu^3"
    dispersion_name: ClassVar[str | None] = r"\phi"

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the dispersion that is most likely at these means, if it is not 0."""
        share = np.mean(self.deviance(y, mean, ())) * np.mean(mean)
        return (float(np.log(np.clip(share, 1e-4, 10.0) / np.mean(mean))),)

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a response with this mean."""
        return mean**3 * bounded_exp(extra[0])

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        return (y / mean - 1.0) ** 2 / y

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a response drawn for each row."""
        return rng.wald(self.link.mean(eta), bounded_exp(-extra[0]))

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response up to y: SciPy's overflows for large means."""
        below, reflected, _ = self._passages(y, eta, extra)
        return special.ndtr(below) + reflected

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response above y."""
        below, reflected, density = self._passages(y, eta, extra)
        tail = 0.5 * density * special.erfcx(np.maximum(below, 0.0) / np.sqrt(2.0)) - reflected
        return np.where(below > 0.0, tail, special.ndtr(-below) - reflected)

    def _passages(
        self, y: FloatArray, eta: FloatArray, extra: Extra
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return z below the barrier, the reflected probability, and exp(-z**2 / 2).

        The response is the time at which a Brownian motion with drift first passes a barrier.
        """
        mean, scale = self.link.mean(eta), np.sqrt(bounded_exp(-extra[0]) / y)
        below, above = scale * (y / mean - 1.0), scale * (y / mean + 1.0)
        density = np.exp(-0.5 * below * below)
        return below, 0.5 * density * special.erfcx(above / np.sqrt(2.0)), density

    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        precision, reciprocal = bounded_exp(-extra[0]), bounded_exp(-t)
        gap = y * reciprocal - 1.0
        once, square = precision * reciprocal, precision * (y * reciprocal * reciprocal)
        value, first, second = -0.5 * precision * gap * gap / y, square - once, once - 2.0 * square
        if not full:
            return RowDerivatives(value, first, second)
        omega = ExtraDerivatives(-value - 0.5, -first, -second)
        return RowDerivatives(value, first, second, 4.0 * square - once, (omega,))

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return -0.5 * (extra[0] + np.log(2.0 * np.pi) + 3.0 * np.log(y))

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        dispersion = bounded_exp(extra[0])
        return scipy.stats.invgauss(self.link.mean(eta) * dispersion, scale=1.0 / dispersion)
