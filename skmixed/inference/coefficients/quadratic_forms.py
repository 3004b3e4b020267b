"""The variances of many linear combinations at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["quadratic_forms"]

FloatArray = NDArray[np.float64]


def quadratic_forms(rows: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return c'Mc for each row c and each matrix M, by products of matrices.

    Parameters
    ----------
    matrices : ndarray of shape (..., p, p)

    Returns
    -------
    ndarray of shape (..., n)

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.inference.coefficients.quadratic_forms import quadratic_forms
    >>> quadratic_forms(np.array([[1.0, -1.0], [0.0, 1.0]]), np.diag([2.0, 3.0]))
    array([5., 3.])
    """
    return np.asarray(((rows @ matrices) * rows).sum(axis=-1))
