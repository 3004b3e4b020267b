"""What families with a positive mean share: their densities are written in its logarithm."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

from skmixed.families.base import (
    Extra,
    FloatArray,
    Link,
    LinkDerivatives,
    RowDerivatives,
    Trials,
    composed,
)
from skmixed.families.count_limits import COUNT_CDF, COUNT_QUANTILE, COUNT_SURVIVAL, CountFunction
from skmixed.families.distribution import Distribution
from skmixed.families.links import Identity, Inverse, InverseSquared, Log, Sqrt

__all__ = ["CountFamily", "PositiveFamily", "PositiveMean"]

PositiveLink = Identity | Inverse | InverseSquared | Log | Sqrt


@dataclass(frozen=True)
class PositiveMean(Distribution):
    """A family with a positive mean: links other than the log go through the logarithm."""

    link: Link = field(default_factory=Log)

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta."""
        log_mean, mean = self._log_mean(eta), self.link.mean(eta)
        # Exact for exponential families, and that of quasi-likelihood for others.
        in_log_mean = mean / (self.variance_at(mean, extra) / mean)
        return in_log_mean * log_mean.first * log_mean.first

    def _in_eta(self, y: FloatArray, eta: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        """Return the derivatives without the constant."""
        if isinstance(self.link, Log):
            return self._in_log_mean(y, eta, extra, full)
        inner = self._log_mean(eta)
        return composed(self._in_log_mean(y, inner.value, extra, full), inner)

    def _log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the mean with its derivatives."""
        return cast("PositiveLink", self.link).log_mean(eta)

    @abstractmethod
    def _in_log_mean(
        self, y: FloatArray, t: FloatArray, extra: Extra, full: bool
    ) -> RowDerivatives:
        """Return the derivatives in the logarithm of the mean, without the constant."""


@dataclass(frozen=True)
class PositiveFamily(PositiveMean):
    """A family of positive responses."""

    is_discrete: ClassVar[bool] = False
    support: ClassVar[str] = "positive"
    _remedy: ClassVar[str] = (
        "Model whether the response is zero separately (family='binomial'), or use "
        "family='gaussian'."
    )

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return the responses."""
        return y

    def _in_support(self, y: FloatArray) -> Any:
        return (y > 0.0) & np.isfinite(y)


@dataclass(frozen=True)
class CountFamily(PositiveMean):
    """A family of counts; the terms without eta of its log density are 0 where the count is 0."""

    is_discrete: ClassVar[bool] = True
    support: ClassVar[str] = "counts: 0, 1, 2, ..."
    _remedy: ClassVar[str] = (
        "For a rate, pass the count as the response and its denominator as exposure=; for "
        "positive amounts use family='gamma'."
    )
    links: ClassVar[tuple[type, ...]] = (Log, Identity, Sqrt)

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return the counts, moved away from 0."""
        return y + 0.1

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a count up to y."""
        return self._count_function(COUNT_CDF, y, eta, extra)

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a count above y."""
        return self._count_function(COUNT_SURVIVAL, y, eta, extra)

    def quantile(
        self, probability: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the smallest count whose cdf reaches the probability."""
        return np.maximum(self._count_function(COUNT_QUANTILE, probability, eta, extra), 0.0)

    def _count_function(
        self,
        function: CountFunction,
        argument: FloatArray,
        eta: FloatArray,
        extra: Extra,
    ) -> FloatArray:
        """Evaluate a function of the counts, where SciPy's can be trusted by them."""
        argument, eta, *omegas = np.broadcast_arrays(argument, eta, *extra)
        mean = self.link.mean(eta)

        def exact(rows: NDArray[np.bool_], name: str) -> FloatArray:
            frozen = self._frozen(eta[rows], [omega[rows] for omega in omegas], None)
            return np.asarray(getattr(frozen, name)(argument[rows]))

        return function(argument, mean, self.variance_at(mean, omegas), exact)

    def _constant(self, y: FloatArray, extra: Extra) -> FloatArray:
        return -special.gammaln(y + 1.0)

    def _in_support(self, y: FloatArray) -> Any:
        # Counts that are not whole numbers have a density too; whoever reads them warns.
        return (y >= 0.0) & np.isfinite(y)
