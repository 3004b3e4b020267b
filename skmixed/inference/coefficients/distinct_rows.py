"""The different rows of a matrix: of columns that code categories there are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct_rows"]


def distinct_rows(matrix: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the different rows of a matrix; all rows count as different where few are equal.

    Parameters
    ----------
    matrix : ndarray of shape (n, p)

    Returns
    -------
    positions : ndarray of int of shape (n_distinct,)
        Of one row of each kind.
    kinds : ndarray of int of shape (n,)
        The kind of each row.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.inference.coefficients.distinct_rows import distinct_rows
    >>> positions, kinds = distinct_rows(np.array([[1.0, 0], [0, 1], [1, 0], [0, 1], [0, 1]]))
    >>> positions.tolist(), np.bincount(kinds).tolist()
    ([1, 0], [3, 2])
    """
    n, p = matrix.shape
    # Equal rows have equal sums of any weights, and by chance alone different ones have.
    sums = matrix @ np.random.default_rng(0).uniform(1.0, 2.0, p)
    _, positions, kinds = np.unique(sums, return_index=True, return_inverse=True)
    if 2 * len(positions) <= n and np.array_equal(matrix[positions][kinds], matrix):
        return positions, kinds
    return np.arange(n), np.arange(n)
