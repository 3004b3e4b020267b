"""Lower triangles and their entries, column by column."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg.lapack import dgeqrf

from skmixed.covariance.base import FloatArray

__all__ = ["entry_indicators", "filled_triangle", "triangle_entries"]


def filled_triangle(entries: FloatArray, k: int) -> FloatArray:
    """Return the lower triangle of k rows with given entries."""
    triangle = np.zeros((k, k))
    triangle[_lower_triangle(k)] = entries
    return triangle


def triangle_entries(root: FloatArray) -> FloatArray:
    """Return the entries of the Cholesky factor of root root', found without squaring root."""
    triangle = dgeqrf(root.T)[0].T
    signs = np.where(triangle.diagonal() < 0, -1.0, 1.0)
    rows, columns = _lower_triangle(len(root))
    return np.asarray(triangle[rows, columns] * signs[columns])


@lru_cache(maxsize=64)
def entry_indicators(k: int) -> FloatArray:
    """Return the derivative of the triangle in each of its entries."""
    rows, columns = _lower_triangle(k)
    derivative = np.zeros((len(rows), k, k))
    derivative[np.arange(len(rows)), rows, columns] = 1.0
    derivative.flags.writeable = False
    return derivative


@lru_cache(maxsize=64)
def _lower_triangle(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the lower triangle, column by column."""
    columns, rows = np.triu_indices(k)
    return rows, columns
