"""Normal responses, with any link."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import scipy

from skmixed.families.base import (
    Extra,
    ExtraDerivatives,
    FloatArray,
    Link,
    RowDerivatives,
    Trials,
    composed,
)
from skmixed.families.distribution import Distribution
from skmixed.families.links import Identity, Inverse, Log, Sqrt, bounded_exp
from skmixed.families.probability_links import PROBABILITY_LINKS, ProbabilityLink

__all__ = ["Gaussian"]


@dataclass(frozen=True)
class Gaussian(Distribution):
    r"""Normal responses with the variance :math:`\sigma^2`.

    The predictor of the dispersion is the logarithm of the variance, as in glmmTMB before 1.1.8.

    Parameters
    ----------
    link : Link, default Identity()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Gaussian
    >>> y, eta, omega = np.array([1.0]), np.array([0.0]), np.log([4.0])
    >>> rows = Gaussian().derivatives(y, eta, (omega,), full=False)
    >>> rows.first, rows.second
    (array([0.25]), array([-0.25]))
    """

    name: ClassVar[str] = "gaussian"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    is_discrete: ClassVar[bool] = False
    support: ClassVar[str] = "finite numbers"
    _remedy: ClassVar[str] = "Drop or correct these rows."
    links: ClassVar[tuple[type, ...]] = (Identity, Log, Inverse, Sqrt, *PROBABILITY_LINKS)
    concave_links: ClassVar[tuple[type, ...]] = (Identity,)
    variance_text: ClassVar[str] = r"\sigma^2"
    dispersion_name: ClassVar[str | None] = r"\sigma^2"

    link: Link = field(default_factory=Identity)

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return the responses, moved to means that the link can have."""
        if isinstance(self.link, Identity):
            return y
        if isinstance(self.link, ProbabilityLink):
            return np.clip(y, 0.05, 0.95)
        return np.maximum(y, 0.1 * float(np.mean(np.abs(y))) or 1.0)

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the mean square around these means, or a part of that around the mean of all."""
        # The mean of a constant is known to its rounding only.
        total = max(float(np.var(y)), float(np.finfo(float).eps * np.mean(y * y))) or 1.0
        return (float(np.log(max(float(np.mean((y - mean) ** 2)), 1e-4 * total))),)

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta."""
        return self.link.derivatives(eta).first ** 2 * bounded_exp(-extra[0])

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance, whatever the mean."""
        return bounded_exp(extra[0]) * np.ones_like(mean)

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
        return (y - mean) ** 2

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a response drawn for each row."""
        return rng.normal(self.link.mean(eta), bounded_exp(0.5 * extra[0]))

    def _in_eta(self, y: FloatArray, eta: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        if isinstance(self.link, Identity):
            return self._in_mean(y, eta, extra, full)
        inner = self.link.derivatives(eta)
        return composed(self._in_mean(y, inner.value, extra, full), inner)

    def _in_mean(self, y: FloatArray, mean: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        """Return the derivatives in the mean, without the constant."""
        gap, precision = y - mean, bounded_exp(-extra[0]) * np.ones_like(mean)
        first = precision * gap
        value = -0.5 * first * gap
        if not full:
            return RowDerivatives(value, first, -precision)
        omega = ExtraDerivatives(-value - 0.5, -first, precision)
        return RowDerivatives(value, first, -precision, np.zeros_like(mean), (omega,))

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return -0.5 * (np.log(2.0 * np.pi) + extra[0])

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        return scipy.stats.norm(self.link.mean(eta), bounded_exp(0.5 * extra[0]))

    def _in_support(self, y: FloatArray) -> Any:
        return np.isfinite(y)
