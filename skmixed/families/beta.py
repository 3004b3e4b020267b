"""Shares strictly between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import (
    Extra,
    ExtraDerivatives,
    FloatArray,
    Link,
    LinkDerivatives,
    RowDerivatives,
    Trials,
    added,
    composed,
)
from skmixed.families.distribution import Distribution
from skmixed.families.links import bounded_exp
from skmixed.families.probability_links import PROBABILITY_LINKS, Logit, ProbabilityLink

__all__ = ["Beta"]


@dataclass(frozen=True)
class Beta(Distribution):
    r"""Shares strictly between 0 and 1, with the variance :math:`\mu (1 - \mu) / (1 + \phi)`.

    The predictor of the dispersion is the logarithm of the precision :math:`\phi`, as in
    glmmTMB. The unit deviance compares with the density at a mean equal to the response [1]_.

    Parameters
    ----------
    link : Link, default Logit()

    References
    ----------
    .. [1] S. Ferrari and F. Cribari-Neto (2004). Beta regression for modelling rates and
       proportions. Journal of Applied Statistics 31, 799-815.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Beta
    >>> Beta().variance(np.array([0.0]), (np.log([4.0]),))
    array([0.05])
    """

    name: ClassVar[str] = "beta"
    extra_names: ClassVar[tuple[str, ...]] = ("dispersion",)
    is_discrete: ClassVar[bool] = False
    support: ClassVar[str] = "strictly between 0 and 1"
    _remedy: ClassVar[str] = (
        "Move shares of 0 and 1 inside, as (y * (n - 1) + 0.5) / n does, or model them "
        "separately; successes among trials have family='binomial'."
    )
    links: ClassVar[tuple[type, ...]] = PROBABILITY_LINKS
    variance_text: ClassVar[str] = r"\mu (1 - \mu) / (1 + \phi)"
    dispersion_name: ClassVar[str | None] = r"\phi"

    link: Link = field(default_factory=Logit)

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return the shares, moved a little towards one half."""
        return 0.98 * y + 0.01

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the precision by moments, between 0.1 and 10000."""
        share = np.mean((y - mean) ** 2) / np.mean(mean * (1.0 - mean))
        return (float(np.log(np.clip(1.0 / max(float(share), 1e-4) - 1.0, 0.1, 1e4))),)

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta."""
        one, other = (
            special.polygamma(1, size) * (size * log_share.first) ** 2
            for size, log_share in self._sizes(eta, extra)
        )
        return one + other

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a share with this mean."""
        return mean * (1.0 - mean) / (1.0 + bounded_exp(extra[0]))

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the absolute value of twice the difference of both log densities."""
        precision = bounded_exp(extra[0])
        return 2.0 * np.abs(_kernel(y, y, precision) - _kernel(y, mean, precision))

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a share drawn for each row."""
        (one, _), (other, _) = self._sizes(eta, extra)
        return rng.beta(one, other)

    def _in_eta(self, y: FloatArray, eta: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        (one, log_mean), (other, log_rest) = self._sizes(eta, extra)
        rows = added(
            composed(_term(np.log(y), one, full), log_mean),
            composed(_term(np.log1p(-y), other, full), log_rest),
        )
        if not full:
            return rows
        precision, omega = bounded_exp(extra[0]), rows.extra[0]
        first = omega.first + precision * special.digamma(precision)
        return replace(rows, extra=(replace(omega, first=first),))

    def _sizes(
        self, eta: FloatArray, extra: Extra
    ) -> tuple[tuple[FloatArray, LinkDerivatives], tuple[FloatArray, LinkDerivatives]]:
        """Return both parameters of the density, each with the logarithm of its share of phi."""
        link = cast("ProbabilityLink", self.link)
        one, other = link.log_mean(eta), link.log_complement(eta)
        return (
            (bounded_exp(extra[0] + one.value), one),
            (bounded_exp(extra[0] + other.value), other),
        )

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return special.gammaln(bounded_exp(extra[0])) - np.log(y) - np.log1p(-y)

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        (one, _), (other, _) = self._sizes(eta, extra)
        return scipy.stats.beta(one, other)

    def _in_support(self, y: FloatArray) -> Any:
        return (y > 0.0) & (y < 1.0)


def _term(log_y: FloatArray, size: FloatArray, full: bool) -> RowDerivatives:
    """Return size * log_y - lgamma(size) with derivatives in the logarithm of the size."""
    value = size * log_y - special.gammaln(size)
    first = size * (log_y - special.digamma(size))
    curved = -size * size * special.polygamma(1, size)
    second = first + curved
    if not full:
        return RowDerivatives(value, first, second)
    third = first + 3.0 * curved - size**3 * special.polygamma(2, size)
    # The size is the precision times a share, so that omega moves its logarithm as eta does.
    return RowDerivatives(value, first, second, third, (ExtraDerivatives(first, second, third),))


def _kernel(y: FloatArray, mean: FloatArray, precision: FloatArray) -> FloatArray:
    """Return the log density without the terms that do not depend on the mean."""
    one, other = precision * mean, precision * (1.0 - mean)
    return special.xlogy(one, y) + special.xlog1py(other, -y) - special.betaln(one, other)
