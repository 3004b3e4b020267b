"""Predictions of a response from those of its linear predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.prediction.delta import JointErrors
from skmixed.prediction.given_variances import GivenVariances
from skmixed.prediction.predict import Kind, PredictedRows
from skmixed.prediction.response_law import (
    averaged_mean,
    averaged_mean_and_derivative,
    averaged_variance,
    mean_quantiles,
)
from skmixed.prediction.response_quantiles import response_quantiles

__all__ = [
    "FamilyPrediction",
    "ResponseScale",
    "family_prediction",
    "predictor",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResponseScale:
    """Say how responses follow from a linear predictor.

    Attributes
    ----------
    average : bool
        Whether the response is averaged over what is not known of the random effects; else these
        are at their modes, and 0 where there are none.
    """

    average: bool
    trials: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class FamilyPrediction:
    """Describe the responses of rows whose linear predictor eta is normal given the data.

    With m the estimate of eta, v the variance of its error and u the part of it that is left where
    all parameters are known, the prediction is h(m), or averaged, the expectation of h(eta) over
    N(m, u). What the uncertainty is of depends on the kind:

    - a mean is h(eta) with eta ~ N(m, v): its quantiles are those of eta through h;
    - of a population, h is averaged over the effects of groups that are not known, and v is
      without them;
    - an observation follows the family given eta ~ N(m, v).

    Standard deviations of means are to first order in the error of eta.

    Attributes
    ----------
    extra : tuple of ndarray of shape (n,)
        Further predictors of the family.
    """

    fit: GLMMFit
    rows: PredictedRows
    eta: GivenVariances | JointErrors
    response: ResponseScale
    extra: tuple[FloatArray, ...]

    @cached_property
    def mean(self) -> FloatArray:
        """Return the predictions, shape (n,)."""
        return averaged_mean(self.fit.family, self.eta.mean, self.averaged_over, self.extra)

    @cached_property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is predicted about the predictions, (n,)."""
        if self.rows.kind == "observation":
            return np.sqrt(self._variance)
        return np.abs(self._slope) * self.eta.std

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        of_eta = self.eta.covariance()
        slope = self._slope
        covariance = slope[:, None] * of_eta * slope
        if self.rows.kind == "observation":
            # A response averages over eta as no linear function of it does.
            covariance[np.diag_indices_from(covariance)] = self._variance
        return covariance

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_probabilities)."""
        variance = self.eta.std**2
        if self.rows.kind == "observation":
            return response_quantiles(
                self.fit.family,
                self.eta.mean,
                variance,
                self.extra,
                probabilities,
                self.response.trials,
            )
        over = None
        if self.rows.kind == "population":
            # Limits are without the spread of what the data say nothing of.
            over = np.maximum(self.averaged_over - self._given_parameters("population"), 0.0)
        return mean_quantiles(
            self.fit.family, self.eta.mean, variance, self.extra, probabilities, over
        )

    @cached_property
    def averaged_over(self) -> FloatArray:
        """Return the variance of eta that predictions are averaged over, (n,)."""
        return self._given_parameters("mean") if self.response.average else np.zeros(len(self.rows))

    @cached_property
    def _slope(self) -> FloatArray:
        """Return the derivative of what is predicted in the mean of eta, (n,)."""
        over = self.averaged_over
        if self.rows.kind == "observation":
            over = self.eta.std**2
        return averaged_mean_and_derivative(self.fit.family, self.eta.mean, over, self.extra)[1]

    @cached_property
    def _variance(self) -> FloatArray:
        """Return the variance of a new response, (n,)."""
        return averaged_variance(
            self.fit.family, self.eta.mean, self.eta.std**2, self.extra, self.response.trials
        )

    def _given_parameters(self, kind: Kind) -> FloatArray:
        """Return the variance of the error of eta where all parameters are known, (n,)."""
        known = np.zeros_like(self.fit.fixed.unscaled_covariance)
        return replace(self.rows, kind=kind).error_variance_of(self.fit, known)


def predictor(
    fit: GLMMFit, rows: PredictedRows, variance_uncertainty: str | None = None
) -> GivenVariances | JointErrors:
    """Return the predictions of the linear predictor: of an observation, it is that of its mean."""
    kind: Kind = "population" if rows.kind == "population" else "mean"
    of_mean = replace(rows, kind=kind)
    return (GivenVariances if variance_uncertainty is None else JointErrors)(fit, of_mean)


def family_prediction(
    fit: GLMMFit,
    rows: PredictedRows,
    response: ResponseScale,
    variance_uncertainty: str | None = None,
) -> FamilyPrediction:
    """Predict the responses of rows."""
    eta = predictor(fit, rows, variance_uncertainty)
    extra = fit.extra_of_rows(rows.rows.extra, len(rows.rows.fixed))
    return FamilyPrediction(fit, rows, eta, response, extra)
