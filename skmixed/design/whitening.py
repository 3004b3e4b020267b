"""Maps that make the residuals of all rows independent, with one variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["DiagonalWhitening", "Whitening"]

FloatArray = NDArray[np.float64]


class Whitening(Protocol):
    """Multiply columns by a root of R^-1, where Var(e) = sigma^2 R."""

    @property
    def log_determinant(self) -> float:
        """Return log|R|."""

    def apply(self, columns: FloatArray) -> FloatArray:
        """Return the whitened columns; the argument itself where nothing changes."""


@dataclass(frozen=True, slots=True, eq=False)
class DiagonalWhitening:
    """Multiply each row by a number, as weights do.

    Attributes
    ----------
    root : ndarray of shape (n,) or None
        None leaves all rows as they are.
    """

    root: FloatArray | None = None
    log_determinant: float = 0.0

    def apply(self, columns: FloatArray) -> FloatArray:
        """Return the columns times the root; the argument itself without one."""
        return columns if self.root is None else columns * self.root
