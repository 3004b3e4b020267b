"""Sums of rows over the levels of every grouping factor, and over the pairs of levels that meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from numpy.typing import NDArray

__all__ = ["Blocks", "Cells", "EffectRows", "both_sides", "summed"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Cells:
    """Hold the pairs of levels of two factors that have rows.

    Attributes
    ----------
    of_rows : ndarray of shape (n,)
        The cell that each row lies in.
    left, right : ndarray of shape (n_cells,)
        The levels of each cell, ordered by the left one.
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

    @cached_property
    def singly(self) -> bool:
        """Tell whether each row has a cell of its own, in the order of the rows."""
        n = len(self.of_rows)
        return self.n_cells == n and bool((self.of_rows == np.arange(n)).all())

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
    """

    Z: tuple[FloatArray, ...]
    codes: tuple[Integers, ...]
    n_levels: tuple[int, ...]

    def select(self, positions: Integers) -> EffectRows:
        """Return some rows, with the levels that they have."""
        levels = [np.unique(codes[positions], return_inverse=True) for codes in self.codes]
        return EffectRows(
            tuple(np.ascontiguousarray(Z[:, positions]) for Z in self.Z),
            tuple(codes for _, codes in levels),
            tuple(len(kept) for kept, _ in levels),
        )

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

    @cached_property
    def _starts(self) -> list[Integers | None]:
        """Return where each level's rows begin, for factors whose rows are in their order."""
        return [_starts_of(codes, n) for codes, n in zip(self.codes, self.n_levels, strict=True)]

    def _summed(self, i: int, values: FloatArray) -> FloatArray:
        """Sum values of shape (m, n) over the rows of each level of one factor."""
        starts = self._starts[i]
        if starts is not None:
            return np.add.reduceat(values, starts, axis=-1)
        return summed(values, self.codes[i], self.n_levels[i])

    def gram(self, weights: FloatArray) -> Blocks:
        """Return Z'WZ: the weights may be negative."""
        own = [self._own_products(i, weights) for i in range(len(self.Z))]
        crossed = {}
        for (i, j), cells in self.cells.items():
            sums = np.empty((len(self.Z[i]), len(self.Z[j]), cells.n_cells))
            for a, b in product(range(len(self.Z[i])), range(len(self.Z[j]))):
                values = self._times_columns(weights, (i, a), (j, b))
                sums[a, b] = (
                    values if cells.singly else np.bincount(cells.of_rows, values, cells.n_cells)
                )
            crossed[i, j] = sums
        return Blocks(own, crossed)

    def _own_products(self, i: int, weights: FloatArray) -> FloatArray:
        """Sum w z z' over the rows of each level of one factor."""
        k = len(self.Z[i])
        if k == 1:
            values = self._times_columns(weights, (i, 0), (i, 0))
            return self._summed(i, values[None])[None]
        pairs = list(combinations_with_replacement(range(k), 2))
        values = np.array([self._times_columns(weights, (i, a), (i, b)) for a, b in pairs])
        sums = np.empty((k, k, self.n_levels[i]))
        for (a, b), summed in zip(pairs, self._summed(i, values), strict=True):
            sums[a, b] = sums[b, a] = summed
        return sums

    def gram_times(self, gram: Blocks, effects: Sequence[FloatArray]) -> list[FloatArray]:
        """Return Z'WZ v of effects of shape (m, k, n_levels), given Z'WZ."""
        products = [np.einsum("abg,mbg->mag", N, v) for N, v in zip(gram.own, effects, strict=True)]
        for (i, j), N in gram.crossed.items():
            cells = self.cells[i, j]
            to_left = np.einsum("abc,mbc->mac", N, effects[j][:, :, cells.right])
            to_right = np.einsum("abc,mac->mbc", N, effects[i][:, :, cells.left])
            products[i] += summed(to_left, cells.left, cells.n_left)
            products[j] += summed(to_right, cells.right, cells.n_right)
        return products

    def to_levels(self, values: FloatArray) -> list[FloatArray]:
        """Return Z'v of each factor, of shape (k, n_levels)."""
        return [one[0] for one in self.columns_to_levels(values[None])]

    def columns_to_levels(self, columns: FloatArray) -> list[FloatArray]:
        """Return Z'v of each factor for columns v of shape (m, n), as (m, k, n_levels)."""
        found = []
        for i, Z in enumerate(self.Z):
            sums = np.empty((len(columns), len(Z), self.n_levels[i]))
            for a, z in enumerate(Z):
                sums[:, a] = self._summed(i, columns if self._ones[i][a] else columns * z)
            found.append(sums)
        return found

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
        """Multiply values with columns of Z, each given by its factor and effect."""
        for i, a in columns:
            if not self._ones[i][a]:
                values = values * self.Z[i][a]
        return values


def summed(values: FloatArray, to: Integers, n: int) -> FloatArray:
    """Sum over the last axis into n places.

    Parameters
    ----------
    values : ndarray of shape (..., m)
    to : ndarray of shape (m,)
    """
    flat = values.reshape(-1, values.shape[-1])
    return np.array([np.bincount(to, one, n) for one in flat]).reshape(*values.shape[:-1], n)


def both_sides(left: FloatArray, S: FloatArray, right: FloatArray) -> FloatArray:
    """Return left' S right for each of many small S in the last axis.

    Parameters
    ----------
    left : ndarray of shape (a, b)
    S : ndarray of shape (a, c, n)
    right : ndarray of shape (c, d)
    """
    if S.shape[0] == S.shape[1] == 1:
        return S * (left[0, 0] * right[0, 0])
    half = np.tensordot(left, S, (0, 0))
    return np.ascontiguousarray(np.tensordot(right, half, (0, 1)).swapaxes(0, 1))


def _starts_of(codes: Integers, n_levels: int) -> Integers | None:
    """Return where each level's rows begin; None unless they follow each other."""
    steps = np.diff(codes)
    if not len(codes) or codes[0] != 0 or codes[-1] != n_levels - 1:
        return None
    if steps.min(initial=0) < 0 or steps.max(initial=0) > 1:
        return None
    return np.concatenate([[0], np.flatnonzero(steps) + 1])
