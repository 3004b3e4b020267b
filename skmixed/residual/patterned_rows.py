"""Rows whitened by the root of their group's correlations, one for each pattern of positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.patterns import GroupedRows, SameSize

__all__ = ["PatternedRows"]

FloatArray = NDArray[np.float64]

# Numbers in the roots of all groups of one size, up to which each group looks up its own.
GATHERED = 4_000_000


class PatternedRows:
    """Whiten rows by the Cholesky factors of the patterns of their groups.

    Cholesky's method raises LinAlgError if correlations are not positive definite.
    """

    def __init__(self, at: CorrelationsAt, rows: GroupedRows) -> None:
        self._at = at
        self._blocks = [_Block.of(at, size) for size in rows.sizes]

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Apply L^-1."""
        return self._applied(columns, lambda block: block.inverse)

    def colour(self, columns: FloatArray) -> FloatArray:
        """Apply L."""
        return self._applied(columns, lambda block: block.root)

    def whiten_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'^-1."""
        return self._applied(columns, lambda block: block.inverse.swapaxes(1, 2))

    def colour_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'."""
        return self._applied(columns, lambda block: block.root.swapaxes(1, 2))

    def precisions(self) -> FloatArray:
        """Return the diagonal of C^-1, (n,)."""
        found = np.empty(sum(block.size.rows.size for block in self._blocks))
        for block in self._blocks:
            by_pattern = np.einsum("pst,pst->pt", block.inverse, block.inverse)
            found[block.size.rows] = by_pattern[block.size.pattern]
        return found

    def log_determinant(self, counts: FloatArray | None) -> float:
        """Return log|C|, each row as often as it counts."""
        return 2.0 * sum(
            float(block.size.counts(counts) @ np.log(np.einsum("ptt->pt", block.root)).sum(axis=1))
            for block in self._blocks
        )

    def log_determinant_gradient(self, counts: FloatArray | None) -> FloatArray:
        """Return the derivatives of log|C| in the parameters."""
        return self._gradient(
            b.size.counts(counts)[:, None, None] * (b.inverse.swapaxes(1, 2) @ b.inverse)
            for b in self._blocks
        )

    def quadratic_gradient(self, columns: FloatArray) -> FloatArray:
        """Return for each parameter the sum of f'L^-1 dC L'^-1 f over the columns f."""
        return self._gradient(
            b.inverse.swapaxes(1, 2) @ b.summed_squares(columns) @ b.inverse for b in self._blocks
        )

    def tangents(self, column: FloatArray) -> FloatArray:
        """Return L^-1 dC L'^-1 f of one column for each parameter, (n_parameters, n)."""
        chains = self._at.chains
        n_arms, k = len(chains), chains[0].shape[1]
        found = np.zeros((n_arms, k, len(column)))
        for block in self._blocks:
            inner = block.inverse @ block.slopes @ block.inverse.swapaxes(1, 2)
            for arm, chain in enumerate(chains):
                own = block.size.arms == arm
                moved = np.tensordot(chain.T, inner[:, own], axes=1)
                groups = own[block.size.pattern]
                if groups.any():
                    place = np.cumsum(own) - 1
                    pattern, rows = place[block.size.pattern[groups]], block.size.rows[groups]
                    values = column[None, rows]
                    for out, one in zip(found[arm], moved, strict=True):
                        out[rows] = _of_groups(one, pattern, values)[0]
        return found.reshape(n_arms * k, len(column))

    def _applied(self, columns: FloatArray, matrices: Callable[[_Block], FloatArray]) -> FloatArray:
        """Apply a matrix of each pattern to the rows of its groups."""
        found = np.empty_like(columns)
        for block in self._blocks:
            rows = block.size.rows
            found[:, rows] = _of_groups(matrices(block), block.size.pattern, columns[:, rows])
        return found

    def _gradient(self, weights: Iterable[FloatArray]) -> FloatArray:
        """Return the sums of weights of the patterns' entries times their derivatives."""
        blocks = zip(self._blocks, weights, strict=True)
        return self._at.gradient((one.size.arms, one.slopes, weight) for one, weight in blocks)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Hold the correlations of the patterns of one size: roots, their inverses, derivatives."""

    size: SameSize
    root: FloatArray
    inverse: FloatArray
    slopes: FloatArray

    @classmethod
    def of(cls, at: CorrelationsAt, size: SameSize) -> _Block:
        """Compute the correlations of all patterns."""
        patterns = size.positions, size.arms
        root = np.asarray(np.linalg.cholesky(at.matrices(*patterns)), dtype=np.float64)
        inverse = np.asarray(np.linalg.solve(root, np.eye(root.shape[1])), dtype=np.float64)
        return cls(size, root, inverse, at.slopes(*patterns))

    def summed_squares(self, columns: FloatArray) -> FloatArray:
        """Return the sum of F F' over the groups of each pattern, (n_patterns, n_rows, n_rows)."""
        size = self.size
        F = columns[:, size.rows].transpose(1, 2, 0)
        if size.n_patterns == len(size.rows):
            found = np.empty_like(self.root)
            found[size.pattern] = F @ F.swapaxes(1, 2)
            return found
        order = np.argsort(size.pattern, kind="stable")
        bounds = np.searchsorted(size.pattern[order], np.arange(size.n_patterns + 1))
        n_rows = size.rows.shape[1]
        sorted_rows = F[order].transpose(1, 0, 2)
        return np.array(
            [
                (part := sorted_rows[:, a:b].reshape(n_rows, -1)) @ part.T
                for a, b in pairwise(bounds)
            ]
        )


def _of_groups(matrices: FloatArray, pattern: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """Multiply the rows (m, n_groups, n_rows) of each group with the matrix of its pattern."""
    if len(matrices) == 1:
        return values @ matrices[0].T
    if len(pattern) * matrices[0].size <= GATHERED:
        return np.asarray((matrices[pattern] @ values.transpose(1, 2, 0)).transpose(2, 0, 1))
    found = np.empty_like(values)
    for p, matrix in enumerate(matrices):
        own = pattern == p
        found[:, own] = values[:, own] @ matrix.T
    return found
