"""What arrays hold: numbers, one per row, or masks, dates and times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["TIMES_OF_OBJECTS", "holds_times", "row_numbers", "unmasked"]

TIMES_OF_OBJECTS = ("datetime", "datetime64", "date", "timedelta", "timedelta64")
"""What pandas calls objects that convert to an array of dates or durations."""


def unmasked(values: Any) -> Any:
    """Return a masked array as a plain one, what is masked missing; others as they are."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return values.data
    # Whole numbers stay exact, as the labels of groups must: they become objects.
    kind = values.dtype.kind
    plain = np.array(values.data, dtype=None if kind in "fmM" else object)
    plain[np.ma.getmaskarray(values)] = {"f": np.nan, "m": "NaT", "M": "NaT"}.get(kind)
    return plain


def holds_times(values: np.ndarray) -> bool:
    """Tell whether an array holds dates, times of the day, periods or durations."""
    if values.dtype.kind == "O":
        kind = pd.api.types.infer_dtype(values.ravel(), skipna=True)
        return kind in (*TIMES_OF_OBJECTS, "time", "period")
    return values.dtype.kind in "mM"


def row_numbers(values: Any, code: str, n: int) -> np.ndarray:
    """Return the values of a response or of an offset as one number per row.

    ``n``: how many rows there are; a single number is that of every row.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{code!r} holds categories: expected numbers, as responses, offsets and exposures "
            "are. Convert it to numbers first."
        )
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim == 0:
        return np.full(n, float(array))
    if array.shape != (n,):
        raise ValueError(
            f"{code!r} gives an array of shape {array.shape} for {n} rows: expected one number per "
            "row."
        )
    return array.astype(np.float64, copy=False)
