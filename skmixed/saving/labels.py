"""Labels as NumPy arrays: what a saved model holds in place of an index of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["PlainLabels"]


class PlainLabels:
    """Hold an index of labels, and save it as NumPy arrays and the names of their types.

    pandas may keep labels in buffers of pyarrow, which skops does not read and which another
    process may not have.

    Attributes
    ----------
    index : pandas.Index
        A MultiIndex for combinations of labels.
    """

    __slots__ = ("index",)

    def __init__(self, index: pd.Index) -> None:
        self.index = index

    def __getstate__(self) -> dict[str, Any]:
        """Return the labels as arrays; combinations as the labels of each part, and codes."""
        if not isinstance(self.index, pd.MultiIndex):
            return _column_state(self.index)
        return {
            "names": list(self.index.names),
            "levels": [_column_state(level) for level in self.index.levels],
            "codes": [np.asarray(codes) for codes in self.index.codes],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the index again."""
        if "codes" not in state:
            self.index = _column(state)
            return
        levels: list[Any] = [_column(level) for level in state["levels"]]
        self.index = pd.MultiIndex(levels, state["codes"], names=state["names"])


def _column_state(labels: pd.Index) -> dict[str, Any]:
    """Return labels of one column as arrays that NumPy saves without pickling, where it can."""
    dtype: Any = labels.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _column_state(pd.Index(labels.tolist()))
    if isinstance(dtype, pd.StringDtype) or labels.inferred_type == "string":
        encoded = [label.encode("utf-8", "surrogatepass") for label in labels]
        return {
            "dtype": _name(dtype),
            "utf8": np.frombuffer(b"".join(encoded), dtype=np.uint8),
            "ends": np.cumsum([len(label) for label in encoded], dtype=np.int64),
        }
    return {"dtype": _name(dtype), "values": _plain_values(labels)}


def _name(dtype: Any) -> str:
    """Return a name by which pandas finds a type; one without such a name becomes a near one."""
    try:
        pd.api.types.pandas_dtype(str(dtype))
    except (TypeError, ValueError):
        zoned = isinstance(dtype, pd.DatetimeTZDtype)
        return f"datetime64[{dtype.unit}, UTC]" if zoned else "object"
    return str(dtype)


def _plain_values(labels: Any) -> np.ndarray:
    """Return labels that are no text as an array of numbers or times; of objects if need be."""
    dtype = labels.dtype
    if labels.inferred_type == "date":
        values = labels.to_numpy().astype("datetime64[D]")
    elif isinstance(dtype, np.dtype):
        values = labels.to_numpy()
    elif isinstance(dtype, pd.DatetimeTZDtype):
        values = labels.tz_convert(None).to_numpy()
    elif isinstance(dtype, pd.PeriodDtype):
        values = labels.asi8
    elif hasattr(dtype, "numpy_dtype"):
        values = labels.to_numpy(dtype=dtype.numpy_dtype)
    else:
        values = labels.to_numpy(dtype=object)
    return np.asarray(values)


def _column(state: dict[str, Any]) -> pd.Index:
    """Make the labels of one column again."""
    dtype: Any = pd.api.types.pandas_dtype(state["dtype"])
    if "utf8" in state:
        text, ends = state["utf8"].tobytes(), state["ends"].tolist()
        starts = [0, *ends][:-1]
        decoded = [
            text[i:j].decode("utf-8", "surrogatepass") for i, j in zip(starts, ends, strict=True)
        ]
        return pd.Index(decoded, dtype=dtype)
    values = state["values"]
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(dtype.tz)
    if isinstance(dtype, pd.PeriodDtype):
        return pd.Index(pd.arrays.PeriodArray(values, dtype=dtype))
    return pd.Index(values.astype(object) if dtype.kind == "O" else values, dtype=dtype)
