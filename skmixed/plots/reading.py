"""Read a fitted estimator, or results, with their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmixed.estimators.base import LinearMixedModel
from skmixed.estimators.formula_api import FormulaPredictor
from skmixed.plots.fitted_rows import FittedRows
from skmixed.plots.table import as_table
from skmixed.results import MixedLMResults

__all__ = ["read_estimator", "read_results"]


def read_estimator(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    factor: str | None = None,
    complete: bool = True,
) -> FittedRows:
    """Read a fitted estimator, or a pipeline that ends with one, and rows that it knows.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
    X, y, groups
        As given to its fit.
    factor : str, optional
        Grouping factor; the one of most levels by default.
    complete : bool, default=True
        Whether there must be rows of every group that was fitted, and of no other.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is none of skmixed's.
    ValueError
        If the model has no groups or no such factor, or X has rows of groups that it does not know.
    """
    model, transformer = estimator, None
    if isinstance(estimator, Pipeline):
        model, transformer = estimator[-1], estimator[:-1] if len(estimator) > 1 else None
    if not isinstance(model, LinearMixedModel):
        raise TypeError(
            f"This display shows linear mixed models, got {type(model).__name__}. Pass a fitted "
            "MixedLM or RandomInterceptRegressor, or a Pipeline that ends with one."
        )
    check_is_fitted(model)
    position = _position(factor, [effects.name for effects in model.lmm_fit_.random])
    table = as_table(X, groups)
    columns = table.columns if transformer is None else transformer.transform(table.columns)
    design, _ = model._new_rows(columns, groups, True, labels_needed=True)
    if y is None and getattr(model, "formula", None) is None:
        raise ValueError("This display needs y, the observations of the rows of X. Pass it too.")
    response = np.asarray(model._observed(columns, y), dtype=np.float64).ravel()
    if len(response) != len(table):
        raise ValueError(
            f"X has {len(table):,} rows, but y has {len(response):,}. Pass the rows of fit."
        )
    codes = design.blocks[position].codes
    n_levels = len(model.lmm_fit_.random[position].levels)
    if complete and (codes is None or len(np.unique(codes)) != n_levels or codes.max() >= n_levels):
        raise ValueError(
            "X must hold rows of every group that was fitted and of no other: pass the X, y and "
            f"groups of fit. The model knows {n_levels:,} levels of "
            f"{model.lmm_fit_.random[position].name!r}, these rows have "
            f"{0 if codes is None else len(np.unique(codes)):,}."
        )
    name = model.results_.response_name
    return FittedRows(model, transformer, table, design, response, name, position)


def read_results(results: MixedLMResults, *, factor: str | None = None) -> FittedRows:
    """Read the results of ``mixedlm``, which keep their rows.

    Parameters
    ----------
    results : MixedLMResults
    factor : str, optional
        Grouping factor; the one of most levels by default.

    Raises
    ------
    TypeError
        If the results keep no rows.
    ValueError
        If the model has no groups, or no such factor.
    """
    if not isinstance(results.predictor, FormulaPredictor) or results.data is None:
        raise TypeError(
            "These results keep no rows of the data. Fit with mixedlm, which keeps them, or use "
            "from_estimator(estimator, X, y)."
        )
    return read_estimator(results.predictor.model, results.data, None, factor=factor)


def _position(factor: str | None, names: list[str]) -> int:
    """Return the position of a factor."""
    if not names:
        raise ValueError("The model has no groups to show: it was fitted without any.")
    if factor is not None and factor not in names:
        raise ValueError(f"The model has no factor {factor!r}. Choose one of {names}.")
    return 0 if factor is None else names.index(factor)
