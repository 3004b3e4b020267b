"""Estimates that own up to variance parameters being estimated, by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.at_rho import FitsAround
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.variance_parameters import (
    inverse_information,
    parameter_covariance,
    restriction_slope,
)
from skmixed.prediction.given_variances import Estimand, GivenVariances, student_quantiles

__all__ = ["DeltaMethod", "FiniteDifferences", "JointErrors"]

FloatArray = NDArray[np.float64]

# Steps of the central differences, in standard errors of theta, or in theta (or 1) where that is
# less: near the boundary a standard error says nothing of the scale of theta.
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class FiniteDifferences:
    """Tell how far eta = (theta, log sigma) may be from its estimate, and what changes with theta.

    theta is followed by the parameters rho of a residual structure where the rows are kept; without
    them, rho is taken as known. Nothing is computed before it is asked for, and then once for all
    that is estimated. The fit has its cross-products.
    """

    fit: LMMFit
    model: LMMModel | None = None

    @cached_property
    def covariance(self) -> FloatArray:
        """Return A, the covariance of the estimates of eta, (n_theta + 1, n_theta + 1)."""
        self.fit.require_likelihood()
        free = self._free
        if free.all():
            return parameter_covariance(self.fit)
        return inverse_information(self.fit, free)[np.ix_(free, free)]

    @cached_property
    def shift(self) -> FloatArray:
        """Return s, how far the REML estimates of eta lie from these, to first order.

        It is 0 for REML; for ML it is A g / 2 with g the derivative of -log|X'V^-1 X|.
        """
        if self.fit.reml:
            return np.zeros(len(self.covariance))
        return 0.5 * self.covariance @ restriction_slope(self.fit)[self._free]

    def slopes(self, function: Callable[[LMMFit], FloatArray]) -> FloatArray:
        """Return the derivatives in theta, at a fixed sigma, of a function of fits."""
        slopes = [(function(up) - function(down)) / width for up, down, width in self._pairs]
        return np.array(slopes) if slopes else np.empty((0, *function(self.fit).shape))

    @cached_property
    def _around(self) -> FitsAround:
        """Return what finds the fits at other theta."""
        return FitsAround(self.fit, self.model)

    @property
    def _free(self) -> NDArray[np.bool_]:
        """Tell which of all variance parameters are not taken as known; log sigma is the last."""
        free = np.ones(len(self._around.estimate) + self._around.n_known + 1, dtype=bool)
        free[len(self._around.estimate) : -1] = False
        return free

    @cached_property
    def _pairs(self) -> list[tuple[LMMFit, LMMFit, float]]:
        """Return the fits at two thetas around the estimate, for each parameter, and how far."""
        around, theta = self._around, self._around.estimate
        spreads = np.sqrt(self.covariance.diagonal()[:-1])
        sizes = np.maximum(np.abs(theta), 1.0)
        steps = STEP * np.where(spreads > 0.0, np.minimum(spreads, sizes), sizes)
        return [
            (
                around.at(theta + step, keep_sigma=True),
                around.at(theta - step, keep_sigma=True),
                2.0 * step.sum(),
            )
            for step in np.diag(steps)
        ]


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
    """

    around: FiniteDifferences
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
        trace = np.einsum("mn,mn->n", slopes, self.around.covariance @ slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * self._given**2 / trace
        return np.maximum(np.where(trace <= 0.0, np.inf, df), 1.0)

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


@dataclass(frozen=True, eq=False)
class JointErrors(GivenVariances):
    """Describe estimates to first order in the errors of all parameters.

    The modes depend on the parameters: with d the derivative of the estimate in (beta, theta,
    further coefficients) and A the covariance of their estimates, its error has the variance d'Ad
    and what is left where they are known. These are glmmTMB's conditional standard deviations; the
    variances alone, beta's part among them, are those of ``GivenVariances``.
    """

    fit: GLMMFit

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is estimated about the estimates, (n,)."""
        added = np.einsum("in,ij,jn->n", self._slopes, self._beyond_beta, self._slopes)
        return np.sqrt(np.maximum(self.estimand.variance_of(self.fit) + added, 0.0))

    def covariance(self) -> FloatArray:
        """Return the covariance of what is estimated about the estimates, (n, n)."""
        d = self._slopes
        return self.estimand.covariance_of(self.fit) + d.T @ self._beyond_beta @ d

    @property
    def _beyond_beta(self) -> FloatArray:
        """Return A without the block of beta, which the estimand counts itself."""
        A = self.fit.joint.covariance.copy()
        beta = self.fit.joint.beta
        A[beta, beta] = 0.0
        return A

    @cached_property
    def _slopes(self) -> FloatArray:
        """Return d, one row for each parameter: differences of what is linear."""
        origin = self.estimand.mean_of(self.fit)
        return np.array([self.estimand.mean_of(one) - origin for one in self._moved()]).reshape(
            -1, len(origin)
        )

    def _moved(self) -> list[GLMMFit]:
        """Return the fits with one parameter moved by 1, and the modes by their slope."""
        fit, n_beta = self.fit, self.fit.joint.n_beta
        in_beta = [
            _with_modes(
                _with_beta(fit, step), [-one.standardised_cross @ step for one in fit.random]
            )
            for step in np.eye(n_beta)
        ]
        return in_beta + [
            _with_modes(fit, [slopes[:, :, m] for slopes in fit.mode_slopes])
            for m in range(len(fit.joint.parameters) - n_beta)
        ]


def _with_beta(fit: GLMMFit, step: FloatArray) -> GLMMFit:
    """Return a fit with other standardised coefficients."""
    coefficients = fit.fixed.coefficients + fit.coordinates.fixed.matrix @ step
    standardised = fit.fixed.standardised + step
    return replace(
        fit, fixed=replace(fit.fixed, coefficients=coefficients, standardised=standardised)
    )


def _with_modes(fit: GLMMFit, steps: list[FloatArray]) -> GLMMFit:
    """Return a fit with other standardised modes."""
    random = tuple(
        replace(one, standardised_modes=one.standardised_modes + step)
        for one, step in zip(fit.random, steps, strict=True)
    )
    return replace(fit, random=random)
