"""Estimates that take the variance parameters as known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["Estimand", "GivenVariances", "student_quantiles"]

FloatArray = NDArray[np.float64]


class Estimand(Protocol):
    """Some numbers that are linear in the coefficients, the random effects and new residuals.

    It is asked about fits of the same data at several variance parameters. At one theta, means
    do not depend on sigma and variances are proportional to sigma^2.
    """

    def mean_of(self, fit: LMMFit) -> FloatArray:
        """Return the best linear unbiased predictions, shape (n,)."""
        ...

    def variance_of(self, fit: LMMFit) -> FloatArray:
        """Return the variances of their errors, the variance parameters being known, (n,)."""
        ...

    def covariance_of(self, fit: LMMFit) -> FloatArray:
        """Return the covariance of their errors, the variance parameters being known, (n, n)."""
        ...


@dataclass(frozen=True, eq=False)
class GivenVariances:
    """Describe estimates where the estimated variance parameters are taken as the true ones.

    Attributes
    ----------
    df : float
        Degrees of freedom of Student's t. For rows n - rank(X) is exact without random effects.
    """

    fit: LMMFit
    estimand: Estimand
    df: float = np.inf

    @cached_property
    def mean(self) -> FloatArray:
        """Return the estimates, shape (n,)."""
        return self.estimand.mean_of(self.fit)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is estimated about the estimates, (n,)."""
        return np.sqrt(self.estimand.variance_of(self.fit))

    def covariance(self) -> FloatArray:
        """Return the covariance of what is estimated about the estimates, (n, n)."""
        return self.estimand.covariance_of(self.fit)

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of Student's t around the estimates, (n, n_probabilities)."""
        return student_quantiles(self.mean, self.std, np.array([self.df]), probabilities)


def student_quantiles(
    mean: FloatArray, std: FloatArray, df: FloatArray, probabilities: FloatArray
) -> FloatArray:
    """Return mean + std t, (n, n_probabilities), t the quantiles of Student's distribution."""
    finite = np.where(np.isinf(df), 1.0, df)[:, None]
    # The quantiles of both tails are the same but for the sign.
    tails, positions = np.unique(np.abs(probabilities - 0.5), return_inverse=True)
    t = np.where(np.isinf(df)[:, None], ndtri(0.5 + tails), stdtrit(finite, 0.5 + tails))
    return mean[:, None] + std[:, None] * (np.sign(probabilities - 0.5) * t[:, positions])
