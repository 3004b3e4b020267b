"""Responses and columns as finite numbers, or a sentence on what they hold instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, check_array, column_or_1d

from skmixed.estimators.columns import has_columns
from skmixed.formula.values import holds_times, unmasked

__all__ = ["check_finite", "checked_response", "converted", "numeric_columns"]

FloatArray = NDArray[np.float64]


def checked_response(y: Any) -> FloatArray:
    """Return y as finite numbers, one per row; masked values are missing."""
    y = unmasked(y)
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype == np.float64 and len(y):
        check_finite(y, "y")
        return y
    values = column_or_1d(y, warn=True)
    if holds_times(values):
        raise ValueError(_times("y holds"))
    return check_array(values, ensure_2d=False, dtype=np.float64, input_name="y")


def check_finite(values: FloatArray, name: str) -> None:
    """Raise ValueError in scikit-learn's words if values hold NaN or infinity."""
    # Whatever is not finite spoils the sum; that of finite values may overflow, so look closer.
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    if not np.isfinite(total):
        assert_all_finite(values, input_name=name)


def numeric_columns(columns: Any, min_features: int = 0) -> FloatArray:
    """Return columns as finite numbers, or say which of them hold dates or text."""
    if columns.shape[1] == 0 and min_features == 0:
        return np.empty((len(columns), 0))
    return converted(
        columns,
        partial(
            check_array,
            columns,
            dtype=np.float64,
            ensure_min_features=min_features,
            input_name="X",
        ),
    )


def converted(columns: Any, convert: Callable[[], FloatArray]) -> FloatArray:
    """Return what a conversion of columns to numbers gives, or say which hold dates or text."""
    # Dates convert without an error, in a unit that depends on how they are stored.
    if any(_is_temporal(dtype) for dtype in _types(columns)):
        raise ValueError(_what_is_held(columns))
    try:
        return convert()
    except (TypeError, ValueError) as error:
        held = _what_is_held(columns)
        if not held or "NaN" in str(error) or "infinity" in str(error):
            raise
        raise ValueError(held) from error


def _what_is_held(columns: Any) -> str:
    """Say which columns hold something else than numbers; empty where it cannot be said."""
    if not has_columns(columns):
        array = isinstance(columns, np.ndarray) and columns.ndim == 2
        times = array and any(holds_times(column) for column in columns.T)
        return _times("X holds") if times else ""
    held = {name: np.asarray(columns[name]) for name in columns.columns}
    dated = [str(name) for name, values in held.items() if holds_times(values)]
    if dated:
        return _times(f"The columns {dated} of X hold")
    text = [str(name) for name, values in held.items() if not _is_numeric(values)]
    if not text:
        return ""
    return (
        f"The columns {text} of X hold text, which cannot be fixed effects as they are. Encode "
        "them with OneHotEncoder(drop='first') in a ColumnTransformer, use the formula "
        "interface, or name the column of labels in groups=."
    )


def _times(subject: str) -> str:
    """Say that numbers were expected where there are dates or times, and how to get them."""
    return (
        f"{subject} dates or times, which have no natural unit: expected numbers. Convert them "
        "first, for instance dates by (t - t.min()) / pandas.Timedelta('1D') and durations by "
        "t / pandas.Timedelta('1D')."
    )


def _types(columns: Any) -> list[Any]:
    """Return the types of the columns of a data frame, or that of an array."""
    if has_columns(columns):
        return list(getattr(columns, "dtypes", ()))
    return [columns.dtype] if hasattr(columns, "dtype") else []


def _is_temporal(dtype: Any) -> bool:
    """Tell whether a type of NumPy, pandas or polars is one of dates, times or durations."""
    if hasattr(dtype, "is_temporal"):
        return bool(dtype.is_temporal())
    return getattr(dtype, "kind", None) in ("m", "M")


def _is_numeric(values: np.ndarray) -> bool:
    """Tell whether values convert to numbers."""
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
