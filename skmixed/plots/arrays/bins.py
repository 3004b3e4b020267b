"""Rows in bins of as many each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["equal_bins", "sums_over"]

FloatArray = NDArray[np.float64]


def equal_bins(values: FloatArray, n_bins: int) -> NDArray[np.intp]:
    """Return the bin of each value, numbered from 0; equal values share one.

    Parameters
    ----------
    values : ndarray of shape (n,)
    n_bins : int
        At most.
    """
    edges = np.unique(np.quantile(values, np.arange(1, n_bins) / n_bins))
    found = np.searchsorted(edges, values, side="right")
    return np.unique(found, return_inverse=True)[1]


def sums_over(bins: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """Return the sum of values in each bin."""
    return np.bincount(bins, values).astype(np.float64)
