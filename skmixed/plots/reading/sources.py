"""Read a fitted estimator, or results, with their rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.estimators.base import LinearMixedModel
from skmixed.estimators.formula_api import FormulaPredictor
from skmixed.estimators.mixed_lm import MixedLM
from skmixed.estimators.new_rows import read_new_rows
from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.pipelines import model_and_steps, transformed
from skmixed.plots.reading.table import as_table
from skmixed.results import MixedLMResults

__all__ = ["model_and_rows", "read_estimator"]


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
    model, steps = model_and_steps(estimator)
    position = _position(factor, [effects.name for effects in model.lmm_fit_.random])
    table = as_table(X, groups)
    columns = transformed(steps, table.columns)
    design, _ = read_new_rows(model, columns, groups, True, labels_needed=True)
    response = np.asarray(_observed(model, columns, y), dtype=np.float64).ravel()
    if len(response) != len(table):
        raise ValueError(
            f"X has {len(table):,} rows, but y has {len(response):,}. Pass the rows of fit."
        )
    rows = FittedRows(model, steps, table, design, response, model.results_.response_name, position)
    if complete:
        _check_complete(rows)
    return rows


def model_and_rows(results: MixedLMResults) -> tuple[LinearMixedModel, Any]:
    """Return the estimator behind the results of ``mixedlm``, and the data they keep.

    Parameters
    ----------
    results : MixedLMResults

    Raises
    ------
    TypeError
        If the results keep no rows.
    """
    if not isinstance(results.predictor, FormulaPredictor) or results.data is None:
        raise TypeError(
            "These results keep no rows of the data. Fit with mixedlm, which keeps them, or use "
            "from_estimator(estimator, X, y)."
        )
    return results.predictor.model, results.data


def _position(factor: str | None, names: list[str]) -> int:
    """Return the position of a factor."""
    if not names:
        raise ValueError("The model has no groups to show: it was fitted without any.")
    if factor is not None and factor not in names:
        raise ValueError(f"The model has no factor {factor!r}. Choose one of {names}.")
    return 0 if factor is None else names.index(factor)


def _observed(model: LinearMixedModel, columns: Any, y: Any) -> Any:
    """Return y, or the response that the formula names."""
    if y is not None:
        return y
    if not isinstance(model, MixedLM) or model.formula is None:
        raise ValueError("This display needs y, the observations of the rows of X. Pass it too.")
    return model.observed_response(columns)


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
