"""The Schur complement of the largest factor as an operator: products with it, and its diagonal.

Let factor 1 be the largest, U the columns of Z of all others, V_1 = W^-1 + Z_1 Psi_1 Z_1' and
T = Lambda_1 (Lambda_1'Z_1'WZ_1 Lambda_1 + I)^-1 Lambda_1', one small block for each level. Then

    S = U'V_1^-1 U = U'WU - (Z_1'WU)' T (Z_1'WU),    M = Lambda_U'S Lambda_U + I,

and Z_1'WU is as sparse as the pairs of levels that meet. With D = L_D L_D' the blocks of M on its
diagonal, one for each level, the system that is solved is M~ = L_D^-1 M L_D'^-1 (block-Jacobi).

Vectors have their effects, then their levels along the first axis, factor after factor; the columns
of several vectors stand along the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups
from skmixed.likelihood.cells import CellProducts
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.errors import conditional_root

__all__ = ["CrossedColumns", "SchurSystem", "times_blocks"]

FloatArray = NDArray[np.float64]

SMALLEST_PIVOT = 0.5


class CrossedColumns:
    """Multiply with U'WU and Z_1'WU, which do not depend on theta.

    Parameters
    ----------
    products : CrossProducts
        With the largest factor first.

    Attributes
    ----------
    shapes : list of (int, int)
        Effects and levels of each factor but the first.
    parts : list of slice
        Where each of these factors stands in a vector.
    """

    def __init__(self, products: CrossProducts) -> None:
        first, *others = products.factors
        self.first_shape = first.ZtWZ.shape[1:]
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

    def to_first(self, X: FloatArray) -> FloatArray:
        """Return Z_1'WU X, of shape (k_1, n_levels_1, m)."""
        carried = self._down[0] @ X[self.parts[0]]
        for matrix, part in zip(self._down[1:], self.parts[1:], strict=True):
            carried += matrix @ X[part]
        return carried.reshape(*self.first_shape, X.shape[1])

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


@dataclass(frozen=True, slots=True, eq=False)
class SchurSystem:
    """Multiply with S and M~ at one theta.

    Attributes
    ----------
    columns : CrossedColumns
    T : ndarray of shape (k_1, k_1, n_levels_1)
        Covariance of the largest factor's effects given all others.
    factors : list of ndarray of shape (k, k)
        Regular relative covariance factors of the others.
    diagonal : list of ndarray of shape (k, k, n_levels)
        The blocks of S on the diagonal.
    inverse_roots : list of ndarray of shape (k, k, n_levels)
        L_D'^-1.
    scaled : list of ndarray of shape (k, k, n_levels)
        Lambda L_D'^-1.
    log_determinant : float
        log|D|.
    """

    columns: CrossedColumns
    T: FloatArray
    factors: list[FloatArray]
    diagonal: list[FloatArray]
    inverse_roots: list[FloatArray]
    scaled: list[FloatArray]
    log_determinant: float

    @classmethod
    def at(
        cls, columns: CrossedColumns, R: FloatArray, factors: Sequence[FloatArray]
    ) -> SchurSystem:
        """Evaluate the small blocks at the relative covariance factors.

        Parameters
        ----------
        columns : CrossedColumns
        R : ndarray of shape (k_1, k_1, n_levels_1)
            Triangles with R'R = Z_1'WZ_1; indexed by column, row and level.
        factors : sequence of ndarray of shape (k, k)
            Of all grouping factors; but for the first they are regular.
        """
        root = conditional_root(R, factors[0])
        T = np.einsum("gla,glb->abg", root, root)
        others = list(factors[1:])
        taken = columns.blocks_from_first(T)
        diagonal = [own - part for own, part in zip(columns.own, taken, strict=True)]
        inverse_roots, log_determinant = [], 0.0
        for Lambda, S in zip(others, diagonal, strict=True):
            D = np.einsum("ai,abg,bj->ijg", Lambda, S, Lambda, optimize=True)
            D += np.eye(len(Lambda))[:, :, None]
            with np.errstate(invalid="ignore"):
                L = cholesky_over_groups(D)
            pivots = np.einsum("jjg->jg", L)
            # D - I is positive semidefinite, so that no pivot is below 1.
            if not (pivots > SMALLEST_PIVOT).all():
                raise np.linalg.LinAlgError("M is indefinite within rounding.")
            log_determinant += 2.0 * float(np.log(pivots).sum())
            identity = np.repeat(np.eye(len(L))[:, :, None], L.shape[-1], axis=2)
            inverse_roots.append(solve_lower_over_groups(L, identity))
        scaled = [
            np.einsum("ab,bcg->acg", Lambda, root)
            for Lambda, root in zip(others, inverse_roots, strict=True)
        ]
        return cls(columns, T, others, diagonal, inverse_roots, scaled, log_determinant)

    def outward(self, x: FloatArray) -> FloatArray:
        """Return Lambda_U L_D'^-1 x: coordinates of M~ to effects."""
        return self._by_factor(self.scaled, x)

    def inward(self, b: FloatArray) -> FloatArray:
        """Return L_D^-1 Lambda_U' b."""
        return self._by_factor([blocks.swapaxes(0, 1) for blocks in self.scaled], b)

    def unscaled(self, x: FloatArray) -> FloatArray:
        """Return L_D'^-1 x."""
        return self._by_factor(self.inverse_roots, x)

    def schur(self, X: FloatArray) -> FloatArray:
        """Return S X."""
        return self.schur_of(X, self.columns.to_first(X))

    def schur_of(self, X: FloatArray, carried: FloatArray) -> FloatArray:
        """Return S X, where ``carried`` is Z_1'WU X."""
        return self.columns.within(X) - self.columns.from_first(times_blocks(self.T, carried))

    def multiply(self, x: FloatArray) -> FloatArray:
        """Return M~ x = L_D^-1 (Lambda_U'S Lambda_U + I) L_D'^-1 x."""
        roots = [root.swapaxes(0, 1) for root in self.inverse_roots]
        moved = self.inward(self.schur(self.outward(x)))
        moved += self._by_factor(roots, self.unscaled(x))
        return moved

    def common_shifts(self) -> FloatArray:
        """Return an orthonormal basis of vectors that move all levels of a factor alike.

        S nearly vanishes on them where factor 1 has such a column too: a shift of all levels of one
        factor looks like the opposite shift of those of the other.
        """
        count = sum(k for k, _ in self.columns.shapes)
        shifts = np.zeros((self.columns.length, count))
        column = 0
        for part, root in zip(self.columns.parts, self.inverse_roots, strict=True):
            k, _, n_levels = root.shape
            # In effects a shift is Lambda v; in the coordinates of M~ it is L_D' v.
            L = _transposed_inverse(root)
            shifts[part, column : column + k] = L.reshape(k * n_levels, k)
            column += k
        return np.linalg.qr(shifts)[0]

    def _by_factor(self, blocks: Sequence[FloatArray], x: FloatArray) -> FloatArray:
        """Multiply each level's entries with its block."""
        m = x.shape[1]
        parts = zip(blocks, self.columns.parts, strict=True)
        return np.concatenate([times_blocks(b, x[part]).reshape(-1, m) for b, part in parts])


def times_blocks(blocks: FloatArray, X: FloatArray) -> FloatArray:
    """Multiply (k, k, n_levels) blocks with entries (k * n_levels, m): (k, n_levels, m)."""
    k, _, n_levels = blocks.shape
    entries = X.reshape(k, n_levels, X.shape[-1])
    if k == 1:
        return blocks[0, :, :, None] * entries
    return np.einsum("abg,bgm->agm", blocks, entries)


def _transposed_inverse(root: FloatArray) -> FloatArray:
    """Return L' of L'^-1, with the levels in the middle: (k, n_levels, k)."""
    k = len(root)
    identity = np.broadcast_to(np.eye(k), (root.shape[-1], k, k))
    solved: FloatArray = np.linalg.solve(root.transpose(2, 0, 1), identity)
    return solved.transpose(1, 0, 2)


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
