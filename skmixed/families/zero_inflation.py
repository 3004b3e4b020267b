"""Counts with more zeros than their family has: some rows are zero whatever their mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import special

from skmixed.families.base import (
    Extra,
    ExtraDerivatives,
    Family,
    FloatArray,
    Link,
    LinkDerivatives,
    RowDerivatives,
    Trials,
    composed,
)
from skmixed.families.links import SMALLEST
from skmixed.families.positive import CountFamily

__all__ = ["ZeroInflated", "without_inflation"]

# The least share of the weight without inflation that is left: where the family's own weight is a
# surrogate, the difference may be negative.
LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class ZeroInflated:
    """Counts that are 0 with a probability of their own, and else follow a family.

    The predictor of the zero inflation is the logit of that probability, after the predictors of
    the family. It is the mean of the family that eta gives, as in glmmTMB.

    Parameters
    ----------
    family : CountFamily

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Poisson, ZeroInflated
    >>> family, eta, omega = ZeroInflated(Poisson()), np.log([2.0]), np.zeros(1)
    >>> family.mean(eta, (omega,)), family.variance(eta, (omega,))
    (array([1.]), array([2.]))
    """

    is_discrete: ClassVar[bool] = True
    log_concave: ClassVar[bool] = False

    family: CountFamily

    @property
    def name(self) -> str:
        """Return the name of the family."""
        return f"zero_inflated_{self.family.name}"

    @property
    def link(self) -> Link:
        """Return the link of the mean without inflation."""
        return self.family.link

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Return the names of the family's predictors, and zero_inflation."""
        return (*self.family.extra_names, "zero_inflation")

    @property
    def support(self) -> str:
        """Return the responses that it can have, in words."""
        return self.family.support

    @property
    def variance_text(self) -> str:
        """Return how the variance depends on the mean mu of the family and the probability p."""
        return rf"(1 - p) (V + p \mu^2), V = {self.family.variance_text}"

    @property
    def dispersion_name(self) -> str | None:
        """Return the symbol of the family's dispersion."""
        return self.family.dispersion_name

    def dispersion_of(self, omega: FloatArray) -> FloatArray:
        """Return the dispersion of the family."""
        return self.family.dispersion_of(omega)

    def check(self, y: FloatArray) -> None:
        """Raise ValueError if a response is not a count."""
        self.family.check(y)

    def starting_mean(self, y: FloatArray) -> FloatArray:
        """Return the family's means near each count."""
        return self.family.starting_mean(y)

    def starting_extra(self, y: FloatArray, mean: FloatArray) -> tuple[float, ...]:
        """Return the family's first values, and the logit of half the share of zeros."""
        share = float(np.clip(0.5 * np.mean(y == 0.0), 0.01, 0.9))
        return (*self.family.starting_extra(y, mean), float(special.logit(share)))

    def derivatives(
        self, y: FloatArray, eta: FloatArray, extra: Extra, *, full: bool, normalised: bool = True
    ) -> RowDerivatives:
        """Return the log density with two derivatives in eta, or with all that there are."""
        *others, omega = extra
        counts = self.family.derivatives(y, eta, others, full=full, normalised=normalised)
        in_counts = _in_log_counts(y == 0.0, counts.value, omega)
        of_omega = ExtraDerivatives(
            (1.0 - in_counts.first) - special.expit(omega), -in_counts.second, -in_counts.third
        )
        rows = composed(RowDerivatives(*in_counts, (of_omega,) if full else ()), counts)
        mixed = (_mixed(in_counts, counts, one) for one in counts.extra)
        return replace(rows, extra=(*mixed, *rows.extra))

    def expected_weight(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of minus the second derivative, exact where the family's is."""
        *others, omega = extra
        zero = np.zeros_like(eta)
        count = self.family.derivatives(zero, eta, others, full=False)
        excess = special.expit(omega - count.value)
        weight = self.family.expected_weight(eta, others)
        lost = excess * np.exp(count.value) * count.first**2
        return special.expit(-omega) * np.maximum(weight - lost, LEAST_WEIGHT * weight)

    def mean(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the expectation of the response, inflation included."""
        return special.expit(-extra[-1]) * self.family.mean(eta, extra[:-1])

    def variance(self, eta: FloatArray, extra: Extra) -> FloatArray:
        """Return the variance of the response, inflation included."""
        *others, omega = extra
        mean = self.family.mean(eta, others)
        between = special.expit(omega) * mean * mean
        return special.expit(-omega) * (self.family.variance(eta, others) + between)

    def normalising(self, y: FloatArray, trials: FloatArray) -> FloatArray:
        """Return what the log density of a share of so many trials adds: nothing here."""
        return self.family.normalising(y, trials)

    def deviance(self, y: FloatArray, mean: FloatArray, extra: Extra) -> FloatArray:
        """Raise ValueError: a mixture has no unit deviance."""
        raise ValueError(
            "Deviance residuals are not defined with zero inflation. Use Pearson or quantile "
            "residuals."
        )

    def simulate(
        self, eta: FloatArray, extra: Extra, rng: np.random.Generator, trials: Trials = None
    ) -> FloatArray:
        """Return a count drawn for each row."""
        *others, omega = extra
        counts = self.family.simulate(eta, others, rng)
        return np.where(rng.random(counts.shape) < special.expit(omega), 0.0, counts)

    def cdf(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a count up to y."""
        *others, omega = extra
        below = special.expit(omega) + special.expit(-omega) * self.family.cdf(y, eta, others)
        return np.where(y < 0.0, 0.0, below)

    def survival(
        self, y: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the probability of a count above y."""
        *others, omega = extra
        above = special.expit(-omega) * self.family.survival(y, eta, others)
        return np.where(y < 0.0, 1.0, above)

    def quantile(
        self, probability: FloatArray, eta: FloatArray, extra: Extra, trials: Trials = None
    ) -> FloatArray:
        """Return the smallest count whose cdf reaches the probability."""
        *others, omega = extra
        rest = (probability - special.expit(omega)) / np.maximum(special.expit(-omega), SMALLEST)
        return self.family.quantile(np.clip(rest, 0.0, 1.0), eta, others)


def without_inflation(family: Family) -> Family:
    """Return the family of the counts, or the family itself if it has no inflation."""
    return family.family if isinstance(family, ZeroInflated) else family


def _in_log_counts(zero: FloatArray, log_count: FloatArray, omega: FloatArray) -> LinkDerivatives:
    """Return the log density with derivatives in that of the counts.

    The first is the probability that a zero is one of the counts, and 1 for other responses.
    """
    d = log_count - omega
    value = np.where(zero, np.logaddexp(omega, log_count), log_count) + special.log_expit(-omega)
    share = np.where(zero, special.expit(d), 1.0)
    second = np.where(zero, share * special.expit(-d), 0.0)
    # An eta without a mean has no density, though the inflated zeros would.
    value = np.where(np.isneginf(log_count), -np.inf, value)
    return LinkDerivatives(value, share, second, second * (1.0 - 2.0 * share))


def _mixed(
    plus: LinkDerivatives, counts: RowDerivatives, one: ExtraDerivatives
) -> ExtraDerivatives:
    """Return the derivatives in another predictor of the family."""
    slope = counts.first
    return ExtraDerivatives(
        plus.first * one.first,
        plus.first * one.mixed + plus.second * slope * one.first,
        plus.first * one.twice_mixed
        + plus.second * (2.0 * slope * one.mixed + counts.second * one.first)
        + plus.third * slope * slope * one.first,
    )
