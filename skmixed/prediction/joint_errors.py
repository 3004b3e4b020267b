"""Estimates on the linear predictor that take no parameter of a generalised model as known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.prediction.estimand import Estimand
from skmixed.prediction.given_variances import student_quantiles

__all__ = ["JointErrors"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JointErrors:
    """Describe estimates to first order in the errors of all parameters.

    The modes depend on the parameters: with d the derivative of the estimate in (beta, theta,
    further coefficients) and A the covariance of their estimates, its error has the variance d'Ad
    and what is left where they are known. These are glmmTMB's conditional standard deviations; the
    variances alone, beta's part among them, are those of ``GivenVariances``.

    Attributes
    ----------
    estimand : Estimand
        Linear in the coefficients and the random effects.
    df : float
        Degrees of freedom of Student's t.
    """

    fit: GLMMFit
    estimand: Estimand

    df: float = np.inf

    @cached_property
    def mean(self) -> FloatArray:
        """Return the estimates, shape (n,)."""
        return self.estimand.mean_of(self.fit)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is estimated about the estimates, (n,)."""
        added = np.einsum("in,ij,jn->n", self._slopes, self._beyond_beta, self._slopes)
        return np.sqrt(np.maximum(self.estimand.variance_of(self.fit) + added, 0.0))

    def covariance(self) -> FloatArray:
        """Return the covariance of what is estimated about the estimates, (n, n)."""
        d = self._slopes
        return self.estimand.covariance_of(self.fit) + d.T @ self._beyond_beta @ d

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of Student's t around the estimates, (n, n_probabilities)."""
        return student_quantiles(self.mean, self.std, np.array([self.df]), probabilities)

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
        n_others = len(fit.joint.parameters) - n_beta
        return in_beta + [
            _with_modes(fit, [slopes[:, :, m] for slopes in fit.mode_slopes])
            for m in range(n_others)
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
