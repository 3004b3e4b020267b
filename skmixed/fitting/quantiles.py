"""Quartiles of many numbers without sorting them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["quartiles"]


def quartiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return minimum, quartiles and maximum, interpolated linearly (R's type 7).

    Parameters
    ----------
    values : ndarray of shape (n,)
        Reordered in place.
    """
    last = len(values) - 1
    position = np.array([0.0, 0.25, 0.5, 0.75, 1.0]) * last
    below = position.astype(np.intp)
    above = np.minimum(below + 1, last)
    values.partition(sorted({*below.tolist(), *above.tolist()}))
    return values[below] + (position - below) * (values[above] - values[below])
