"""Predictions with their uncertainty, whichever way it is found."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.prediction.delta import DeltaMethod, FiniteDifferences
from skmixed.prediction.family_prediction import ResponseScale, family_prediction, predictor
from skmixed.prediction.given_variances import GivenVariances
from skmixed.prediction.mixture import MixturePrediction, VarianceDraws
from skmixed.prediction.predict import Include, Kind, PredictedRows

__all__ = ["Predictive", "predictive", "require_kept_products"]

FloatArray = NDArray[np.float64]


class Predictive(Protocol):
    """Predictions with their uncertainty; nothing is computed before it is asked for."""

    @property
    def mean(self) -> FloatArray:
        """Return the predictions, shape (n,)."""
        ...

    @property
    def std(self) -> FloatArray:
        """Return the standard deviations of what is predicted about the predictions, (n,)."""
        ...

    def covariance(self) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        ...

    def quantiles(self, probabilities: FloatArray) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_probabilities)."""
        ...


def predictive(
    fit: LMMFit,
    rows: NewRows,
    *,
    include_random_effects: Include,
    kind: Kind = "observation",
    variance_uncertainty: Literal["delta"] | VarianceDraws | None = None,
    model: LMMModel | None = None,
    response: ResponseScale | None = None,
) -> Predictive:
    """Predict rows, with the uncertainty of the predictions.

    Parameters
    ----------
    model : LMMModel, optional
        What was fitted, with its rows: without them, the parameters of a residual structure are
        taken as known.
    response : ResponseScale, optional
        Of a family: how its responses are predicted; the linear predictor without it.
    """
    predicted = PredictedRows(rows, include_random_effects, kind)
    if isinstance(fit, GLMMFit):
        if isinstance(variance_uncertainty, VarianceDraws):
            fit.require_gaussian("A mixture over draws", "use variance_uncertainty='delta'")
        uncertainty = None if variance_uncertainty is None else "delta"
        if response is None:
            return predictor(fit, predicted, uncertainty)
        return family_prediction(fit, predicted, response, uncertainty)
    if variance_uncertainty is None:
        df = max(fit.n_rows - len(fit.fixed.standardised), 1.0)
        return GivenVariances(fit, predicted, df)
    require_kept_products(fit)
    if isinstance(variance_uncertainty, VarianceDraws):
        return MixturePrediction(fit, predicted, variance_uncertainty, model)
    return DeltaMethod(FiniteDifferences(fit, model), predicted)


def require_kept_products(fit: LMMFit) -> None:
    """Raise ValueError if a fit has not kept the cross-products that other variances need."""
    if fit.products is None:
        raise ValueError(
            "The uncertainty of the variance parameters needs the cross-products of the data, "
            "which this fit has not kept, as they are as large as the data here. Use "
            "variance_uncertainty=None: with so many levels it matters little."
        )
