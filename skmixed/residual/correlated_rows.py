"""What the correlations of rows offer at given parameters, however they are computed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["CorrelatedRows"]

FloatArray = NDArray[np.float64]


class CorrelatedRows(Protocol):
    """The correlations C = L L' of rows at given parameters.

    Arrays of shape (m, n) hold m numbers for each row, and the operators act on each of the m.
    """

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Apply L^-1."""
        ...

    def colour(self, columns: FloatArray) -> FloatArray:
        """Apply L."""
        ...

    def whiten_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'^-1."""
        ...

    def colour_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'."""
        ...

    def precisions(self) -> FloatArray:
        """Return the diagonal of C^-1, (n,)."""
        ...

    def log_determinant(self, counts: FloatArray | None) -> float:
        """Return log|C|, each row as often as it counts."""
        ...

    def log_determinant_gradient(self, counts: FloatArray | None) -> FloatArray:
        """Return the derivatives of log|C| in the parameters."""
        ...

    def quadratic_gradient(self, columns: FloatArray) -> FloatArray:
        """Return for each parameter the sum of f'L^-1 dC L'^-1 f over the columns f."""
        ...

    def tangents(self, column: FloatArray) -> FloatArray:
        """Return L^-1 dC L'^-1 f of one column for each parameter, (n_parameters, n)."""
        ...
