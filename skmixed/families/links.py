"""Links of a mean that may be any number, or any positive one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skmixed.families.base import FloatArray, LinkDerivatives

__all__ = ["SMALLEST", "Identity", "Inverse", "InverseSquared", "Log", "Sqrt", "bounded_exp"]

# exp(170) is 7e73: four factors of that size do not overflow, and no data have such means.
LARGEST_LOG = 170.0
LARGEST = float(np.exp(LARGEST_LOG))
SMALLEST = 1.0 / LARGEST


def bounded_exp(x: FloatArray) -> FloatArray:
    """Return exp(x), held between exp(-170) and exp(170)."""
    return np.exp(np.clip(x, -LARGEST_LOG, LARGEST_LOG))


def _positive(eta: FloatArray) -> FloatArray:
    """Return eta within bounds, NaN where it is not positive."""
    return np.where(eta > 0.0, np.clip(eta, SMALLEST, LARGEST), np.nan)


def _log_of_power(eta: FloatArray, exponent: float) -> LinkDerivatives:
    """Return exponent * log(eta) with derivatives, NaN where eta is not positive."""
    inside = _positive(eta)
    first = exponent / inside
    second = -first / inside
    return LinkDerivatives(exponent * np.log(inside), first, second, -2.0 * second / inside)


@dataclass(frozen=True)
class Identity:
    """The mean itself.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Identity
    >>> Identity().mean(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    name: ClassVar[str] = "identity"

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return the mean."""
        return mean

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return eta."""
        return eta

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return eta and its derivatives."""
        zero = np.zeros_like(eta)
        return LinkDerivatives(eta, np.ones_like(eta), zero, zero)

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the mean with derivatives, NaN where the mean is not positive."""
        return _log_of_power(eta, 1.0)


@dataclass(frozen=True)
class Log:
    """The logarithm of the mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Log
    >>> Log().mean(np.array([0.0, 1.0])).round(3)
    array([1.   , 2.718])
    """

    name: ClassVar[str] = "log"

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return log(mean)."""
        return np.log(mean)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return exp(eta), held between exp(-170) and exp(170)."""
        return bounded_exp(eta)

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return exp(eta) and its derivatives."""
        mean = bounded_exp(eta)
        return LinkDerivatives(mean, mean, mean, mean)

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return eta and its derivatives."""
        zero = np.zeros_like(eta)
        return LinkDerivatives(eta, np.ones_like(eta), zero, zero)


@dataclass(frozen=True)
class _Power:
    """A mean that is a power of a positive eta; NaN where eta is not positive."""

    name: ClassVar[str]
    exponent: ClassVar[float]

    def predictor(self, mean: FloatArray) -> FloatArray:
        """Return the eta of a positive mean."""
        return mean ** (1.0 / self.exponent)

    def mean(self, eta: FloatArray) -> FloatArray:
        """Return the power of eta."""
        return _positive(eta) ** self.exponent

    def derivatives(self, eta: FloatArray) -> LinkDerivatives:
        """Return the power of eta and its derivatives."""
        inside, exponent = _positive(eta), self.exponent
        mean = inside**exponent
        first = exponent * mean / inside
        second = (exponent - 1.0) * first / inside
        return LinkDerivatives(mean, first, second, (exponent - 2.0) * second / inside)

    def log_mean(self, eta: FloatArray) -> LinkDerivatives:
        """Return the logarithm of the mean with derivatives."""
        return _log_of_power(eta, self.exponent)


@dataclass(frozen=True)
class Sqrt(_Power):
    """The square root of a positive mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Sqrt
    >>> Sqrt().mean(np.array([2.0, 3.0]))
    array([4., 9.])
    """

    name: ClassVar[str] = "sqrt"
    exponent: ClassVar[float] = 2.0


@dataclass(frozen=True)
class Inverse(_Power):
    """The reciprocal of a positive mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import Inverse
    >>> Inverse().mean(np.array([2.0, 4.0]))
    array([0.5 , 0.25])
    """

    name: ClassVar[str] = "inverse"
    exponent: ClassVar[float] = -1.0


@dataclass(frozen=True)
class InverseSquared(_Power):
    """The reciprocal of the square of a positive mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.families import InverseSquared
    >>> InverseSquared().mean(np.array([4.0, 16.0]))
    array([0.5 , 0.25])
    """

    name: ClassVar[str] = "inverse_squared"
    exponent: ClassVar[float] = -0.5
