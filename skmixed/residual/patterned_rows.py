"""Rows whitened by the root of their group's correlations, one for each pattern of positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import Correlation
from skmixed.residual.patterns import GroupedRows, SameSize

__all__ = ["PatternedRows"]

FloatArray = NDArray[np.float64]

# Numbers in the roots of all groups of one size, up to which each group looks up its own.
GATHERED = 4_000_000


class PatternedRows:
    """Whiten rows by the Cholesky factors of the patterns of their groups.

    Parameters
    ----------
    parameters : sequence of ndarray of shape (n_parameters,)
        rho of each arm.

    Raises
    ------
    LinAlgError
        If the correlations are not positive definite.
    """

    def __init__(
        self,
        correlation: Correlation,
        axis: Axis,
        rows: GroupedRows,
        parameters: Sequence[FloatArray],
    ) -> None:
        naturals = [correlation.natural(rho, axis) for rho in parameters]
        self._blocks = [_Block.of(correlation, size, naturals) for size in rows.sizes]
        self._chain = [correlation.natural_derivative(rho, axis) for rho in parameters]

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Apply L^-1."""
        return self._applied(columns, "inverse", transposed=False)

    def colour(self, columns: FloatArray) -> FloatArray:
        """Apply L."""
        return self._applied(columns, "root", transposed=False)

    def whiten_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'^-1."""
        return self._applied(columns, "inverse", transposed=True)

    def colour_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'."""
        return self._applied(columns, "root", transposed=True)

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
            float(block.counts(counts) @ np.log(np.einsum("ptt->pt", block.root)).sum(axis=1))
            for block in self._blocks
        )

    def log_determinant_gradient(self, counts: FloatArray | None) -> FloatArray:
        """Return the derivatives of log|C| in the parameters."""
        weights = [
            block.counts(counts)[:, None, None] * (block.inverse.swapaxes(1, 2) @ block.inverse)
            for block in self._blocks
        ]
        return self._contracted(weights)

    def quadratic_gradient(self, columns: FloatArray) -> FloatArray:
        """Return for each parameter the sum of f'L^-1 dC L'^-1 f over the columns f."""
        weights = []
        for block in self._blocks:
            inner = block.summed_squares(columns)
            weights.append(block.inverse.swapaxes(1, 2) @ inner @ block.inverse)
        return self._contracted(weights)

    def tangents(self, column: FloatArray) -> FloatArray:
        """Return L^-1 dC L'^-1 f of one column for each parameter, (n_parameters, n)."""
        n_arms, k = len(self._chain), self._chain[0].shape[1]
        found = np.zeros((n_arms, k, len(column)))
        for block in self._blocks:
            inner = block.inverse @ block.slopes @ block.inverse.swapaxes(1, 2)
            for arm, chain in enumerate(self._chain):
                own = block.size.arms == arm
                moved = np.tensordot(chain.T, inner[:, own], axes=1)
                groups = own[block.size.pattern]
                if groups.any():
                    place = np.cumsum(own) - 1
                    pattern, rows = place[block.size.pattern[groups]], block.size.rows[groups]
                    found[arm][:, rows] = _products(moved, pattern, column[rows])
        return found.reshape(n_arms * k, len(column))

    def _applied(self, columns: FloatArray, which: str, *, transposed: bool) -> FloatArray:
        """Apply a matrix of each pattern to the rows of its groups."""
        found = np.empty_like(columns)
        for block in self._blocks:
            matrices = getattr(block, which)
            matrices = matrices.swapaxes(1, 2) if transposed else matrices
            rows = block.size.rows
            found[:, rows] = _of_groups(matrices, block.size, columns[:, rows])
        return found

    def _contracted(self, weights: Sequence[FloatArray]) -> FloatArray:
        """Return the sums of weights of the patterns' entries times their derivatives."""
        n_natural = self._chain[0].shape[0]
        sums = np.zeros((len(self._chain), n_natural))
        for block, weight in zip(self._blocks, weights, strict=True):
            by_pattern = np.einsum("kpst,pst->pk", block.slopes, weight)
            np.add.at(sums, block.size.arms, by_pattern)
        return np.concatenate([s @ chain for s, chain in zip(sums, self._chain, strict=True)])


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Hold the correlations of the patterns of one size: roots, their inverses, derivatives."""

    size: SameSize
    root: FloatArray
    inverse: FloatArray
    slopes: FloatArray

    @classmethod
    def of(cls, correlation: Correlation, size: SameSize, naturals: Sequence[FloatArray]) -> _Block:
        """Compute the correlations of all patterns."""
        n_patterns, n_rows = size.positions.shape[:2]
        C = np.empty((n_patterns, n_rows, n_rows))
        slopes = np.empty((len(naturals[0]), *C.shape))
        for arm, natural in enumerate(naturals):
            own = size.arms == arm
            if own.any():
                C[own] = correlation.correlations(natural, size.positions[own])
                slopes[:, own] = correlation.correlation_derivative(natural, size.positions[own])
        root = np.asarray(np.linalg.cholesky(C), dtype=np.float64)
        identity = np.broadcast_to(np.eye(n_rows), root.shape)
        inverse = np.asarray(np.linalg.solve(root, identity), dtype=np.float64)
        return cls(size, root, inverse, slopes)

    def counts(self, counts: FloatArray | None) -> FloatArray:
        """Return how many groups have each pattern."""
        of_groups = None if counts is None else counts[self.size.rows[:, 0]]
        return np.bincount(self.size.pattern, of_groups, self.size.n_patterns).astype(np.float64)

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


def _of_groups(matrices: FloatArray, size: SameSize, values: FloatArray) -> FloatArray:
    """Multiply the rows (m, n_groups, n_rows) of each group with the matrix of its pattern."""
    if size.n_patterns == 1:
        return values @ matrices[0].T
    if size.rows.size * size.rows.shape[1] <= GATHERED:
        by_group = matrices[size.pattern]
        return np.asarray((by_group @ values.transpose(1, 2, 0)).transpose(2, 0, 1))
    found = np.empty_like(values)
    for p, matrix in enumerate(matrices):
        own = size.pattern == p
        found[:, own] = values[:, own] @ matrix.T
    return found


def _products(matrices: FloatArray, pattern: NDArray[np.intp], values: FloatArray) -> FloatArray:
    """Multiply the rows (n_groups, n_rows) of each group with k matrices of its pattern."""
    if matrices.shape[1] == 1:
        return np.asarray(np.einsum("kst,gt->kgs", matrices[:, 0], values, optimize=True))
    if len(values) * matrices[0, 0].size * len(matrices) <= GATHERED:
        return np.asarray(np.einsum("kgst,gt->kgs", matrices[:, pattern], values))
    found = np.empty((len(matrices), *values.shape))
    for p in range(matrices.shape[1]):
        own = pattern == p
        found[:, own] = np.einsum("kst,gt->kgs", matrices[:, p], values[own], optimize=True)
    return found
