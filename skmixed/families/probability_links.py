"""Links of a probability, with the logarithms of it and of its complement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from skmixed.families.base import FloatArray, LinkDerivatives
from skmixed.families.links import bounded_exp

__all__ = [
    "LOG_CONCAVE_LINKS",
    "PROBABILITY_LINKS",
    "CLogLog",
    "Cauchit",
    "LogLog",
    "Logit",
    "ProbabilityLink",
    "Probit",
]

# Where the third derivative of log Phi begins to lose digits to rounding.
NORMAL_TAIL = -10.0
LARGEST_EXPONENT = 700.0


def _mirrored(function: LinkDerivatives) -> LinkDerivatives:
    """Return the derivatives of f(-eta) in eta, given those of f at -eta."""
    return LinkDerivatives(function.value, -function.first, function.second, -function.third)


class ProbabilityLink:
    """What links of probabilities have: by default, the complement is the mirror image.

    Attributes
    ----------
    symmetric : bool
        Whether 1 - h(eta) is h(-eta).
    latent_variance : float or None
        Variance of the distribution whose distribution function is h; None where it has none.
    """

    name: ClassVar[str]
    symmetric: ClassVar[bool] = True
    latent_variance: ClassVar[float | None] = None

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return the eta of a probability."""
        raise NotImplementedError

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return the probability."""
        return self.derivatives(eta).value

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the probability and its derivatives."""
        raise NotImplementedError

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the probability with derivatives."""
        raise NotImplementedError

    def log_complement(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of one minus the probability with derivatives."""
        return _mirrored(self.log_mean(-eta))


@dataclass(frozen=True)
class Logit(ProbabilityLink):
    """The logarithm of the odds.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Logit
    >>> Logit().mean(np.array([0.0, 2.0])).round(3)
    array([0.5  , 0.881])
    """

    name: ClassVar[str] = "logit"
    latent_variance: ClassVar[float | None] = math.pi**2 / 3.0

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return log(mean / (1 - mean))."""
        return special.logit(mean)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return 1 / (1 + exp(-eta))."""
        return special.expit(eta)

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the probability and its derivatives."""
        mean, complement = special.expit(eta), special.expit(-eta)
        first = mean * complement
        return LinkDerivatives(
            mean, first, first * (complement - mean), first * (1.0 - 6.0 * first)
        )

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the probability with derivatives."""
        mean, complement = special.expit(eta), special.expit(-eta)
        slope = mean * complement
        return LinkDerivatives(
            special.log_expit(eta), complement, -slope, -slope * (complement - mean)
        )


@dataclass(frozen=True)
class Probit(ProbabilityLink):
    """The standard normal quantile.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Probit
    >>> Probit().mean(np.array([0.0, 1.96])).round(3)
    array([0.5  , 0.975])
    """

    name: ClassVar[str] = "probit"
    latent_variance: ClassVar[float | None] = 1.0

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return the standard normal quantile of the probability."""
        return special.ndtri(mean)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return the standard normal distribution function."""
        return special.ndtr(eta)

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the distribution function and its derivatives."""
        density = np.exp(-0.5 * eta * eta) / np.sqrt(2.0 * np.pi)
        return LinkDerivatives(
            special.ndtr(eta), density, -eta * density, (eta * eta - 1.0) * density
        )

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the distribution function with derivatives."""
        # The density over the distribution function; erfcx keeps all digits in the lower tail.
        hazard = np.sqrt(2.0 / np.pi) / special.erfcx(-eta / np.sqrt(2.0))
        excess = hazard + eta
        third = hazard * (excess * (hazard + excess) - 1.0)
        tail = eta < NORMAL_TAIL
        if tail.any():
            third = np.where(tail, _third_in_tail(np.where(tail, -eta, -NORMAL_TAIL)), third)
        return LinkDerivatives(special.log_ndtr(eta), hazard, -hazard * excess, third)


def _third_in_tail(x: FloatArray) -> FloatArray:
    """Return the third derivative of log Phi at -x by Laplace's continued fraction."""
    rest = np.zeros_like(x)
    for k in range(30, 2, -1):
        rest = k / (x + rest)
    epsilon = 2.0 / (x + rest)
    excess = 1.0 / (x + epsilon)
    # 2 * excess - epsilon, without the difference of nearly equal numbers.
    remainder = 2.0 * (rest - epsilon) / ((x + epsilon) * (x + rest))
    return (x + excess) * excess * remainder


@dataclass(frozen=True)
class Cauchit(ProbabilityLink):
    """The quantile of the Cauchy distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Cauchit
    >>> Cauchit().mean(np.array([0.0, 1.0]))
    array([0.5 , 0.75])
    """

    name: ClassVar[str] = "cauchit"

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return the quantile of the Cauchy distribution."""
        return np.tan(np.pi * (mean - 0.5))

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the distribution function and its derivatives."""
        square = 1.0 + eta * eta
        first = 1.0 / (np.pi * square)
        return LinkDerivatives(
            np.arctan2(1.0, -eta) / np.pi,
            first,
            -2.0 * eta * first / square,
            first * (6.0 * eta * eta - 2.0) / square**2,
        )

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the distribution function with derivatives."""
        mean, *derivatives = self.derivatives(eta)
        first, second, third = (derivative / mean for derivative in derivatives)
        return LinkDerivatives(
            np.log(mean),
            first,
            second - first**2,
            third - 3.0 * first * second + 2.0 * first**3,
        )


@dataclass(frozen=True)
class CLogLog(ProbabilityLink):
    """The complementary log-log link, log(-log(1 - mean)).

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import CLogLog
    >>> CLogLog().mean(np.array([-1.0, 1.0])).round(3)
    array([0.308, 0.934])
    """

    name: ClassVar[str] = "cloglog"
    symmetric: ClassVar[bool] = False
    latent_variance: ClassVar[float | None] = math.pi**2 / 6.0

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return log(-log(1 - mean))."""
        return np.log(-np.log1p(-mean))

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return 1 - exp(-exp(eta))."""
        return -np.expm1(-bounded_exp(eta))

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the probability and its derivatives."""
        rate = bounded_exp(eta)
        first = rate * np.exp(-rate)
        return LinkDerivatives(
            -np.expm1(-rate),
            first,
            first * (1.0 - rate),
            first * (1.0 - 3.0 * rate + rate * rate),
        )

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the probability with derivatives."""
        rate = bounded_exp(eta)
        within = np.minimum(rate, LARGEST_EXPONENT)
        first = within / np.expm1(within)
        # The derivative of log(first): a series where 1 - rate - first would lose its digits.
        square = rate * rate
        small = np.minimum(square, 0.01)
        series = -rate / 2.0 - square * (1.0 - small / 60.0 + small**2 / 2520.0) / 12.0
        slope = np.where(rate < 0.1, series, 1.0 - rate - first)
        second = first * slope
        third = first * (slope * slope - rate - second)
        return LinkDerivatives(np.log(-np.expm1(-rate)), first, second, third)

    def log_complement(self, eta: FloatArray) -> LinkDerivatives:
        """Return -exp(eta) and its derivatives."""
        minus = -bounded_exp(eta)
        return LinkDerivatives(minus, minus, minus, minus)


@dataclass(frozen=True)
class LogLog(ProbabilityLink):
    """The log-log link, -log(-log(mean)): the mirror image of cloglog.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import LogLog
    >>> LogLog().mean(np.array([-1.0, 1.0])).round(3)
    array([0.066, 0.692])
    """

    name: ClassVar[str] = "loglog"
    symmetric: ClassVar[bool] = False
    latent_variance: ClassVar[float | None] = math.pi**2 / 6.0

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return -log(-log(mean))."""
        return -np.log(-np.log(mean))

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the probability and its derivatives."""
        _, first, second, third = CLogLog().derivatives(-eta)
        return LinkDerivatives(np.exp(-bounded_exp(-eta)), first, -second, third)

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the probability with derivatives."""
        return _mirrored(CLogLog().log_complement(-eta))

    def log_complement(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of one minus the probability with derivatives."""
        return _mirrored(CLogLog().log_mean(-eta))


# Those with which the logarithms of a probability and of its complement are concave.
LOG_CONCAVE_LINKS = (Logit, Probit, CLogLog, LogLog)
PROBABILITY_LINKS = (*LOG_CONCAVE_LINKS, Cauchit)
