"""Yes or no, and shares of successes among trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from scipy import special

from skmixed.families.base import FloatArray, Link, LinkDerivatives, RowDerivatives
from skmixed.families.distribution import Distribution
from skmixed.families.probability_links import (
    Cauchit,
    CLogLog,
    Logit,
    LogLog,
    ProbabilityLink,
    Probit,
)

if TYPE_CHECKING:
    from scipy.stats.distributions import rv_frozen

__all__ = ["Binomial"]


@dataclass(frozen=True)
class Binomial(Distribution):
    """Shares of successes, between 0 and 1.

    The density is that of one trial; whoever has the trials weights the rows with them and adds
    ``normalising``.

    Parameters
    ----------
    link : Link, default Logit()

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families.binomial import Binomial
    >>> rows = Binomial().derivatives(np.array([0.0, 1.0]), np.zeros(2), (), full=False)
    >>> rows.value.round(3), rows.first
    (array([-0.693, -0.693]), array([-0.5,  0.5]))
    """

    name: ClassVar[str] = "binomial"
    is_discrete: ClassVar[bool] = True
    support: ClassVar[str] = "0 or 1, or shares between them"
    links: ClassVar[tuple[type, ...]] = (Logit, Probit, CLogLog, LogLog, Cauchit)
    concave_links: ClassVar[tuple[type, ...]] = (Logit, Probit, CLogLog, LogLog)
    variance_text: ClassVar[str] = r"\mu (1 - \mu)"

    link: Link = Logit()

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return shares between a quarter and three quarters."""
        return 0.5 * y + 0.25

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return nothing: there is no dispersion."""
        return ()

    def expected_weight(self, eta: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return the expectation of minus the second derivative in eta."""
        if isinstance(self.link, Logit):
            return special.expit(eta) * special.expit(-eta)
        success, failure = self._logarithms(eta)
        return -success.first * failure.first

    def variance_at(self, mean: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return the variance of one trial."""
        return mean * (1.0 - mean)

    def normalising(self, y: FloatArray, trials: FloatArray) -> FloatArray:
        """Return the logarithm of the binomial coefficient of each row."""
        successes = y * trials
        return (
            special.gammaln(trials + 1.0)
            - special.gammaln(successes + 1.0)
            - special.gammaln(trials - successes + 1.0)
        )

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return the unit deviance of each row, that of one trial."""
        return 2.0 * (special.xlogy(y, y / mean) + special.xlogy(1.0 - y, (1.0 - y) / (1.0 - mean)))

    def simulate(
        self,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        rng: np.random.Generator,
        trials: FloatArray | None = None,
    ) -> FloatArray:
        """Return a share of successes drawn for each row."""
        number = 1.0 if trials is None else trials
        return rng.binomial(np.asarray(number).astype(np.int64), self.link.mean(eta)) / number

    def cdf(
        self,
        y: FloatArray,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        trials: FloatArray | None = None,
    ) -> FloatArray:
        """Return the probability of a share up to y."""
        number = 1.0 if trials is None else trials
        return np.asarray(self._successes(eta, number).cdf(_successes(y, number)))

    def survival(
        self,
        y: FloatArray,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        trials: FloatArray | None = None,
    ) -> FloatArray:
        """Return the probability of a share above y."""
        number = 1.0 if trials is None else trials
        return np.asarray(self._successes(eta, number).sf(_successes(y, number)))

    def quantile(
        self,
        probability: FloatArray,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        trials: FloatArray | None = None,
    ) -> FloatArray:
        """Return the smallest share whose cdf reaches the probability."""
        number = 1.0 if trials is None else trials
        return np.asarray(self._successes(eta, number).ppf(probability)) / number

    def _successes(self, eta: FloatArray, trials: FloatArray | float) -> rv_frozen[Any]:
        """Return SciPy's distribution of the numbers of successes."""
        from scipy import stats

        return stats.binom(trials, self.link.mean(eta))

    def _in_eta(
        self, y: FloatArray, eta: FloatArray, extra: Sequence[FloatArray], full: bool
    ) -> RowDerivatives:
        if isinstance(self.link, Logit):
            return _with_logit(y, eta, full)
        success, failure = self._logarithms(eta)
        value, first, second, third = (
            y * one + (1.0 - y) * other for one, other in zip(success, failure, strict=True)
        )
        return RowDerivatives(value, first, second, third if full else None)

    def _logarithms(self, eta: FloatArray) -> tuple[LinkDerivatives, LinkDerivatives]:
        """Return the logarithms of the probabilities of success and failure."""
        link = cast("ProbabilityLink", self.link)
        return link.log_mean(eta), link.log_complement(eta)

    def _constant(self, y: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        return np.zeros_like(y)

    def _in_support(self, y: FloatArray) -> Any:
        return (y >= 0.0) & (y <= 1.0)

    def _remedy(self) -> str:
        return (
            "Give successes as shares of the trials, and the trials as weights; counts have "
            "family='poisson'."
        )


def _with_logit(y: FloatArray, eta: FloatArray, full: bool) -> RowDerivatives:
    """Return the derivatives with the logit link: one exponential and one logarithm a row."""
    odds = np.exp(-np.abs(eta))
    share = 1.0 / (1.0 + odds)
    positive = eta >= 0.0
    slope = odds * share * share
    mean = np.where(positive, share, odds * share)
    value = y * eta - np.maximum(eta, 0.0) - np.log1p(odds)
    third = slope * (2.0 * mean - 1.0) if full else None
    return RowDerivatives(value, y - mean, -slope, third)


def _successes(y: FloatArray, trials: FloatArray | float) -> FloatArray:
    """Return the successes up to a share; its product with the trials may be rounded down."""
    successes = y * trials
    nearest = np.round(successes)
    close = np.abs(successes - nearest) <= 1e-9 * np.maximum(nearest, 1.0)
    return np.where(close, nearest, np.floor(successes))
