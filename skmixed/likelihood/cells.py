"""Cross-products of two factors' columns of Z, over the pairs of levels that meet in some row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["CellProducts", "cell_products"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class CellProducts:
    """Hold Z_i'WZ_j of two factors, level pair by level pair; those of two sets of rows add up.

    The cells are the pairs of levels that have rows, in the order of the left level, then the
    right.
    """

    starts: Integers  # The cells of left level g are starts[g] to starts[g + 1] - 1.
    right: Integers  # The right level of each cell.
    values: FloatArray  # (k_left, k_right, n_cells)
    n_right: int

    @property
    def n_left(self) -> int:
        """Count the left levels."""
        return len(self.starts) - 1

    @property
    def n_cells(self) -> int:
        """Count the pairs of levels that have rows."""
        return len(self.right)

    @property
    def left(self) -> Integers:
        """Return the left level of each cell."""
        return np.repeat(np.arange(self.n_left), np.diff(self.starts))

    @property
    def nests(self) -> bool:
        """Tell whether every left level lies within one right level."""
        return self.n_cells == self.n_left and bool((np.diff(self.starts) == 1).all())

    def matrix(self) -> sparse.csr_array:
        """Return Z_i'WZ_j, its rows and columns running effect by effect through the levels."""
        blocks = [[self._effect(value) for value in row] for row in self.values]
        if len(blocks) == len(blocks[0]) == 1:
            return blocks[0][0]
        return sparse.csr_array(sparse.vstack([sparse.hstack(row) for row in blocks]))

    def transposed(self) -> CellProducts:
        """Return Z_j'WZ_i."""
        order = self._effect(np.arange(self.n_cells)).tocsc()
        values = self.values.swapaxes(0, 1)[:, :, order.data]
        return CellProducts(order.indptr, order.indices, values, self.n_left)

    def among(self, left: Integers, n_left: int, right: Integers, n_right: int) -> CellProducts:
        """Return the same products among more levels, with those of this at ``left``, ``right``."""
        k_left, k_right, n_cells = self.values.shape
        rows, columns = left[self.left], right[self.right]
        sums = [
            _summed(value, rows, columns, (n_left, n_right))
            for value in self.values.reshape(k_left * k_right, n_cells)
        ]
        return _from_matrices(sums, k_left, k_right)

    def _effect(self, value: NDArray[Any]) -> sparse.csr_array:
        """Return the products of one effect on each side as a matrix of levels."""
        return sparse.csr_array((value, self.right, self.starts), shape=(self.n_left, self.n_right))

    def __add__(self, other: CellProducts) -> CellProducts:
        left = np.concatenate([self.left, other.left])
        right = np.concatenate([self.right, other.right])
        values = np.concatenate([self.values, other.values], axis=-1)
        k_left, k_right, n_values = values.shape
        shape = (self.n_left, self.n_right)
        sums = [_summed(value, left, right, shape) for value in values.reshape(-1, n_values)]
        return _from_matrices(sums, k_left, k_right)


def cell_products(
    left: FloatArray,
    left_codes: NDArray[np.intp],
    n_left: int,
    right: FloatArray,
    right_codes: NDArray[np.intp],
    n_right: int,
) -> CellProducts:
    """Sum the products of two factors' columns of Z over the rows of each pair of levels."""
    shape = (n_left, n_right)
    sums = [_summed(one * other, left_codes, right_codes, shape) for one in left for other in right]
    return _from_matrices(sums, len(left), len(right))


def _summed(
    values: FloatArray, left: Integers, right: Integers, shape: tuple[int, int]
) -> sparse.csr_array:
    """Sum values over each pair of levels; which pairs are kept does not depend on the values."""
    summed = sparse.csr_array((values, (left, right)), shape=shape)
    summed.sum_duplicates()
    return summed


def _from_matrices(sums: list[sparse.csr_array], k_left: int, k_right: int) -> CellProducts:
    """Join the products of all effects, which have the same cells."""
    first = sums[0]
    values = np.stack([one.data for one in sums]).reshape(k_left, k_right, first.nnz)
    return CellProducts(first.indptr, first.indices, values, first.shape[1])
