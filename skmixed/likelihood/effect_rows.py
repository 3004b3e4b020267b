"""Sums of rows over the levels of every grouping factor, and over the pairs of levels that meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Cells", "EffectRows"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Hold the pairs of levels of two factors that have rows.

    Attributes
    ----------
    of_rows : ndarray of shape (n,)
        The cell that each row lies in.
    left, right : ndarray of shape (n_cells,)
        The levels of each cell, ordered by the left one.
    n_left, n_right : int
    """

    of_rows: Integers
    left: Integers
    right: Integers
    n_left: int
    n_right: int

    @classmethod
    def of(cls, left: Integers, n_left: int, right: Integers, n_right: int) -> Cells:
        """Find the cells of rows with these levels."""
        pairs = left * n_right + right
        if n_left * n_right <= 4 * len(pairs) + 1000:
            seen = np.bincount(pairs, minlength=n_left * n_right) > 0
            kept = np.flatnonzero(seen)
            of_rows = (np.cumsum(seen) - 1)[pairs]
        else:
            kept, of_rows = np.unique(pairs, return_inverse=True)
        return cls(of_rows, kept // n_right, kept % n_right, n_left, n_right)

    @property
    def n_cells(self) -> int:
        """Count the pairs."""
        return len(self.left)

    @property
    def nests(self) -> bool:
        """Tell whether every left level lies within one right level."""
        return self.n_cells == self.n_left

    def find(self, left: Integers, right: Integers) -> Integers:
        """Return the cells of pairs that are known to have rows."""
        return np.searchsorted(self.left * self.n_right + self.right, left * self.n_right + right)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Hold a symmetric matrix of all effects where some row has both.

    Attributes
    ----------
    own : list of ndarray of shape (k, k, n_levels)
        Of each factor, level by level.
    crossed : dict of (int, int) to ndarray of shape (k_i, k_j, n_cells)
        Of two factors i < j, cell by cell.
    """

    own: list[FloatArray]
    crossed: dict[tuple[int, int], FloatArray]

    def between(self, left: Sequence[FloatArray], right: Sequence[FloatArray]) -> Blocks:
        """Return left' S right, with one small matrix for all levels of each factor."""
        own = [both_sides(a, S, b) for a, S, b in zip(left, self.own, right, strict=True)]
        crossed = {(i, j): both_sides(left[i], S, right[j]) for (i, j), S in self.crossed.items()}
        return Blocks(own, crossed)


@dataclass(frozen=True, eq=False)
class EffectRows:
    """Hold the columns of Z of every grouping factor, with the level of each row.

    Attributes
    ----------
    Z : tuple of ndarray of shape (k, n)
        One for each factor.
    codes : tuple of ndarray of shape (n,)
    n_levels : tuple of int
    """

    Z: tuple[FloatArray, ...]
    codes: tuple[Integers, ...]
    n_levels: tuple[int, ...]

    @cached_property
    def cells(self) -> dict[tuple[int, int], Cells]:
        """Return the cells of each pair of factors."""
        return {
            (i, j): Cells.of(self.codes[i], self.n_levels[i], self.codes[j], self.n_levels[j])
            for i, j in combinations(range(len(self.Z)), 2)
        }

    @cached_property
    def _ones(self) -> list[list[bool]]:
        """Tell which columns are 1 in all rows, and need no product."""
        return [[bool((column == 1.0).all()) for column in Z] for Z in self.Z]

    def gram(self, weights: FloatArray) -> Blocks:
        """Return Z'WZ: the weights may be negative."""
        own = [
            self._own_products(Z, codes, n, ones, weights)
            for Z, codes, n, ones in zip(self.Z, self.codes, self.n_levels, self._ones, strict=True)
        ]
        crossed = {}
        for (i, j), cells in self.cells.items():
            sums = np.empty((len(self.Z[i]), len(self.Z[j]), cells.n_cells))
            for a, one in enumerate(self.Z[i]):
                weighted = weights if self._ones[i][a] else weights * one
                for b, other in enumerate(self.Z[j]):
                    values = weighted if self._ones[j][b] else weighted * other
                    sums[a, b] = np.bincount(cells.of_rows, values, cells.n_cells)
            crossed[i, j] = sums
        return Blocks(own, crossed)

    def _own_products(
        self, Z: FloatArray, codes: Integers, n_levels: int, ones: list[bool], weights: FloatArray
    ) -> FloatArray:
        """Sum w z z' over the rows of each level of one factor."""
        sums = np.empty((len(Z), len(Z), n_levels))
        for a, column in enumerate(Z):
            weighted = weights if ones[a] else weights * column
            for b in range(a, len(Z)):
                values = weighted if ones[b] else weighted * Z[b]
                sums[a, b] = sums[b, a] = np.bincount(codes, values, n_levels)
        return sums

    def to_levels(self, values: FloatArray) -> list[FloatArray]:
        """Return Z'v of each factor, of shape (k, n_levels)."""
        return [
            np.array(
                [
                    np.bincount(codes, values if one else values * column, n)
                    for column, one in zip(Z, ones, strict=True)
                ]
            )
            for Z, codes, n, ones in zip(self.Z, self.codes, self.n_levels, self._ones, strict=True)
        ]

    def to_rows(self, effects: Sequence[FloatArray], n: int) -> FloatArray:
        """Return Z b of effects of shape (k, n_levels), for all n rows."""
        total = np.zeros(n)
        for Z, codes, ones, b in zip(self.Z, self.codes, self._ones, effects, strict=True):
            for column, one, values in zip(Z, ones, b, strict=True):
                of_rows = np.take(values, codes)
                total += of_rows if one else np.multiply(of_rows, column, out=of_rows)
        return total

    def quadratic(self, blocks: Blocks, n: int) -> FloatArray:
        """Return z'S z of each row, z its columns of all factors."""
        total = np.zeros(n)
        for i, (codes, S) in enumerate(zip(self.codes, blocks.own, strict=True)):
            for a, b in combinations_with_replacement(range(len(S)), 2):
                of_rows = np.take(S[a, b] if a == b else 2.0 * S[a, b], codes)
                total += self._times_columns(of_rows, (i, a), (i, b))
        for (i, j), S in blocks.crossed.items():
            for a, b in product(range(S.shape[0]), range(S.shape[1])):
                of_rows = np.take(2.0 * S[a, b], self.cells[i, j].of_rows)
                total += self._times_columns(of_rows, (i, a), (j, b))
        return total

    def _times_columns(self, values: FloatArray, *columns: tuple[int, int]) -> FloatArray:
        """Multiply values in place with columns of Z, each given by its factor and effect."""
        for i, a in columns:
            if not self._ones[i][a]:
                values *= self.Z[i][a]
        return values


def both_sides(left: FloatArray, S: FloatArray, right: FloatArray) -> FloatArray:
    """Return left' S right for each of many small S in the last axis."""
    if S.shape[0] == S.shape[1] == 1:
        return S * (left[0, 0] * right[0, 0])
    half = np.tensordot(left, S, (0, 0))
    return np.ascontiguousarray(np.tensordot(right, half, (0, 1)).swapaxes(0, 1))
