"""S = A - sum C'C as an operator, preconditioned by its blocks on the diagonal.

With D = L_D L_D' the blocks of S on its diagonal, one for each level of a factor, the system that
is solved is M~ = L_D^-1 S L_D'^-1 (block-Jacobi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import cholesky_over_groups, inverse_lower_over_groups
from skmixed.likelihood.conjugate_gradients import conjugate_gradients
from skmixed.likelihood.errors import level_blocks
from skmixed.likelihood.schur import exact_directions
from skmixed.likelihood.sparse_pattern import Matrix

__all__ = ["JacobiSystem"]

FloatArray = NDArray[np.float64]

# Length of a residual relative to the right-hand side: the steps that need it come nearer anyway.
TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class JacobiSystem:
    """Multiply with S and M~.

    Attributes
    ----------
    whole : ndarray or sparse array of shape (n, n)
        A.
    owed : sequence of ndarray or sparse array of shape (m, n)
        The C.
    shapes : sequence of (int, int)
        Effects and levels of the factors: a vector runs effect by effect through the levels.
    """

    whole: Matrix
    owed: Sequence[Matrix]
    shapes: Sequence[tuple[int, int]]

    @property
    def n(self) -> int:
        """Return the size."""
        return int(self.whole.shape[0])

    @cached_property
    def _inverse_roots(self) -> list[FloatArray]:
        """Return L_D'^-1 of each factor, (k, k, n_levels).

        Raises
        ------
        numpy.linalg.LinAlgError
            If a block is not positive definite.
        """
        roots, start = [], 0
        for k, n_levels in self.shapes:
            with np.errstate(invalid="ignore", divide="ignore"):
                L = cholesky_over_groups(self._blocks(start, k, n_levels))
            if not (np.einsum("jjg->jg", L) > 0.0).all():
                raise np.linalg.LinAlgError("M is not positive definite.")
            roots.append(inverse_lower_over_groups(L).swapaxes(0, 1))
            start += k * n_levels
        return roots

    def _blocks(self, start: int, k: int, n_levels: int) -> FloatArray:
        """Return the blocks of S on the diagonal that belong to one factor."""
        at = start + np.arange(k * n_levels).reshape(k, n_levels)
        blocks = np.empty((k, k, n_levels))
        for a in range(k):
            for b in range(a + 1):
                values = self.whole[at[a], at[b]]
                for C in self.owed:
                    values = values - _column_products(C, at[a], at[b])
                blocks[a, b] = blocks[b, a] = values
        return blocks

    @cached_property
    def root(self) -> sparse.csr_array:
        """Return L_D'^-1 as a matrix."""
        return sparse.csr_array(sparse.block_diag(list(map(level_blocks, self._inverse_roots))))

    @cached_property
    def _turned(self) -> sparse.csr_array:
        """Return L_D^-1 as a matrix."""
        return sparse.csr_array(self.root.T)

    @property
    def least_pivot(self) -> float:
        """Return the least square on the diagonals of the L_D."""
        return float(self.root.diagonal().max(initial=1.0) ** -2)

    @cached_property
    def log_determinant(self) -> float:
        """Return log|D|."""
        return -2.0 * float(np.log(self.root.diagonal()).sum())

    def multiply(self, x: FloatArray) -> FloatArray:
        """Return M~ x."""
        outward = self.root @ x
        moved = self.whole @ outward
        for C in self.owed:
            moved -= C.T @ (C @ outward)
        return np.asarray(self._turned @ moved, dtype=np.float64)

    def exact_directions(self) -> FloatArray:
        """Return an orthonormal basis of directions that are worth exact solutions."""
        return exact_directions(self._inverse_roots)

    def solve(self, right: FloatArray) -> FloatArray:
        """Return S^-1 B for B of shape (n, m).

        Raises
        ------
        numpy.linalg.LinAlgError
            If conjugate gradients find that S is not positive definite, or do not converge.
        """
        inward = self._turned @ right
        solution = conjugate_gradients(self.multiply, inward, tolerance=TOLERANCE)
        return np.asarray(self.root @ solution.X, dtype=np.float64)


def _column_products(C: Matrix, left: NDArray[np.intp], right: NDArray[np.intp]) -> FloatArray:
    """Return the inner products of columns of C with others, pair by pair."""
    own, other = (slice(int(at[0]), int(at[-1]) + 1) for at in (left, right))
    if isinstance(C, np.ndarray):
        return np.asarray(np.einsum("ij,ij->j", C[:, own], C[:, other]))
    one: sparse.csr_array = C[:, own]
    if own == other:
        return np.asarray(np.bincount(one.indices, np.square(one.data), len(left)))
    return np.asarray(one.multiply(C[:, other]).sum(axis=0), dtype=np.float64).ravel()
