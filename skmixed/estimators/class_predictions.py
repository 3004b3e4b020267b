"""Classes and their probabilities, predicted from a fitted binomial model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from skmixed.estimators.generalised import GeneralisedMixedModel
from skmixed.formula.values import unmasked

__all__ = ["ClassPredictor"]

FloatArray = NDArray[np.float64]
SWITCHES = {"groups": True, "include_random_effects": True, "average": True}


class ClassPredictor(ClassifierMixin, GeneralisedMixedModel):
    """Predict classes, with and without random effects."""

    __metadata_request__predict: ClassVar = SWITCHES
    __metadata_request__predict_proba: ClassVar = SWITCHES
    __metadata_request__predict_log_proba: ClassVar = SWITCHES
    __metadata_request__decision_function: ClassVar = SWITCHES

    classes_: NDArray[Any]

    def predict(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
    ) -> NDArray[Any]:
        """Predict the class of rows: the one whose probability is above one half.

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
            Whether probabilities are averaged over what is not known of the random effects; the
            default is the constructor's.

        Returns
        -------
        ndarray of shape (n,)
            Of the type of ``classes_``.
        """
        found = self.predict_proba(
            X, groups=groups, include_random_effects=include_random_effects, average=average
        )
        return self.classes_[(found[:, 1] > 0.5).astype(np.intp)]

    def predict_proba(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
    ) -> FloatArray:
        """Return the probabilities of the two classes.

        Parameters
        ----------
        X, groups, include_random_effects, average
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, 2)
            In the order of ``classes_``.
        """
        return np.exp(
            self.predict_log_proba(
                X, groups=groups, include_random_effects=include_random_effects, average=average
            )
        )

    def predict_log_proba(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
    ) -> FloatArray:
        """Return the logarithms of the probabilities of the two classes.

        They are accurate however near to 0 or 1 a probability is.

        Parameters
        ----------
        X, groups, include_random_effects, average
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n, 2)
            In the order of ``classes_``.
        """
        return self.fitted_model.predict_probabilities(
            X,
            logarithm=True,
            groups=groups,
            include_random_effects=include_random_effects,
            average=average,
        )

    def decision_function(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
        average: bool | None = None,
    ) -> FloatArray:
        """Return the log odds of the second class, which are positive where it is predicted.

        They are those of the probability that ``predict_proba`` returns, whatever the link:
        ``predict_link`` returns the linear predictor.

        Parameters
        ----------
        X, groups, include_random_effects, average
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n,)
        """
        found = self.predict_log_proba(
            X, groups=groups, include_random_effects=include_random_effects, average=average
        )
        return found[:, 1] - found[:, 0]

    def predict_link(
        self,
        X: Any,
        *,
        groups: Any = None,
        include_random_effects: bool | Sequence[str] | None = None,
    ) -> FloatArray:
        """Return the linear predictor of rows, X beta + Z b.

        Parameters
        ----------
        X, groups, include_random_effects
            As in ``predict``.

        Returns
        -------
        ndarray of shape (n,)
        """
        return self.fitted_model.predict(
            X, groups=groups, include_random_effects=include_random_effects, scale="link"
        )

    def score(
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> float:
        """Return the share of rows whose class is predicted.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
        y : array-like of shape (n,), optional
            Not needed where a formula names it, as a column of X.
        groups : array-like of shape (n,), optional
            Labels of the rows, if fit got them as an array.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in the share.
        """
        predicted = self.predict(X, groups=groups)
        return float(
            accuracy_score(self.observed_response(X, y), predicted, sample_weight=sample_weight)
        )

    def observed_response(self, X: Any, y: Any = None) -> Any:
        """Return the classes of rows: y, or what the formula finds in X, shape (n,)."""
        if y is not None:
            return unmasked(y)
        return self.classes_[self.fitted_model.observed(X).astype(np.intp)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there are two classes, and which scores it may expect."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        # The checks give features alone: one that is taken for labels predicts nothing.
        tags.classifier_tags.poor_score = self._groups_are_columns()
        return tags
