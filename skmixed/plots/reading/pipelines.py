"""Fitted mixed models, alone or at the end of a pipeline."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmixed.estimators.base import MixedModel
from skmixed.inference.inputs import with_rows
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["fitted_to", "model_and_steps", "transformed"]


def model_and_steps(estimator: Any) -> tuple[Any, Pipeline | None]:
    """Return the fitted model that a pipeline ends with, and the steps before it."""
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


def fitted_to(estimator: Any, X: Any, y: Any, **given: Any) -> FittedModel:
    """Return the model of an estimator with what it was fitted to, which diagnostics read."""
    model, steps = model_and_steps(estimator)
    given = {name: values for name, values in given.items() if values is not None}
    return with_rows(model, transformed(steps, X), y, **given)


def transformed(steps: Pipeline | None, X: Any) -> Any:
    """Return columns as the model after some steps, if there are any, knows them."""
    return X if steps is None else steps.transform(X)
