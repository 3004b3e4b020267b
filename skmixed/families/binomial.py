"""Yes or no, and shares of successes among trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
import scipy
from scipy import special

from skmixed.families.base import Extra, FloatArray, Link, RowDerivatives, Trials
from skmixed.families.distribution import Distribution
from skmixed.families.probability_links import (
    LOG_CONCAVE_LINKS,
    PROBABILITY_LINKS,
    Logit,
    ProbabilityLink,
)

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
    >>> from skmixed.families import Binomial
    >>> rows = Binomial().derivatives(np.array([0.0, 1.0]), np.zeros(2), (), full=False)
    >>> rows.value.round(3), rows.first
    (array([-0.693, -0.693]), array([-0.5,  0.5]))
    """

    name: ClassVar[str] = "binomial"
    is_discrete: ClassVar[bool] = True
    support: ClassVar[str] = "0 or 1, or shares between them"
    _remedy: ClassVar[str] = (
        "Give successes as shares of the trials, and the trials as weights; counts have "
        "family='poisson'."
    )
    links: ClassVar[tuple[type, ...]] = PROBABILITY_LINKS
    concave_links: ClassVar[tuple[type, ...]] = LOG_CONCAVE_LINKS
    variance_text: ClassVar[str] = r"\mu (1 - \mu)"

    link: Link = field(default_factory=Logit)

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return shares between a quarter and three quarters."""
        return 0.5 * y + 0.25

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative in eta."""
        if isinstance(self.link, Logit):
            return special.expit(eta) * special.expit(-eta)
        link = cast("ProbabilityLink", self.link)
        return -link.log_mean(eta).first * link.log_complement(eta).first

    def variance_at(self, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of one trial."""
        return mean * (1.0 - mean)

    def normalising(self, y: FloatArray, trials: FloatArray) -> FloatArray:
        """Return the logarithm of the binomial coefficient of each row."""
        successes = y * trials
        return -np.log1p(trials) - special.betaln(successes + 1.0, trials - successes + 1.0)

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Return the unit deviance of each row, that of one trial."""
        # At a probability that is rounded to 1, a success has no deviance.
        return 2.0 * (_log_likelihood(y, y) - _log_likelihood(y, mean))

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a share of successes drawn for each row."""
        mean = self.link.mean(eta)
        if trials is None:
            return rng.binomial(1, mean).astype(np.float64)
        return rng.binomial(np.round(trials).astype(np.int64), mean) / trials

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a share up to y."""
        return super().cdf(_successes(y, trials), eta, extra, trials)

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a share above y."""
        return super().survival(_successes(y, trials), eta, extra, trials)

    def quantile(
        self, probability: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the smallest share whose cdf reaches the probability."""
        successes = super().quantile(probability, eta, extra, trials)
        return successes if trials is None else successes / trials

    def _frozen(self, eta: FloatArray, extra: Extra, trials: Trials) -> Any:
        return scipy.stats.binom(1 if trials is None else trials, self.link.mean(eta))

    def _in_eta(self, y: FloatArray, eta: FloatArray, extra: Extra, full: bool) -> RowDerivatives:
        if isinstance(self.link, Logit):
            return _with_logit(y, eta, full)
        link = cast("ProbabilityLink", self.link)
        sign = 2.0 * y - 1.0
        if link.symmetric and (np.abs(sign) == 1.0).all():
            value, first, second, third = link.log_mean(sign * eta)
            return RowDerivatives(value, sign * first, second, sign * third if full else None)
        value, first, second, third = (
            y * success + (1.0 - y) * failure
            for success, failure in zip(link.log_mean(eta), link.log_complement(eta), strict=True)
        )
        return RowDerivatives(value, first, second, third if full else None)

    def _in_support(self, y: FloatArray) -> Any:
        return (y >= 0.0) & (y <= 1.0)


def _with_logit(y: FloatArray, eta: FloatArray, full: bool) -> RowDerivatives:
    """Return the derivatives with the logit link: one exponential and one logarithm a row."""
    odds = np.abs(eta)
    np.exp(np.negative(odds, out=odds), out=odds)
    log_either = np.log1p(odds)
    log_either += np.maximum(eta, 0.0)
    value = y * eta
    value -= log_either
    share = np.add(odds, 1.0, out=log_either)
    np.reciprocal(share, out=share)
    mean = np.where(eta >= 0.0, 1.0, odds)
    mean *= share
    # The memory is used again: for large data it takes longer than the arithmetic.
    second = np.negative(odds, out=odds)
    second *= share
    second *= share
    third = second * (1.0 - 2.0 * mean) if full else None
    return RowDerivatives(value, y - mean, second, third)


def _log_likelihood(y: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the log density of one trial, from its probability."""
    return cast("FloatArray", special.xlogy(y, mean) + special.xlog1py(1.0 - y, -mean))


def _successes(y: FloatArray, trials: Trials) -> FloatArray:
    """Return the successes of a share, which rounding may have left a little below them."""
    return y if trials is None else y * trials * (1.0 + 1e-12)
