"""What the functions of inference accept as a fitted model."""

from __future__ import annotations

from typing import Any

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel

__all__ = ["fit_of", "model_of"]


def fit_of(fitted: Any) -> LMMFit:
    """Return the fit of an estimator, of results, or itself.

    Parameters
    ----------
    fitted : estimator, MixedLMResults or LMMFit

    Raises
    ------
    TypeError
        If it is no fitted linear mixed model.
    """
    for found in (fitted, getattr(fitted, "fit", None), getattr(fitted, "lmm_fit_", None)):
        if isinstance(found, LMMFit):
            return found
    raise TypeError(
        f"Expected a fitted linear mixed model, got {type(fitted).__name__}. Pass the results of "
        "mixedlm, or an estimator after fit."
    )


def model_of(fitted: Any) -> LMMModel:
    """Return the model with its rows, which refits start from.

    Parameters
    ----------
    fitted : MixedLMResults or LMMModel

    Raises
    ------
    TypeError
        If it keeps no rows.
    """
    for found in (fitted, getattr(fitted, "model", None)):
        if isinstance(found, LMMModel):
            return found
    raise TypeError(
        f"This needs the rows of the data, which {type(fitted).__name__} does not keep. Fit with "
        "mixedlm, or pass estimator.training_model(X, y)."
    )
