"""Predictions that own up to variance parameters being estimated, by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows
from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.variance_parameters import parameter_covariance, restriction_slope
from skmixed.prediction.given_variances import student_quantiles
from skmixed.prediction.predict import (
    Include,
    Kind,
    mean_error_variance,
    predict_covariance,
    predict_mean,
    predict_variance,
)

__all__ = ["DeltaPrediction"]

FloatArray = NDArray[np.float64]

# Steps of the central differences, in standard errors of theta, or in theta (or 1) where that is
# less: near the boundary a standard error says nothing of the scale of theta.
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class DeltaPrediction:
    """Describe predictions to first order in the errors of (theta, log sigma).

    With eta = (theta, log sigma), A the covariance of its estimate, M(eta) the variance of the
    prediction's error where eta is known and d the derivative of the prediction in eta,

        variance = M(eta_hat) + s'dM + 2 d'A d
        df       = 2 M^2 / (dM'A dM)

    One d'A d is what the prediction owes to eta_hat, the other makes up for M, a concave function
    of the variances, being too small on average (Kackar and Harville 1984; Prasad and Rao 1990).
    s is 0 for REML; for ML it undoes the bias, A g / 2 with g the derivative of -log|X'V^-1 X|.
    df are Satterthwaite's.

    Attributes
    ----------
    fit : LMMFit
        With its cross-products.
    rows : NewRows
    include_random_effects : bool or collection of str
    kind : {"observation", "mean", "population"}
    """

    fit: LMMFit
    rows: NewRows
    include_random_effects: Include
    kind: Kind

    @cached_property
    def mean(self) -> FloatArray:
        """Return the predictions, shape (n,)."""
        return self._mean_of(self.fit)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is predicted about the predictions, (n,)."""
        variance = self._given.copy()
        if not self.fit.reml:
            variance += self._shift @ self._slopes
        d = self._mean_slopes
        variance += 2.0 * np.einsum("mn,mn->n", d, self._theta_covariance @ d)
        # Undoing the bias of ML cannot leave less than what there is.
        return np.sqrt(np.maximum(variance, self._given))

    @cached_property
    def df(self) -> FloatArray:
        """Return the degrees of freedom of the variances, at least 1, shape (n,)."""
        slopes = self._slopes
        spread = np.einsum("mn,mn->n", slopes, self._parameters @ slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = 2.0 * self._given**2 / spread
        return np.maximum(np.where(spread > 0.0, df, np.inf), 1.0)

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        given = self._covariance_of(self.fit)
        covariance = given.copy()
        if not self.fit.reml:
            shift = self._shift
            covariance += 2.0 * shift[-1] * given
            for change, (up, down, width) in zip(shift, self._neighbours, strict=False):
                slope = (self._covariance_of(up) - self._covariance_of(down)) / width
                covariance += change * slope
        d = self._mean_slopes
        return covariance + 2.0 * d.T @ self._theta_covariance @ d

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of Student's t around the predictions, (n, n_probabilities)."""
        return student_quantiles(self.mean, self.std, self.df, probabilities)

    @cached_property
    def _parameters(self) -> FloatArray:
        """Return the covariance of the estimates of (theta, log sigma)."""
        return parameter_covariance(self.fit)

    @property
    def _theta_covariance(self) -> FloatArray:
        """Return the covariance of the estimate of theta."""
        return self._parameters[:-1, :-1]

    @property
    def _shift(self) -> FloatArray:
        """Return how far the REML estimates lie from those of ML, to first order."""
        return 0.5 * self._parameters @ restriction_slope(self.fit)

    @cached_property
    def _given(self) -> FloatArray:
        """Return the variances, those of the random effects and sigma^2 being as estimated."""
        return predict_variance(
            self.fit,
            self.rows,
            include_random_effects=self.include_random_effects,
            kind=self.kind,
        )

    @cached_property
    def _slopes(self) -> FloatArray:
        """Return the derivatives of these variances in (theta, log sigma), (n_theta + 1, n)."""
        unit = self.fit.sigma**2 / self.fit.coordinates.weight_scale
        in_theta = unit * self._differences(self._error_of)
        return np.vstack([in_theta, 2.0 * self._given])

    @cached_property
    def _mean_slopes(self) -> FloatArray:
        """Return the derivatives of the predictions in theta, (n_theta, n)."""
        return self._differences(self._mean_of)

    @cached_property
    def _neighbours(self) -> list[tuple[LMMFit, LMMFit, float]]:
        """Return the fits at two thetas around the estimate, for each parameter, and how far."""
        theta = self.fit.convergence.theta
        spreads = np.sqrt(self._theta_covariance.diagonal())
        sizes = np.maximum(np.abs(theta), 1.0)
        steps = STEP * np.where(spreads > 0.0, np.minimum(spreads, sizes), sizes)
        return [
            (
                fit_at(self.fit, theta + step, keep_sigma=True),
                fit_at(self.fit, theta - step, keep_sigma=True),
                2.0 * step.sum(),
            )
            for step in np.diag(steps)
        ]

    def _differences(self, function: Callable[[LMMFit], FloatArray]) -> FloatArray:
        """Return the derivatives in theta of what a function returns of each row, (n_theta, n)."""
        slopes = [(function(up) - function(down)) / width for up, down, width in self._neighbours]
        return np.array(slopes).reshape(len(slopes), len(self.rows.fixed))

    def _mean_of(self, fit: LMMFit) -> FloatArray:
        return predict_mean(fit, self.rows, include_random_effects=self.include_random_effects)

    def _error_of(self, fit: LMMFit) -> FloatArray:
        return mean_error_variance(
            fit, self.rows, include_random_effects=self.include_random_effects, kind=self.kind
        )

    def _covariance_of(self, fit: LMMFit) -> FloatArray:
        return predict_covariance(
            fit, self.rows, include_random_effects=self.include_random_effects, kind=self.kind
        )
