"""Read a fitted estimator, or results, with their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skmixed.estimators.base import MixedModel
from skmixed.inference.inputs import with_rows
from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.table import as_table, transformed
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results import MixedLMResults

__all__ = ["fitted_to", "model_and_rows", "model_and_steps", "read_estimator"]


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


def read_estimator(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    factor: str | None = None,
    complete: bool = True,
) -> FittedRows:
    """Read a fitted estimator, or a pipeline that ends with one, and rows that it knows.

    Where it is to be complete, there must be rows of every group that was fitted, and of no other.
    """
    estimator, steps = model_and_steps(estimator)
    model: FittedModel = estimator.fitted_model
    position = _position(factor, [effects.name for effects in model.fit.random])
    table = as_table(X, groups)
    columns = transformed(steps, table.columns)
    design, _ = model.read(columns, groups, True, labels_needed=True)
    response = np.asarray(_observed(model, columns, y), dtype=np.float64).ravel()
    if len(response) != len(table):
        raise ValueError(
            f"X has {len(table):,} rows, but y has {len(response):,}. Pass the rows of fit."
        )
    rows = FittedRows(model, steps, table, design, response, position)
    if complete:
        _check_complete(rows)
    return rows


def model_and_rows(results: MixedLMResults) -> tuple[FittedModel, Any]:
    """Return the fitted model of results, and the data they keep."""
    if results.data is None:
        raise TypeError(
            "These results keep no rows of the data. Fit with mixedlm, which keeps them, or use "
            "from_estimator(estimator, X, y)."
        )
    return results.fitted_model, results.data


def _position(factor: str | None, names: list[str]) -> int:
    """Return the position of a factor."""
    if not names:
        raise ValueError("The model has no groups to show: it was fitted without any.")
    if factor is not None and factor not in names:
        raise ValueError(f"The model has no factor {factor!r}. Choose one of {names}.")
    return 0 if factor is None else names.index(factor)


def _observed(model: FittedModel, columns: Any, y: Any) -> Any:
    """Return y, or the response that the formula names."""
    if y is None and model.recipe is None:
        raise ValueError("This display needs y, the observations of the rows of X. Pass it too.")
    return model.observed(columns, y)


def _check_complete(rows: FittedRows) -> None:
    """Raise ValueError unless each level has rows, and no row is of another one."""
    codes, n_levels = rows.design.blocks[rows.position].codes, len(rows.labels)
    present = 0 if codes is None else len(np.unique(codes))
    if codes is None or present != n_levels or codes.max() >= n_levels:
        raise ValueError(
            "X must hold rows of every group that was fitted and of no other: pass the X, y and "
            f"groups of fit. The model knows {n_levels:,} levels of {rows.factor!r}, these rows "
            f"have {present:,}."
        )
