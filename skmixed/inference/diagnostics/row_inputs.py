"""What the diagnostics accept: a fit that keeps its rows, or a fit and its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.inputs import fit_of, rows_of, with_rows

__all__ = ["family_rows", "fitted_rows", "training_rows"]

PASS_ROWS = "Pass what it was fitted to: (estimator, X, y), or fit with mixedlm."


def training_rows(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> TrainingRows:
    """Return a linear fit with its rows; an estimator's are X, y and what else fit was given."""
    fit_of(fitted).require_gaussian(
        "This diagnostic", "use residuals with kind='pearson' or 'deviance', or quantile_residuals"
    )
    return TrainingRows(*_rows_of_fit(fitted, X, y, arguments))


def family_rows(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> FamilyRows | None:
    """Return a generalised fit with its rows, None for a linear one."""
    if not isinstance(fit_of(fitted), GLMMFit):
        return None
    return FamilyRows(*_rows_of_fit(fitted, X, y, arguments))


def fitted_rows(
    fitted: Any, X: Any = None, y: Any = None, **arguments: Any
) -> TrainingRows | FamilyRows:
    """Return a fit with its rows, of whichever model it is."""
    rows = family_rows(fitted, X, y, **arguments)
    return training_rows(fitted, X, y, **arguments) if rows is None else rows


def _rows_of_fit(
    fitted: Any, X: Any, y: Any, arguments: Mapping[str, Any]
) -> tuple[Any, Any, pd.Index, Any]:
    """Return a fit, its model, the index of the rows, and their columns if they have names."""
    if X is not None:
        fitted = with_rows(fitted, X, y, **arguments)
    fit, rows = fit_of(fitted), rows_of(fitted, PASS_ROWS)
    _check_rows(fit, rows.model)
    n_rows = rows.model.design.n_rows
    index = getattr(rows.data, "index", None)
    if not (isinstance(index, pd.Index) and len(index) == n_rows):
        index = pd.RangeIndex(n_rows)
    return fit, rows.model, index, rows.data if hasattr(rows.data, "keys") else None


def _check_rows(fit: LMMFit, model: LMMModel | GLMMModel) -> None:
    """Raise ValueError if a fit cannot have come from a model."""
    design = model.design
    n_rows = design.count
    sizes = [factor.sizes for factor in design.factors]
    fitted_sizes = [effects.sizes for effects in fit.random]
    same = (
        design.coefficient_names == fit.fixed.names
        and math.isclose(n_rows, fit.n_rows)
        and len(sizes) == len(fitted_sizes)
        and all(map(np.array_equal, sizes, fitted_sizes))
        and _residual_names(fit) == _residual_names(model)
    )
    if not same:
        raise ValueError(
            f"X is not what the model was fitted to: expected the same columns, groups and "
            f"{fit.n_rows:g} rows, got {n_rows:g} rows. Diagnostics are of the training rows; pass "
            "X, y, groups and weights as to fit."
        )


def _residual_names(of: LMMFit | LMMModel | GLMMModel) -> list[str] | None:
    """Name the parameters of the residual structure, None without one."""
    return None if of.residual is None else of.residual.learned.names
