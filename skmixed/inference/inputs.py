"""What the functions of inference accept as a fitted model: there is no other way in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows

__all__ = ["fit_of", "fitted_model_of", "model_of", "refitted_like", "rows_of", "with_rows"]

FIT_WITH_ROWS = "Fit with mixedlm or mixedglm, or pass estimator.training_model(X, y)."


def fitted_model_of(fitted: Any) -> FittedModel:
    """Return the fitted model that something has.

    Parameters
    ----------
    fitted : MixedLMResults, estimator, FittedModel, LMMFit or LMMModel
        An LMMModel is fitted.

    Raises
    ------
    TypeError
        If it is no fitted mixed model.
    """
    if isinstance(fitted, LMMFit):
        return FittedModel(fitted)
    if isinstance(fitted, LMMModel | GLMMModel):
        return FittedModel(fitted.fit(), rows=KeptRows(fitted))
    found = getattr(fitted, "fitted_model", None)
    if not isinstance(found, FittedModel):
        raise TypeError(
            f"Expected a fitted mixed model, got {type(fitted).__name__}. Pass the results of "
            "mixedlm or mixedglm, or an estimator after fit."
        )
    return found


def fit_of(fitted: Any) -> LMMFit:
    """Return the fit of what ``fitted_model_of`` accepts."""
    return fitted_model_of(fitted).fit


def rows_of(fitted: Any, remedy: str = FIT_WITH_ROWS) -> KeptRows:
    """Return the rows of what ``fitted_model_of`` accepts; an LMMModel is not fitted for it.

    Parameters
    ----------
    remedy : str
        What the user can do where there are none.

    Raises
    ------
    TypeError
        If no rows are kept.
    """
    unfitted = isinstance(fitted, LMMModel | GLMMModel)
    rows = KeptRows(fitted) if unfitted else fitted_model_of(fitted).rows
    if rows is None:
        raise TypeError(
            f"This needs the rows of the data, which {type(fitted).__name__} does not keep. "
            f"{remedy}"
        )
    return rows


def model_of(fitted: Any) -> LMMModel:
    """Return the model with its rows, which refits start from.

    Raises
    ------
    TypeError
        If it keeps no rows.
    """
    return rows_of(fitted).model


def with_rows(fitted: Any, X: Any, y: Any, **arguments: Any) -> FittedModel:
    """Return the fitted model of an estimator with the rows that it was fitted to.

    Parameters
    ----------
    X, y, **arguments
        What its ``fit`` was given.

    Raises
    ------
    TypeError
        If it is no estimator.
    """
    found = fitted_model_of(fitted)
    if not hasattr(fitted, "training_model"):
        raise TypeError(
            f"X and y belong to an estimator, and got {type(fitted).__name__} with them. Results "
            "of mixedlm keep their rows: pass them alone, and a grouping factor as factor='g'."
        )
    return replace(found, rows=KeptRows(fitted.training_model(X, y, **arguments), X, X))


def refitted_like(fitted: Any, fit: LMMFit, model: LMMModel | GLMMModel) -> Any:
    """Return another fit as the kind of object that the user gave: results for results.

    Parameters
    ----------
    fitted : MixedLMResults, FittedModel or LMMModel
        A mere LMMModel gives the fit itself.
    model : LMMModel
        What was fitted.
    """
    if isinstance(fitted, LMMModel | GLMMModel):
        return fit
    found = fitted_model_of(fitted).refitted(fit, model)
    return found if isinstance(fitted, FittedModel) else replace(fitted, fitted_model=found)
