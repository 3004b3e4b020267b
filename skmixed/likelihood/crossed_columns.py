"""Products with the columns of Z of all factors but the largest, from pairs of levels that meet.

Let factor 1 be the largest and U the columns of Z of all others. Vectors have their effects, then
their levels along the first axis, factor after factor; the columns of several vectors stand along
the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.cells import CellProducts
from skmixed.likelihood.crossproducts import CrossProducts

__all__ = ["CrossedColumns", "times_blocks"]

FloatArray = NDArray[np.float64]


class CrossedColumns:
    """Multiply with U'WU and Z_1'WU, which do not depend on theta.

    ``first_own`` and ``own`` are Z'WZ of factor 1 and of each other one, (k, k, n_levels);
    ``shapes`` their effects and levels, and ``parts`` where each of these stands in a vector.
    """

    def __init__(self, products: CrossProducts) -> None:
        first, *others = products.factors
        self.first_own = first.ZtWZ
        self.shapes = [factor.ZtWZ.shape[1:] for factor in others]
        ends = np.cumsum([0, *(k * n_levels for k, n_levels in self.shapes)])
        self.parts = [slice(*ends[j : j + 2]) for j in range(len(others))]
        self.own = [factor.ZtWZ for factor in others]
        self._cells = [products.crossed[0, j + 1] for j in range(len(others))]
        self._down = [cells.matrix() for cells in self._cells]
        self._across = [
            (self.parts[i - 1], self.parts[j - 1], cells.matrix())
            for (i, j), cells in products.crossed.items()
            if i > 0
        ]

    @property
    def length(self) -> int:
        """Return the length of a vector."""
        return self.parts[-1].stop

    def split(self, X: FloatArray) -> list[FloatArray]:
        """Return each factor's part of X, of shape (k, n_levels, m)."""
        return [
            X[part].reshape(*shape, X.shape[1])
            for part, shape in zip(self.parts, self.shapes, strict=True)
        ]

    def to_first(self, X: FloatArray) -> FloatArray:
        """Return Z_1'WU X, of shape (k_1, n_levels_1, m)."""
        carried = self._down[0] @ X[self.parts[0]]
        for matrix, part in zip(self._down[1:], self.parts[1:], strict=True):
            carried += matrix @ X[part]
        return carried.reshape(*self.first_own.shape[1:], X.shape[1])

    def from_first(self, Y: FloatArray) -> FloatArray:
        """Return U'WZ_1 Y of Y of shape (k_1, n_levels_1, m)."""
        flat = Y.reshape(-1, Y.shape[-1])
        return np.concatenate([matrix.T @ flat for matrix in self._down])

    def within(self, X: FloatArray) -> FloatArray:
        """Return U'WU X."""
        found = np.concatenate(
            [
                times_blocks(own, X[part]).reshape(-1, X.shape[1])
                for own, part in zip(self.own, self.parts, strict=True)
            ]
        )
        for left, right, matrix in self._across:
            found[left] += matrix @ X[right]
            found[right] += matrix.T @ X[left]
        return found

    def blocks_from_first(self, T: FloatArray) -> list[FloatArray]:
        """Return the blocks of U'WZ_1 T Z_1'WU on the diagonal, (k, k, n_levels) each."""
        return [_congruent(cells, T, transposed=True) for cells in self._cells]

    def blocks_to_first(self, blocks: Sequence[FloatArray]) -> FloatArray:
        """Return the blocks of Z_1'WU diag(blocks) U'WZ_1 on the diagonal."""
        parts = zip(self._cells, blocks, strict=True)
        return sum((_congruent(cells, own) for cells, own in parts), np.zeros(1))


def times_blocks(blocks: FloatArray, X: FloatArray) -> FloatArray:
    """Multiply (k, k, n_levels) blocks with entries (k * n_levels, m): (k, n_levels, m)."""
    k, _, n_levels = blocks.shape
    entries = X.reshape(k, n_levels, X.shape[-1])
    if k == 1:
        return blocks[0, :, :, None] * entries
    return np.einsum("abg,bgm->agm", blocks, entries)


def _congruent(cells: CellProducts, blocks: FloatArray, *, transposed: bool = False) -> FloatArray:
    """Return the blocks of c B c' on the diagonal, or of c'B c, for the cells c of two factors."""
    values = cells.values.swapaxes(0, 1) if transposed else cells.values
    k_out, k_in, _ = values.shape
    n_out = cells.n_right if transposed else cells.n_left
    found = np.zeros((k_out, k_out, n_out))
    shape = (cells.n_left, cells.n_right)
    for a, b, c, d in product(range(k_out), range(k_out), range(k_in), range(k_in)):
        if a <= b:
            pairs = sparse.csr_array(
                (values[a, c] * values[b, d], cells.right, cells.starts), shape=shape
            )
            found[a, b] += (pairs.T if transposed else pairs) @ blocks[c, d]
    for a, b in product(range(k_out), range(k_out)):
        if a > b:
            found[a, b] = found[b, a]
    return found
