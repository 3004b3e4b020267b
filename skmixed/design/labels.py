"""Labels as arrays that keep their own type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.formula.values import unmasked

__all__ = ["label_values", "missing_labels", "select_labels"]


def label_values(labels: Any) -> Any:
    """Return labels as a one-dimensional array that keeps its own type; masked ones are missing."""
    labels = unmasked(labels)
    if isinstance(labels, (pd.Series, pd.Index)):
        labels = labels.array
    elif not isinstance(labels, (np.ndarray, pd.api.extensions.ExtensionArray)):
        for listed in ("to_list", "to_pylist"):
            if hasattr(labels, listed):
                labels = getattr(labels, listed)()
        labels = pd.Series(list(labels), dtype=object).infer_objects().array
    if isinstance(labels, pd.arrays.NumpyExtensionArray):
        labels = labels.to_numpy()
    if getattr(labels, "ndim", 1) == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if getattr(labels, "ndim", 1) != 1:
        raise ValueError(
            f"groups must have one label per row, got an array of shape {labels.shape}."
        )
    if isinstance(labels, np.ndarray):
        # pandas looks up neither half precision nor numbers whose bytes are in foreign order.
        dtype = np.float64 if labels.dtype == np.float16 else labels.dtype.newbyteorder("=")
        labels = labels.astype(dtype, copy=False)
    return labels


def select_labels(columns: Sequence[Any], rows: NDArray[Any]) -> list[Any]:
    """Return the labels of some rows."""
    return [label_values(column)[rows] for column in columns]


def missing_labels(columns: Sequence[Any]) -> NDArray[np.bool_]:
    """Tell in which rows a label is missing."""
    return np.any([np.asarray(pd.isna(label_values(column))) for column in columns], axis=0)
