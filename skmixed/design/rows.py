"""Some rows of whatever holds rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing

from skmixed.formula.values import unmasked

__all__ = ["take_rows", "taken"]


def taken(values: Any, rows: Any) -> Any:
    """Return some rows of an array, a list or a data frame."""
    # scikit-learn takes what pandas keeps in pyarrow for a table of pyarrow.
    if isinstance(values, (pd.api.extensions.ExtensionArray, pd.Index)):
        return values[rows]
    return _safe_indexing(values, rows)


def take_rows(data: Any, keep: NDArray[np.bool_]) -> Any:
    """Return some rows of a data frame or of a mapping of columns."""
    if isinstance(data, Mapping):
        return {name: np.asarray(unmasked(column))[keep] for name, column in data.items()}
    return taken(data, np.flatnonzero(keep))
