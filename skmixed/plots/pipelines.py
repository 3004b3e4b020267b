"""Pipelines that end with a mixed model."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["model_and_columns"]


def model_and_columns(estimator: Any, X: Any = None) -> tuple[Any, Any]:
    """Return the fitted model that a pipeline ends with, and X as the model knows it.

    Parameters
    ----------
    estimator : fitted estimator, or Pipeline that ends with one
    X : array-like of shape (n, n_columns), optional

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    """
    check_is_fitted(estimator)
    if not isinstance(estimator, Pipeline):
        return estimator, X
    return estimator[-1], None if X is None else estimator[:-1].transform(X)
