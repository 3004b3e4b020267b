"""What every family shares: its description, and what follows from its density and its mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skmixed.families.base import Extra, FloatArray, Link, RowDerivatives, Trials
from skmixed.families.links import bounded_exp

__all__ = ["Distribution"]

SHOWN = 5


@dataclass(frozen=True)
class Distribution(ABC):
    """A family of distributions with a link of its mean.

    Attributes
    ----------
    extra_names : tuple of str
        ``("dispersion",)``, or empty. The predictor of a dispersion is the logarithm of phi as
        glmmTMB has it, so that its coefficients agree.
    links : tuple of types
        The links that it can have; the first is the default.
    concave_links : tuple of types
        Those with which the log density is concave in eta for every response.
    dispersion_power : float
        The dispersion is phi to this power.
    """

    name: ClassVar[str]
    extra_names: ClassVar[tuple[str, ...]] = ()
    is_discrete: ClassVar[bool]
    support: ClassVar[str]
    _remedy: ClassVar[str]
    links: ClassVar[tuple[type, ...]]
    concave_links: ClassVar[tuple[type, ...]] = ()
    variance_text: ClassVar[str]
    dispersion_name: ClassVar[str | None] = None
    dispersion_power: ClassVar[float] = 1.0

    link: Link

    @property
    def log_concave(self) -> bool:
        """Whether the log density is concave in eta for every response."""
        return isinstance(self.link, self.concave_links)

    def check(self, y: FloatArray) -> None:
        """Raise ValueError if a response is not in the support."""
        valid = self._in_support(y)
        if valid.all():
            return
        found = y[~valid]
        shown = ", ".join(f"{value:g}" for value in found[:SHOWN])
        more = ", ..." if len(found) > SHOWN else ""
        raise ValueError(
            f"The response of family={self.name!r} must be {self.support}, got [{shown}{more}] in "
            f"{len(found)} of {len(y)} rows. {self._remedy}"
        )

    def derivatives(
        self, y: FloatArray, eta: FloatArray, extra: Extra, *, full: bool, normalised: bool = True
    ) -> RowDerivatives:
        """Return the log density with two derivatives in eta, or with all that there are."""
        rows = self._in_eta(y, eta, extra, full)
        constant = self._constant(y, extra) if normalised else None
        if constant is not None:
            np.add(rows.value, constant, out=rows.value)
        return rows

    @abstractmethod
    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return a mean near each response and inside the support, where steps can begin."""

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return a first value for each further predictor, given rough means: none by default."""
        return ()

    @abstractmethod
    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta: never negative."""

    def mean(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of the response."""
        return self.link.mean(eta)

    def variance(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of the response (of one trial, for proportions)."""
        return self.variance_at(self.link.mean(eta), extra)

    @abstractmethod
    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of a response with this mean."""

    @abstractmethod
    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row."""

    def normalising(self, y: FloatArray, trials: FloatArray) -> FloatArray:
        """Return what the log density of a share of so many trials adds: nothing here."""
        return np.zeros_like(y)

    def dispersion_of(self, omega: FloatArray) -> FloatArray:
        """Return the dispersion that ``variance_text`` names."""
        return bounded_exp(self.dispersion_power * omega)

    @abstractmethod
    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a response drawn for each row."""

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response up to y."""
        return np.asarray(self._frozen(eta, extra, trials).cdf(y))

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a response above y."""
        return np.asarray(self._frozen(eta, extra, trials).sf(y))

    def quantile(
        self, probability: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the smallest response whose cdf reaches the probability."""
        quantile = np.asarray(self._frozen(eta, extra, trials).ppf(probability))
        # SciPy has -1 for counts at a probability of 0.
        return np.maximum(quantile, 0.0) if self.is_discrete else quantile

    @abstractmethod
    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        """Return SciPy's distribution of the rows: of successes, where there are trials."""

    @abstractmethod
    def _in_eta(self, y: FloatArray, eta: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        """Return the derivatives, with a value that lacks what ``_constant`` gives."""

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray | None:
        """Return the terms of the log density that do not depend on eta, None if there are none."""
        return None

    @abstractmethod
    def _in_support(self, y: FloatArray) -> Any:
        """Return which responses the family can have."""
