"""Covariances of blocks of rows with their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CovarianceBlocks"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceBlocks:
    """Hold the covariances or correlations of blocks of m rows, and their derivatives.

    Attributes
    ----------
    values : ndarray of shape (n_blocks, m, m)
    first : ndarray of shape (K, n_blocks, m, m)
    second : ndarray of shape (K, K, n_blocks, m, m) or None
        None where the values are linear in the K parameters.
    """

    values: FloatArray
    first: FloatArray
    second: FloatArray | None

    def select(self, blocks: slice) -> CovarianceBlocks:
        """Return some of the blocks."""
        second = None if self.second is None else self.second[:, :, blocks]
        return CovarianceBlocks(self.values[blocks], self.first[:, blocks], second)
