"""Labels of groups as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["label_array"]


def label_array(labels: Any) -> NDArray[np.object_]:
    """Return labels as a one-dimensional array of objects, tuples of an interaction as they are."""
    found = list(labels)
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array
