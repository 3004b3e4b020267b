"""Means of the response, predicted from a fitted generalised model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.estimators.generalised_predictor import NormalPredictor, normal_predictor
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.weights import row_weights
from skmixed.families.base import Family
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["ResponsePredictions"]

FloatArray = NDArray[np.float64]


class ResponsePredictions:
    """Predict means, with and without random effects."""

    __metadata_request__predict: ClassVar = {
        "groups": True,
        "include_random_effects": True,
        "average": True,
    }

    average: bool
    fitted_model: FittedModel

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> FloatArray:
        """Predict the mean of the response of rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            As in fit.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        include_random_effects : bool or list of str, optional
            Whether the groups' random effects are used, or of which factors; the default is the
            constructor's. A factor that is left out is as one whose labels were not fitted.
        average : bool, optional
            Whether the mean is averaged over what is not known of the random effects; the default
            is the constructor's.
        offset, exposure : array-like of shape (n,), optional
            As in fit; a known part of 0, and an exposure of 1, by default.

        Returns
        -------
        ndarray of shape (n,)
        """
        return self._predictor(
            X,
            groups=groups,
            include_random_effects=include_random_effects,
            average=self.average if average is None else bool(average),
            offset=offset,
            exposure=exposure,
        ).response()

    def predict_link(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> FloatArray:
        """Return the linear predictor of rows, X beta + Z b + offset.

        Parameters
        ----------
        X, groups, include_random_effects, offset, exposure
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n,)
        """
        return self._predictor(
            X,
            groups=groups,
            include_random_effects=include_random_effects,
            average=False,
            offset=offset,
            exposure=exposure,
        ).mean

    def score(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> float:
        """Return D2, the share of the deviance that the predictions explain.

        D2 = 1 - D(y, predictions) / D(y, mean of y), with the deviance of the family at the
        estimated dispersion; that of the counts' family for zero inflation. For a gaussian family
        it is R2.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,), optional
            Not needed where a formula names it, as a column of X.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in the deviance.
        offset, exposure : array-like of shape (n,), optional
            As in fit.
        """
        model = self.fitted_model
        values = checked_response(model.observed(X, y))
        weights = row_weights(sample_weight, len(values))
        found = self._predictor(
            X,
            groups=groups,
            include_random_effects=None,
            average=self.average,
            offset=offset,
            exposure=exposure,
        )
        return explained_deviance(found.family, values, found.response(), found.extra, weights)

    def _predictor(self, X: Any, **switches: Any) -> NormalPredictor:
        """Return what is known of the linear predictor of rows."""
        return normal_predictor(self.fitted_model, X, **switches)


def explained_deviance(
    family: Family,
    y: FloatArray,
    mean: FloatArray,
    extra: tuple[FloatArray, ...],
    weights: FloatArray | None,
) -> float:
    """Return 1 - D(y, mean) / D(y, mean of y); as for R2, 1 or 0 where all y are equal."""
    if isinstance(family, ZeroInflated):
        return explained_deviance(family.family, y, mean, extra[:-1], weights)
    null = np.full_like(y, np.average(y, weights=weights))
    left, total = (
        float(np.average(family.deviance(y, at, extra), weights=weights)) for at in (mean, null)
    )
    if total == 0.0:
        return float(left == 0.0)
    return 1.0 - left / total
