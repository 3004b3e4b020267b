"""Means of the response, with intervals, predicted from a fitted generalised model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from skmixed.estimators.generalised import GeneralisedMixedModel
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.weights import row_weights
from skmixed.families.base import Family
from skmixed.families.positive import PositiveMean
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.prediction.predict import Kind

__all__ = ["ResponsePredictor", "explained_deviance"]

FloatArray = NDArray[np.float64]


class ResponsePredictor(RegressorMixin, GeneralisedMixedModel):
    """Predict responses, with and without random effects."""

    __metadata_request__predict: ClassVar = {
        "groups": True,
        "include_random_effects": True,
        "average": True,
        "return_std": True,
        "return_cov": True,
        "kind": True,
    }

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
        return_std: bool = False,
        return_cov: bool = False,
        kind: Kind = "observation",
        offset: Any = None,
        exposure: Any = None,
    ) -> Any:
        """Predict the mean of the response of rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            As in fit.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        include_random_effects : bool or list of str, optional
            Whether the groups' random effects are used, or of which factors; the default is the
            constructor's. The groups of a factor that is left out are as if not fitted.
        average : bool, optional
            Whether the mean is averaged over what is not known of the random effects; the default
            is the constructor's.
        return_std : bool, default=False
            Whether to return the standard deviation of what is predicted about the prediction too.
        return_cov : bool, default=False
            Whether to return the covariance of what is predicted about the predictions too.
        kind : {"observation", "mean", "population"}, default="observation"
            What the uncertainty is of; the prediction is the same. A new response; its mean in this
            very group; or the mean over the groups that are not known.
        offset, exposure : array-like of shape (n,), optional
            As in fit; by default an offset of 0, and an exposure of 1.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``

        Raises
        ------
        ValueError
            If random effects are asked for without labels, or both uncertainties at once.
        """
        return self.fitted_model.predict(
            X,
            groups=groups,
            include_random_effects=include_random_effects,
            average=average,
            return_std=return_std,
            return_cov=return_cov,
            kind=kind,
            offset=offset,
            exposure=exposure,
        )

    def predict_link(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        return_std: bool = False,
        kind: Kind = "mean",
        offset: Any = None,
        exposure: Any = None,
    ) -> Any:
        """Predict the linear predictor of rows, X beta + Z b + offset.

        Parameters
        ----------
        X, groups, include_random_effects, return_std, kind, offset, exposure
            As in ``predict``.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        """
        return self.fitted_model.predict(
            X,
            scale="link",
            groups=groups,
            include_random_effects=include_random_effects,
            return_std=return_std,
            kind=kind,
            offset=offset,
            exposure=exposure,
        )

    def predict_interval(
        self,
        X: Any,
        *,
        coverage: float = 0.95,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
        kind: Kind = "observation",
        offset: Any = None,
        exposure: Any = None,
        trials: Any = None,
    ) -> FloatArray:
        """Return limits that what is predicted keeps with the given probability.

        They are quantiles as of ``predict_quantiles``, with equal tails.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        coverage : float, default=0.95
            Probability, between 0 and 1.
        groups, include_random_effects, average, kind, offset, exposure
            As in ``predict``.
        trials : array-like of shape (n,), optional
            As in ``predict_quantiles``.

        Returns
        -------
        ndarray of shape (n, 2)
            Lower and upper limits.
        """
        return self.fitted_model.predict_interval(
            X,
            coverage=coverage,
            groups=groups,
            include_random_effects=include_random_effects,
            average=average,
            kind=kind,
            offset=offset,
            exposure=exposure,
            trials=trials,
        )

    def predict_quantiles(
        self,
        X: Any,
        *,
        quantiles: Sequence[float] | FloatArray = (0.05, 0.5, 0.95),
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
        kind: Kind = "observation",
        offset: Any = None,
        exposure: Any = None,
        trials: Any = None,
    ) -> FloatArray:
        """Return quantiles of what is predicted.

        Those of an observation are the quantiles of the family, averaged over the errors of the
        linear predictor. The uncertainty of the variances is not included.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        quantiles : sequence of float, default=(0.05, 0.5, 0.95)
            Probabilities, between 0 and 1.
        groups, include_random_effects, average, kind, offset, exposure
            As in ``predict``.
        trials : array-like of shape (n,), optional
            How many trials are behind a proportion of successes that is to be observed; 1 by
            default.

        Returns
        -------
        ndarray of shape (n, n_quantiles)
        """
        return self.fitted_model.predict_quantiles(
            X,
            quantiles=quantiles,
            groups=groups,
            include_random_effects=include_random_effects,
            average=average,
            kind=kind,
            offset=offset,
            exposure=exposure,
            trials=trials,
        )

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

        D2 = 1 - D(y, predictions) / D(y, mean of y), with the unit deviance of the family; of the
        counts' family for zero inflation. For a gaussian family it is R2.

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
        model: Any = self.fitted_model
        values = checked_response(model.observed(X, y))
        weights = row_weights(sample_weight, len(values))
        predicted = model.predict(X, groups=groups, offset=offset, exposure=exposure)
        rows, _ = model.read(X, None, False)
        extra = model.fit.extra_of_rows(rows.extra, len(rows.fixed))
        return explained_deviance(model.fit.family, values, predicted, extra, weights)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn which responses the family can have."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = isinstance(self._family(), PositiveMean | ZeroInflated)
        return tags


def explained_deviance(
    family: Family,
    y: FloatArray,
    mean: FloatArray,
    extra: tuple[FloatArray, ...],
    weights: FloatArray | None,
) -> float:
    """Return 1 - D(y, mean) / D(y, mean of y); as of R2, 1 or 0 where all y are equal."""
    if isinstance(family, ZeroInflated):
        return explained_deviance(family.family, y, mean, extra[:-1], weights)
    null = np.full_like(y, np.average(y, weights=weights))
    left, total = (
        float(np.average(family.deviance(y, at, extra), weights=weights)) for at in (mean, null)
    )
    if total == 0.0:
        return float(left == 0.0)
    return 1.0 - left / total
