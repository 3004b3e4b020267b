"""Arguments of the formula functions that may name columns of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.rows import take_rows
from skmixed.estimators.formula_input import check_data
from skmixed.formula import ParsedFormula, columns_of, rows_with_missing
from skmixed.formula.columns import column_names, find_column, n_rows, unknown_name
from skmixed.formula.parse import with_random_term
from skmixed.formula.values import unmasked
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows

__all__ = ["fitted_to_data", "formula_and_data", "incomplete_rows", "values_or_column"]


def values_or_column(data: Any, given: Any, argument: str) -> Any:
    """Return what an argument gives, or the column of data that it names."""
    if isinstance(given, str):
        _require_column(given, data, argument)
        return find_column(data, given)
    if given is not None and not isinstance(given, Mapping):
        _require_length(given, data, argument)
    return unmasked(given)


def formula_and_data(
    formula: str, data: Any, groups: Any, re_formula: str | None, missing: str
) -> tuple[str, Any]:
    """Check the data, and write statsmodels' arguments as a bar of the formula."""
    check_data(data)
    if missing not in ("raise", "drop"):
        raise ValueError(f"missing must be 'raise' or 'drop', got {missing!r}.")
    if groups is None:
        if re_formula is not None:
            raise ValueError(
                f"re_formula={re_formula!r} needs groups=, the column of labels; or write "
                f"'({re_formula.lstrip('~ ')} | g)' into the formula."
            )
        return formula, data
    if isinstance(groups, str):
        is_column = groups in column_names(data)
        if not is_column and not set(groups) & set("/:()`"):
            _require_column(groups, data, "groups")
        return with_random_term(formula, re_formula, groups, is_column=is_column), data
    _require_length(groups, data, "groups")
    columns = dict(data) if isinstance(data, Mapping) else {c: data[c] for c in data.columns}
    text = with_random_term(formula, re_formula, "groups", is_column=True)
    return text, {**columns, "groups": groups}


def fitted_to_data(
    estimator: Any,
    parsed: ParsedFormula,
    data: Any,
    given: dict[str, Any],
    *,
    environment: Mapping[str, Any],
    drop: bool,
    others: Sequence[Any],
) -> FittedModel:
    """Fit an estimator to the rows of data, and keep them with the fit.

    Parameters
    ----------
    given : dict of str to array-like of shape (n,)
        Values beside the data, by argument; weights of groups may be a mapping of labels.
    drop : bool
        Whether rows are left out that miss one of these, or of the columns that the fit reads:
        those of the formula, and ``others``.
    """
    rows, used = data, given
    if drop:
        by_row = {name: values for name, values in given.items() if name != "group_weights"}
        keep = ~incomplete_rows(parsed, data, environment, by_row, others)
        if not keep.all():
            rows = take_rows(data, keep)
            used = {
                name: values
                if values is None or isinstance(values, Mapping)
                else np.asarray(values)[keep]
                for name, values in given.items()
            }
    names = {"weights": "sample_weight", "group_weights": "group_weight"}
    values = {names.get(name, name): values for name, values in used.items()}
    model = estimator.formula_model(parsed, rows, environment=environment, **values)
    fitted = estimator.fit_model(model).fitted_model
    kept = KeptRows(model, rows, data, given["weights"])
    return replace(fitted, rows=kept, skip_missing=drop)


def incomplete_rows(
    parsed: ParsedFormula,
    data: Any,
    environment: Mapping[str, Any],
    given: Mapping[str, Any],
    others: Sequence[Any] = (),
) -> NDArray[np.bool_]:
    """Tell which rows miss a value that the fit needs; it is an error if all do.

    Parameters
    ----------
    given : mapping of str to array-like of shape (n,)
        Values beside the data, by argument: weights, offsets; None where there are none.
    others : sequence, optional
        Further columns of the data that the fit needs.
    """
    predictors, response = columns_of(parsed, data, environment=environment)
    missing = {name: rows_with_missing(data, [name]) for name in (*predictors, *response, *others)}
    for argument, values in given.items():
        if values is not None:
            # The formula may have a column of the argument's name.
            missing[argument] = missing.get(argument, False) | np.asarray(pd.isna(values))
    incomplete = np.any([np.zeros(n_rows(data), dtype=bool), *missing.values()], axis=0)
    if len(incomplete) and incomplete.all():
        counts = {name: int(rows.sum()) for name, rows in missing.items() if rows.any()}
        raise ValueError(
            f"missing='drop' leaves none of the {len(incomplete)} rows: values are missing in "
            f"{counts}. Fill these in, or leave them out of the formula."
        )
    return incomplete


def _require_column(name: str, data: Any, argument: str) -> None:
    """Raise ValueError if the data have no column of that name."""
    names = column_names(data)
    if name not in names:
        raise ValueError(f"{argument}={unknown_name(name, names, 'a column of the data')}")


def _require_length(values: Any, data: Any, argument: str) -> None:
    """Raise ValueError unless there is one value for each row of the data."""
    n, n_given = n_rows(data), len(values) if hasattr(values, "__len__") else None
    if n_given != n:
        got = repr(values) if n_given is None else f"{n_given} values"
        raise ValueError(
            f"{argument} must name a column of the data, or give one value for each of its {n} "
            f"rows; got {got}."
        )
