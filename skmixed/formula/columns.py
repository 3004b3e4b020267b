"""Read columns of a data frame, of whatever library, as arrays that patsy understands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd

from skmixed.formula.categories import recode, to_categorical
from skmixed.formula.identifiers import same_name
from skmixed.formula.tables import require_table
from skmixed.formula.values import TIMES_OF_OBJECTS, unmasked
from skmixed.saving.labels import PlainLabels

__all__ = [
    "Columns",
    "column_names",
    "find_column",
    "levels_of",
    "n_rows",
    "read_columns",
    "rows_with_missing",
    "unknown_name",
]

Columns: TypeAlias = dict[str, "np.ndarray | pd.Categorical"]
"""Columns by name: float64, bool or datetime64 arrays, and categoricals."""

_NUMBERS_OF_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal", "empty")


def rows_with_missing(data: Any, columns: Iterable[str]) -> np.ndarray:
    """Find the rows in which any of the named columns is missing."""
    missing = np.zeros(n_rows(data), dtype=bool)
    for name in columns:
        column = _column(data, name)
        # The own test of pandas for missing values is the fastest.
        is_pandas = isinstance(column, (pd.Series, pd.Index))
        is_missing = np.asarray(pd.isna(column if is_pandas else _to_array(column)))
        missing |= is_missing if is_missing.ndim == 1 else is_missing.any(axis=1)
    return missing


def read_columns(
    data: Any, names: Iterable[str], levels: Mapping[str, PlainLabels] | None = None
) -> Columns:
    """Read the named columns as arrays; numbers become float64, without a copy if they are.

    The arrays cannot be written to, so that no expression changes the user's data.
    """
    columns = {name: _read_column(data, name, levels) for name in names}
    for name, values in columns.items():
        if isinstance(values, np.ndarray):
            columns[name] = values.view()
            columns[name].flags.writeable = False
    return columns


def levels_of(columns: Columns) -> dict[str, PlainLabels]:
    """Return the levels of the columns that hold categories."""
    return {
        name: PlainLabels(values.categories)
        for name, values in columns.items()
        if isinstance(values, pd.Categorical)
    }


def column_names(data: Any) -> list[Any]:
    """Return the names of all columns."""
    if isinstance(data, Mapping):
        return list(data)
    require_table(data, "data")
    if hasattr(data, "columns"):
        return list(data.columns)
    raise TypeError(
        f"The data of a formula is a data frame (pandas, polars) or a mapping of columns; got "
        f"{type(data).__name__}. Convert it to one of these."
    )


def n_rows(data: Any) -> int:
    """Return the number of rows."""
    if not isinstance(data, Mapping):
        return len(data)
    lengths = {name: len(column) for name, column in data.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"The columns of the data differ in length: {lengths}.")
    return next(iter(lengths.values()), 0)


def unknown_name(name: str, names: Iterable[Any], what: str) -> str:
    """Say that a formula names something that is not there, and what is there."""
    columns = [str(column) for column in names]
    dotted = [column for column in columns if column.startswith(f"{name}.")]
    close = difflib.get_close_matches(name, columns, n=1)
    if dotted:
        hint = f" A name with dots is written in backticks: `{dotted[0]}`."
    else:
        hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{name!r} is not {what}; the columns are {columns}.{hint}"


def _read_column(data: Any, name: str, levels: Mapping[str, PlainLabels] | None) -> Any:
    """Read one column, naming it where it cannot be read."""
    column = _column(data, name)
    try:
        if levels is not None and name in levels:
            return recode(_read(column), levels[name].index)
        values = _read(column)
        if not isinstance(values, pd.Categorical):
            return values
        categorical = to_categorical(values)
        if levels is not None:
            raise ValueError("holds categories, but was numeric in training")
        return categorical
    except (ValueError, TypeError) as error:
        raise ValueError(f"The column {name!r} of the data {error}.") from error


def find_column(data: Any, name: str) -> Any:
    """Return the one column of that name, as the data hold it."""
    try:
        column = data[name]
    except Exception as error:
        names = column_names(data)
        if name in names:
            raise
        same = same_name(name, names)
        if same is None:
            raise ValueError(unknown_name(name, names, "a column of the data")) from error
        column = data[same]
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"The data have {column.shape[1]} columns named {name!r}: expected one.")
    return column


def _column(data: Any, name: str) -> Any:
    """Return one column as an array or series."""
    column = find_column(data, name)
    return column if hasattr(column, "dtype") else pd.Series(column)


def _read(column: Any) -> np.ndarray | pd.Categorical:
    """Convert one column to a float64, bool or datetime64 array, or to a categorical."""
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Categorical(column)
    if isinstance(dtype, pd.StringDtype):
        return pd.Categorical(column.array)
    values = _to_array(column)
    if values.dtype.kind in "iuf":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind in "bmM":
        return values
    if values.dtype.kind == "O":
        typed = _from_objects(values)
        if isinstance(typed, pd.Categorical) and str(dtype).startswith("Enum"):
            # Polars orders the levels of this type.
            typed = typed.set_categories(list(cast(Any, dtype).categories))
        return typed
    if values.dtype.kind in "UST":
        return pd.Categorical(values.astype(object))
    raise ValueError(f"has the type {values.dtype}, which is neither a number nor a category")


def _to_array(column: Any) -> np.ndarray:
    """Return a column as a NumPy array, numbers with NaN where they are missing."""
    column = unmasked(column)
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        if isinstance(dtype, pd.DatetimeTZDtype):
            return np.asarray(column.to_numpy(dtype="datetime64[ns]"))
        return np.asarray(column.to_numpy())
    if hasattr(column, "to_numpy"):
        return np.asarray(column.to_numpy())
    return np.asarray(column)


def _from_objects(values: np.ndarray) -> np.ndarray | pd.Categorical:
    """Convert an array of objects by what it holds."""
    if values.ndim != 1:
        raise ValueError(f"has {values.ndim} dimensions: expected one, or numbers in two")
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in _NUMBERS_OF_OBJECTS:
        return np.asarray(pd.Series(values).astype("object").where(pd.notna(values), np.nan), float)
    if kind in TIMES_OF_OBJECTS:
        return np.asarray(pd.Series(values).infer_objects().to_numpy())
    if kind == "boolean" and not pd.isna(values).any():
        return values.astype(bool)
    return pd.Categorical(values)
