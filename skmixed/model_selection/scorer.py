"""A scorer that brings the groups to predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.metrics import r2_score
from sklearn.utils.metadata_routing import UNUSED

__all__ = ["GroupScorer"]

RESPONSE_METHODS = ("predict", "predict_proba", "decision_function")


class GroupScorer(BaseEstimator):
    """Score predictions that were made with the labels of the test rows.

    scikit-learn's own metric scorers call ``predict(X)`` without labels (scikit-learn issue
    27977), so that labels which are given as an array never reach it. This one routes ``groups``.

    Parameters
    ----------
    metric : callable, default=r2_score
        ``metric(y_true, y_pred)``, larger is better unless ``greater_is_better`` is False; called
        with ``sample_weight`` too if that is routed.
    include_random_effects : bool, optional
        Passed to predict: False scores population predictions. The default leaves it to the
        estimator.
    response_method : {"predict", "predict_proba", "decision_function"}, default="predict"
        What the metric gets: of two classes, ``"predict_proba"`` gives the probability of the
        second. Log loss, Brier score and area under the ROC curve need it.
    greater_is_better : bool, default=True
        Whether a larger metric is better; else its sign is turned.

    Examples
    --------
    >>> import sklearn
    >>> from sklearn.model_selection import KFold, cross_validate
    >>> from skmixed import GroupScorer, RandomInterceptRegressor
    >>> from skmixed.datasets import make_mixed_regression
    >>> X, y, groups = make_mixed_regression(random_state=0)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scores = cross_validate(
    ...         RandomInterceptRegressor().set_fit_request(groups=True),
    ...         X,
    ...         y,
    ...         cv=KFold(5, shuffle=True, random_state=0),
    ...         params={"groups": groups},
    ...         scoring={"known": GroupScorer(), "new": GroupScorer(include_random_effects=False)},
    ...     )
    >>> bool(scores["test_known"].mean() > scores["test_new"].mean())
    True
    """

    __metadata_request__score: ClassVar = {"estimator": UNUSED, "groups": True}

    def __init__(
        self,
        metric: Callable[..., float] = r2_score,
        *,
        include_random_effects: bool | None = None,
        response_method: str = "predict",
        greater_is_better: bool = True,
    ) -> None:
        self.metric = metric
        self.include_random_effects = include_random_effects
        self.response_method = response_method
        self.greater_is_better = greater_is_better

    def __call__(self, estimator: Any, X: Any, y: Any, **metadata: Any) -> float:
        """Return the score; the same as ``score``."""
        return self.score(estimator, X, y, **metadata)

    def score(
        self, estimator: Any, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None
    ) -> float:
        """Return the metric of the estimator's predictions.

        Parameters
        ----------
        estimator : object
            A fitted estimator, or a pipeline that ends in one.
        X : array-like of shape (n, n_features)
        y : array-like of shape (n,)
        groups : array-like of shape (n,), optional
            Labels of the rows.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows in the metric.
        """
        switches: dict[str, Any] = {}
        if groups is not None:
            switches["groups"] = groups
        if self.include_random_effects is not None:
            switches["include_random_effects"] = self.include_random_effects
        predicted = self._predicted(estimator, X, switches)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        value = self.metric(y, predicted, **weights)
        return value if self.greater_is_better else -value

    def _predicted(self, estimator: Any, X: Any, switches: dict[str, Any]) -> Any:
        """Return what the metric compares with the response."""
        if self.response_method not in RESPONSE_METHODS:
            raise ValueError(
                f"response_method must be one of {RESPONSE_METHODS}, got {self.response_method!r}."
            )
        found = getattr(estimator, self.response_method)(X, **switches)
        binary = self.response_method == "predict_proba" and found.shape[1] == 2
        return found[:, 1] if binary else found

    def _accept_sample_weight(self) -> bool:
        """Tell scikit-learn that weights may come without routing."""
        return True
