"""What a family of distributions must offer: the log density of a row and its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Extra",
    "ExtraDerivatives",
    "Family",
    "FloatArray",
    "Link",
    "LinkDerivatives",
    "RowDerivatives",
    "Trials",
    "added",
    "composed",
]

FloatArray = NDArray[np.float64]
Extra: TypeAlias = Sequence[FloatArray]
"""The predictors beside eta, each of shape (n,) or (1,), in the order of ``extra_names``."""
Trials: TypeAlias = FloatArray | None
"""How many trials are behind each share of successes; None where each row is one."""


class LinkDerivatives(NamedTuple):
    """Hold a function of eta with its first three derivatives, one value for each row."""

    value: FloatArray
    first: FloatArray
    second: FloatArray
    third: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ExtraDerivatives:
    """Hold derivatives of each row's log density in another predictor omega than eta.

    Attributes
    ----------
    first : ndarray of shape (n,)
        In omega.
    mixed : ndarray of shape (n,)
        In omega and eta.
    twice_mixed : ndarray of shape (n,)
        In omega, eta and eta.
    """

    first: FloatArray
    mixed: FloatArray
    twice_mixed: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RowDerivatives:
    """Hold the log density of each row and its derivatives in its linear predictor eta.

    Attributes
    ----------
    value : ndarray of shape (n,)
        Log density of the response; -inf where eta gives no mean that the family can have.
    first, second : ndarray of shape (n,)
        NaN where the value is -inf.
    third : ndarray of shape (n,) or None
        None where it was not asked for.
    extra : tuple of ExtraDerivatives
        One for each predictor beside eta; empty where it was not asked for.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray
    third: FloatArray | None = None
    extra: tuple[ExtraDerivatives, ...] = ()


def composed(outer: RowDerivatives, inner: LinkDerivatives | RowDerivatives) -> RowDerivatives:
    """Return derivatives in eta, from those in a function t of eta: NaN where eta has no such t."""
    slope, square = inner.first, inner.first * inner.first
    third = None
    if outer.third is not None and inner.third is not None:
        third = (
            outer.third * square * slope
            + 3.0 * outer.second * slope * inner.second
            + outer.first * inner.third
        )
    return RowDerivatives(
        value=np.where(np.isnan(inner.value), -np.inf, outer.value),
        first=outer.first * slope,
        second=outer.second * square + outer.first * inner.second,
        third=third,
        extra=tuple(
            ExtraDerivatives(
                one.first, one.mixed * slope, one.twice_mixed * square + one.mixed * inner.second
            )
            for one in outer.extra
        ),
    )


def added(left: RowDerivatives, right: RowDerivatives) -> RowDerivatives:
    """Return the derivatives of a sum, of two sets of the same kind."""
    third = None if left.third is None or right.third is None else left.third + right.third
    return RowDerivatives(
        value=left.value + right.value,
        first=left.first + right.first,
        second=left.second + right.second,
        third=third,
        extra=tuple(
            ExtraDerivatives(a.first + b.first, a.mixed + b.mixed, a.twice_mixed + b.twice_mixed)
            for a, b in zip(left.extra, right.extra, strict=True)
        ),
    )


class Link(Protocol):
    """A monotone function g with g(mean) = eta; ``mean`` is its inverse h."""

    @property
    def name(self) -> str:
        """Return the name by which users ask for the link."""

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return eta = g(mean)."""

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return h(eta)."""

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return h and its first three derivatives at eta."""


class Family(Protocol):
    """A family of distributions with a link: what the rows' response follows given eta.

    Beside eta, the density may depend on further predictors omega, one array for each name in
    ``extra_names``: the logarithm of a dispersion, the logit of a probability of zero.
    A family holds no data.
    """

    @property
    def name(self) -> str:
        """Return the name by which users ask for the family."""

    @property
    def link(self) -> Link:
        """Return the link of the mean."""

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Return the names of the predictors beside eta."""

    @property
    def log_concave(self) -> bool:
        """Return whether the log density is concave in eta for every response."""

    @property
    def is_discrete(self) -> bool:
        """Return whether the response takes separate values."""

    @property
    def support(self) -> str:
        """Return the responses that it can have, in words."""

    @property
    def variance_text(self) -> str:
        """Return how the variance depends on the mean, in TeX."""

    @property
    def dispersion_name(self) -> str | None:
        """Return the symbol of the dispersion in ``variance_text``, None if there is none."""

    def dispersion_of(self, omega: FloatArray) -> FloatArray:
        """Return the dispersion in ``variance_text``, from its predictor."""

    def check(self, y: FloatArray) -> None:
        """Raise ValueError if a response is not in the support."""

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return a mean near each response and inside the support, where steps can begin."""

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return a first value for each further predictor, given rough means."""

    def derivatives(
        self, y: FloatArray, eta: FloatArray, extra: Extra, *, full: bool, normalised: bool = True
    ) -> RowDerivatives:
        """Return the log density with two derivatives in eta, or with all that there are.

        Parameters
        ----------
        full : bool
            Whether the third derivative and those in the further predictors are wanted.
        normalised : bool, default True
            Whether the value includes the terms that do not depend on eta. A search over eta alone
            does not need them, and they take most of the time for counts.
        """

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta: never negative."""

    def mean(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of the response."""

    def variance(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of the response (of one trial, for proportions)."""

    def normalising(self, y: FloatArray, trials: FloatArray) -> FloatArray:
        """Return what the log density of a share of so many trials adds to the weighted rows."""

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a response drawn for each row."""

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response up to y."""

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response above y."""

    def quantile(
        self, probability: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the smallest response whose cdf reaches the probability."""

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""
