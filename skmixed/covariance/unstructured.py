"""Any covariance of the effects: one parameter for each entry of a lower triangle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from scipy.linalg.lapack import dgeqrf

from skmixed.covariance.base import FloatArray, Invariance

__all__ = ["Unstructured"]


@dataclass(frozen=True)
class Unstructured:
    """Allow every variance and covariance of the effects.

    theta runs down the columns of the lower triangle of Lambda, as in lme4 (Bates et al. 2015,
    equation 4 and section 2.3).

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import Unstructured
    >>> Unstructured().factor(np.array([1.0, 0.5, 2.0]), 2)
    array([[1. , 0. ],
           [0.5, 2. ]])
    """

    invariance: ClassVar[Invariance] = "linear"

    def n_parameters(self, n_effects: int) -> int:
        """Return the size of a lower triangle."""
        return n_effects * (n_effects + 1) // 2

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return None: theta is free."""
        return None

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the lower triangle filled column by column."""
        factor = np.zeros((n_effects, n_effects))
        rows, columns = _lower_triangle(n_effects)
        factor[rows, columns] = theta
        return factor

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return one indicator matrix for each entry of the triangle."""
        return _indicators(n_effects)

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return None: Lambda is linear in theta."""
        return None

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the triangle of the Cholesky factor of root root', found without squaring root."""
        triangle = dgeqrf(root.T)[0].T
        signs = np.where(triangle.diagonal() < 0, -1.0, 1.0)
        rows, columns = _lower_triangle(len(root))
        return triangle[rows, columns] * signs[columns]


@lru_cache(maxsize=64)
def _lower_triangle(n_effects: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the lower triangle, column by column."""
    columns, rows = np.triu_indices(n_effects)
    return rows, columns


@lru_cache(maxsize=64)
def _indicators(n_effects: int) -> FloatArray:
    """Return the derivative of the triangle in each of its entries."""
    rows, columns = _lower_triangle(n_effects)
    derivative = np.zeros((len(rows), n_effects, n_effects))
    derivative[np.arange(len(rows)), rows, columns] = 1.0
    derivative.flags.writeable = False
    return derivative
