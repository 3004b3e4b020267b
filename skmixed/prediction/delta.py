"""Estimates that own up to variance parameters being estimated, by the delta method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.prediction.estimand import Estimand
from skmixed.prediction.given_variances import student_quantiles
from skmixed.prediction.neighbourhood import Neighbourhood

__all__ = ["DeltaMethod"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DeltaMethod:
    """Describe estimates to first order in the errors of eta = (theta, log sigma).

    With A the covariance of the estimate of eta, M(eta) the variance of an estimate's error where
    eta is known and d the derivative of the estimate in eta,

        variance = M(eta_hat) + s'dM + 2 d'A d
        df       = 2 M^2 / (dM'A dM)

    One d'A d is what the estimate owes to eta_hat, the other makes up for M, a concave function
    of the variances, being too small on average (Kackar and Harville 1984; Prasad and Rao 1990).
    s undoes the bias of ML. df are Satterthwaite's.

    Attributes
    ----------
    around : Neighbourhood
        Of the fit.
    estimand : Estimand
        Rows to predict, or effects or coefficients of groups.
    """

    around: Neighbourhood
    estimand: Estimand

    @cached_property
    def mean(self) -> FloatArray:
        """Return the estimates, shape (n,)."""
        return self.estimand.mean_of(self.around.fit)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is estimated about the estimates, (n,)."""
        d = self._mean_slopes
        variance = self._given + self.around.shift @ self._variance_slopes
        variance += 2.0 * np.einsum("mn,mn->n", d, self._theta_covariance @ d)
        # Undoing the bias of ML cannot leave less than what there is.
        return np.sqrt(np.maximum(variance, self._given))

    @cached_property
    def df(self) -> FloatArray:
        """Return the degrees of freedom of the variances, at least 1, shape (n,)."""
        slopes = self._variance_slopes
        spread = np.einsum("mn,mn->n", slopes, self.around.covariance @ slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * self._given**2 / spread
        return np.maximum(np.where(spread <= 0.0, np.inf, df), 1.0)

    def covariance(self) -> FloatArray:
        """Return the covariance of what is estimated about the estimates, (n, n)."""
        given = self.estimand.covariance_of(self.around.fit)
        covariance = given.copy()
        if self.around.shift.any():
            *in_theta, in_log_sigma = self.around.shift
            slopes = self.around.slopes(self.estimand.covariance_of)
            covariance += np.tensordot(in_theta, slopes, axes=1) + 2.0 * in_log_sigma * given
        d = self._mean_slopes
        return covariance + 2.0 * d.T @ self._theta_covariance @ d

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of Student's t around the estimates, (n, n_probabilities)."""
        return student_quantiles(self.mean, self.std, self.df, probabilities)

    @property
    def _theta_covariance(self) -> FloatArray:
        """Return the covariance of the estimate of theta: no mean depends on sigma."""
        return self.around.covariance[:-1, :-1]

    @cached_property
    def _given(self) -> FloatArray:
        """Return M, the variances where those of the random effects and sigma^2 are known."""
        return self.estimand.variance_of(self.around.fit)

    @cached_property
    def _variance_slopes(self) -> FloatArray:
        """Return the derivatives of M in (theta, log sigma), (n_theta + 1, n)."""
        return np.vstack([self.around.slopes(self.estimand.variance_of), 2.0 * self._given])

    @cached_property
    def _mean_slopes(self) -> FloatArray:
        """Return the derivatives of the estimates in theta, (n_theta, n)."""
        return self.around.slopes(self.estimand.mean_of)
