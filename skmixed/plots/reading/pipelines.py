"""Fitted mixed models, alone or at the end of a pipeline."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmixed.estimators.base import MixedModel
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["model_and_columns", "model_and_steps", "transformed"]


def model_and_steps(estimator: Any) -> tuple[Any, Pipeline | None]:
    """Return the fitted model that a pipeline ends with, and the steps before it.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If it is none of skmixed's.
    """
    model, steps = estimator, None
    if isinstance(estimator, Pipeline):
        model, steps = estimator[-1], estimator[:-1] if len(estimator) > 1 else None
    if isinstance(model, FittedModel):
        return model, None
    if not isinstance(model, MixedModel):
        raise TypeError(
            f"This display shows mixed models, got {type(model).__name__}. Pass a fitted MixedLM, "
            "MixedGLM or MixedLogisticRegression, or a Pipeline that ends with one."
        )
    check_is_fitted(model)
    return model, steps


def model_and_columns(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return the fitted model that a pipeline ends with, and X as the model knows it.

    Raises
    ------
    NotFittedError, TypeError
        As ``model_and_steps``.
    """
    model, steps = model_and_steps(estimator)
    return model, transformed(steps, X)


def transformed(steps: Pipeline | None, X: Any) -> Any:
    """Return columns as the model after some steps, if there are any, knows them."""
    return X if steps is None else steps.transform(X)
