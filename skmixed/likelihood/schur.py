"""The Schur complement of the largest factor as an operator: products with it, and its diagonal.

Let factor 1 be the largest, U the columns of Z of all others, V_1 = W^-1 + Z_1 Psi_1 Z_1' and
T = Lambda_1 (Lambda_1'Z_1'WZ_1 Lambda_1 + I)^-1 Lambda_1', one small block for each level. Then

    S = U'V_1^-1 U = U'WU - (Z_1'WU)' T (Z_1'WU),    M = Lambda_U'S Lambda_U + I,

and Z_1'WU is as sparse as the pairs of levels that meet. With D = L_D L_D' the blocks of M on its
diagonal, one for each level, the system that is solved is M~ = L_D^-1 M L_D'^-1 (block-Jacobi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmixed.likelihood.batched import cholesky_over_groups, inverse_lower_over_groups
from skmixed.likelihood.crossed_columns import CrossedColumns, times_blocks
from skmixed.likelihood.errors import conditional_root

__all__ = ["LEAST", "SchurSystem", "exact_directions"]

FloatArray = NDArray[np.float64]

# Smallest singular value of a relative covariance factor: a variance of its square moves nothing,
# and lets the score of a variance of 0 be found as that of any other.
LEAST = 1e-7
# A pivot of I + a positive semidefinite matrix that is smaller is rounding.
SMALLEST_PIVOT = 0.5
# A factor with so few effects in all levels is solved for exactly.
FEW = 40


@dataclass(frozen=True, slots=True, eq=False)
class SchurSystem:
    """Multiply with S and M~ at one theta; all arrays have the shape (k, k, n_levels)."""

    columns: CrossedColumns
    T: FloatArray  # Covariance of the largest factor's effects given all others.
    shrinking: FloatArray  # I - Z_1'WZ_1 T, which turns Z_1'WU into Z_1'V_1^-1 U.
    factors: list[FloatArray]
    diagonal: list[FloatArray]  # The blocks of S on the diagonal.
    inverse_roots: list[FloatArray]  # L_D'^-1
    scaled: list[FloatArray]  # Lambda L_D'^-1
    log_determinant: float  # log|D|

    @classmethod
    def at(
        cls, columns: CrossedColumns, R: FloatArray, factors: Sequence[FloatArray]
    ) -> SchurSystem:
        """Evaluate the small blocks at relative covariance factors, regular but for the first."""
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
            if not (pivots > SMALLEST_PIVOT).all():
                raise np.linalg.LinAlgError("M is indefinite within rounding.")
            log_determinant += 2.0 * float(np.log(pivots).sum())
            inverse_roots.append(inverse_lower_over_groups(L).swapaxes(0, 1))
        scaled = [
            np.einsum("ab,bcg->acg", Lambda, root)
            for Lambda, root in zip(others, inverse_roots, strict=True)
        ]
        shrinking = np.eye(len(T))[:, :, None] - np.einsum("abg,bcg->acg", columns.first_own, T)
        return cls(columns, T, shrinking, others, diagonal, inverse_roots, scaled, log_determinant)

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

    def controlled_blocks(self) -> list[FloatArray]:
        """Return the diagonal blocks of Lambda_U D^-1 Lambda_U' of each factor."""
        return [np.einsum("acg,bcg->abg", scaled, scaled) for scaled in self.scaled]

    def exact_directions(self) -> FloatArray:
        """Return an orthonormal basis of directions that are worth exact solutions."""
        return exact_directions(self.inverse_roots)

    def _by_factor(self, blocks: Sequence[FloatArray], x: FloatArray) -> FloatArray:
        """Multiply each level's entries with its block."""
        m = x.shape[1]
        parts = zip(blocks, self.columns.parts, strict=True)
        return np.concatenate([times_blocks(b, x[part]).reshape(-1, m) for b, part in parts])


def exact_directions(inverse_roots: Sequence[FloatArray]) -> FloatArray:
    """Return an orthonormal basis of directions that are worth exact solutions.

    They are all directions of a factor with few levels, whose rows are many; and of any other the
    vectors that move all levels alike. S nearly vanishes on these where the factor that is not in
    it has such a column too: a shift of all levels of one factor looks like the opposite shift of
    the other.
    """
    blocks = []
    for root in inverse_roots:
        k, _, n_levels = root.shape
        if k * n_levels <= FEW:
            blocks.append(np.eye(k * n_levels))
        else:
            # In effects a shift is Lambda v; in the coordinates of M~ it is L_D' v.
            shifts = np.linalg.inv(root.transpose(2, 0, 1)).transpose(1, 0, 2)
            blocks.append(np.linalg.qr(shifts.reshape(k * n_levels, k))[0])
    return block_diag(*blocks)
