"""What the modes know of their rows, in sums: the linear model that their last step solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import EffectRows, summed
from skmixed.likelihood.modes import Modes

__all__ = ["WorkingRows", "WorkingSums"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Curvature of a combination of effects below this part of the largest is rounding.
FLAT = 1e-12
# More cells than this many times the effects are as large as the rows.
MANY = 10


@dataclass(frozen=True, slots=True, eq=False)
class WorkingRows:
    """Hold normal rows without fixed part that stand for others: y - z'b ~ N(0, sign).

    Attributes
    ----------
    codes : tuple of ndarray of shape (m,)
        One for each factor.
    columns : ndarray of shape (q, m)
    response, signs : ndarray of shape (m,)
        Where the log density of what they stand for is not concave, the sign is negative.
    """

    codes: tuple[Integers, ...]
    Z: tuple[FloatArray, ...]
    columns: FloatArray
    response: FloatArray
    signs: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class WorkingSums:
    """Hold the log density of rows to second order in their effects, cell by cell.

    A cell is the rows that share their levels of all factors. With g and -w the derivatives of a
    row's log density at the modes b, those of a cell are r'b' - b''G b' / 2 in other effects b'.

    Attributes
    ----------
    codes : tuple of ndarray of shape (n_cells,)
        Level of each cell, for each factor.
    gram : ndarray of shape (n_cells, K, K)
        G, the sums of w z z' over the columns of all factors.
    linear : ndarray of shape (n_cells, K)
        r, the sums of z (g + w z'b).
    across : ndarray of shape (n_cells, K, q)
        Sums of z with the weighted columns of fixed effects and further predictors.
    """

    codes: tuple[Integers, ...]
    gram: FloatArray
    linear: FloatArray
    across: FloatArray

    @classmethod
    def of(cls, rows: EffectRows, modes: Modes, weighted: FloatArray) -> WorkingSums | None:
        """Sum over the rows of each cell; None if there are about as many cells as rows.

        Parameters
        ----------
        weighted : ndarray of shape (q, n)
            Weighted columns of what else the modes depend on.
        """
        if not rows.Z:
            return None
        cells, codes = _cells(rows)
        n_cells = len(codes[0])
        if n_cells > max(MANY * sum(map(np.size, modes.spherical)), 1000):
            return None
        Z, n = np.concatenate(rows.Z), len(modes.eta)
        weights = -modes.rows.second
        target = modes.rows.first + weights * rows.to_rows(modes.effects, n)
        return cls(
            codes,
            np.moveaxis(_sums(Z, weights * Z, cells, n_cells), -1, 0),
            _sums(Z, target[None], cells, n_cells)[:, 0].T,
            np.moveaxis(_sums(Z, weighted, cells, n_cells), -1, 0),
        )

    def rows(self, sizes: Sequence[int]) -> WorkingRows:
        """Return as many normal rows as say the same of the effects.

        Parameters
        ----------
        sizes : sequence of int
            Number of effects of one level, for each factor.
        """
        values, vectors = np.linalg.eigh(self.gram)
        kept = np.abs(values) > FLAT * np.abs(values).max(initial=0.0)
        cell, which = np.nonzero(kept)
        direction, value = vectors[cell, :, which], values[cell, which]
        root, signs = np.sqrt(np.abs(value)), np.sign(value)
        shared = signs / root
        Z = (root[:, None] * direction).T
        return WorkingRows(
            tuple(codes[cell] for codes in self.codes),
            tuple(np.split(Z, np.cumsum(sizes)[:-1])),
            shared * np.einsum("ck,ckq->qc", direction, self.across[cell]),
            shared * np.einsum("ck,ck->c", direction, self.linear[cell]),
            signs,
        )


def _cells(rows: EffectRows) -> tuple[Integers, tuple[Integers, ...]]:
    """Return the cell of each row, and the levels of each cell."""
    if len(rows.codes) == 1:
        return rows.codes[0], (np.arange(rows.n_levels[0]),)
    pairs = np.ravel_multi_index(rows.codes, rows.n_levels)
    kept, cells = np.unique(pairs, return_inverse=True)
    return cells.reshape(-1), tuple(np.unravel_index(kept, rows.n_levels))


def _sums(left: FloatArray, right: FloatArray, cells: Integers, n: int) -> FloatArray:
    """Return the sums of products of rows of two matrices over cells, (a, b, n)."""
    return np.array([summed(one * right, cells, n) for one in left])
