"""Distances between the rows of a group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["distances", "range_of", "range_on_boundary"]

# Logarithm of a range beyond which squares and inverses of it may overflow.
FAR = 150.0


def distances(positions: NDArray[Any]) -> NDArray[Any]:
    """Return the distance between each two rows of patterns, Euclidean for points.

    Parameters
    ----------
    positions : ndarray of shape (n_patterns, n_rows), or (n_patterns, n_rows, n_dimensions)

    Returns
    -------
    ndarray of shape (n_patterns, n_rows, n_rows)

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual.distance import distances
    >>> distances(np.array([[[0.0, 0.0], [3.0, 4.0]]]))[0]
    array([[0., 5.],
           [5., 0.]])
    """
    differences = positions[:, :, None] - positions[:, None, :]
    if differences.ndim == 3:
        return np.abs(differences)
    return np.linalg.norm(differences, axis=-1)


def range_of(rho: NDArray[Any]) -> NDArray[Any]:
    """Return the range over a typical distance; one that is farther off than any data is kept.

    Parameters
    ----------
    rho : ndarray of shape (1,)
        Its logarithm, which may be complex.
    """
    off = np.abs(np.real(rho)) > FAR
    return np.exp(np.where(off, np.copysign(FAR, np.real(rho)), rho))


def range_on_boundary(rho: NDArray[np.float64], boundary: float) -> NDArray[np.bool_]:
    """Tell whether rows at a typical distance have a correlation of 0 or 1 within rounding.

    Parameters
    ----------
    rho : ndarray of shape (1,)
        Logarithm of the range over that distance.
    boundary : float
        What is rounding.
    """
    with np.errstate(over="ignore"):
        typical = np.exp(-np.exp(-rho))
    return np.minimum(typical, 1.0 - typical) < boundary
