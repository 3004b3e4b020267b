"""Rows whose entries of R^-1 are one small matrix, that of their pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation import MarkovCorrelation
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.patterns import GroupedRows

__all__ = ["Cliques", "find_cliques"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Cliques:
    """Hold tuples of rows, such that R^-1 is a sum of one small matrix K for each of them.

    In general the rows of a group are one clique, and K is the inverse of their block of R. Where a
    row depends on its neighbour alone, the first row of each group is a clique, and so are each two
    neighbours: K is the inverse of their block, minus the inverse of the earlier row's variance.

    Attributes
    ----------
    rows : ndarray of shape (n_cliques, n_rows)
        Positions of the rows in the data, in the order of time.
    pattern : ndarray of shape (n_cliques,)
        Cliques of one pattern have the same K.
    positions : ndarray of shape (n_patterns, n_rows) or (n_patterns, n_rows, n_dimensions)
        Times or places of the rows of each pattern.
    arms : ndarray of shape (n_patterns,)
        Whose parameters of the correlations each pattern takes.
    slopes : ndarray of shape (n_variance_parameters, n_patterns, n_rows)
        Derivatives of the logarithms of the standard deviations.
    conditional : bool
        Whether the part of the first row alone is subtracted.
    """

    rows: Integers
    pattern: Integers
    positions: NDArray[Any]
    arms: Integers
    slopes: FloatArray
    conditional: bool = False

    @property
    def n_patterns(self) -> int:
        """Count the patterns."""
        return len(self.arms)

    @cached_property
    def entries(self) -> tuple[Integers, Integers]:
        """Return the row and column of each entry in the lower triangle of K."""
        return np.tril_indices(self.rows.shape[1])

    @property
    def entry_slopes(self) -> FloatArray:
        """Return the slopes of the two rows of each entry added up, (n_parameters, n_classes)."""
        s, t = self.entries
        both = self.slopes[..., s] + self.slopes[..., t]
        return both.reshape(len(both), self.n_classes)

    @property
    def new_slopes(self) -> FloatArray:
        """Return the slopes of the rows that are in no earlier clique."""
        return self.slopes[..., 1:] if self.conditional else self.slopes

    @property
    def n_classes(self) -> int:
        """Count the entries of all K."""
        return self.n_patterns * len(self.entries[0])

    def counts(self, counts: FloatArray | None) -> FloatArray:
        """Return how many cliques have each pattern.

        Parameters
        ----------
        counts : ndarray of shape (n,) or None
            How many times each row's group counts.
        """
        repeated = None if counts is None else counts[self.rows[:, 0]]
        return np.bincount(self.pattern, repeated, self.n_patterns).astype(np.float64)


def find_cliques(learned: LearnedResidual, rows: ResidualRows, most: int) -> list[Cliques] | None:
    """Return the cliques of some rows; None if there are too many kinds, or R^-1 has no such form.

    Parameters
    ----------
    most : int
        Of entries of all K, about.
    """
    if any(one.values is not None for one in rows.deviations):
        return None
    strata = _Strata.of(rows)
    if rows.grouped is None or learned.correlation is None:
        found = [_alone(np.arange(strata.n_rows), strata)]
    elif isinstance(learned.correlation, MarkovCorrelation):
        found = _neighbours(learned.correlation, rows.grouped, strata)
    else:
        found = _groups(rows.grouped, strata, most)
    if sum(one.n_classes for one in found) > most:
        return None
    return [one for one in found if one.n_patterns]


@dataclass(frozen=True, slots=True, eq=False)
class _Strata:
    """Hold the parameter of each row in each structure of standard deviations, -1 for none."""

    codes: list[Integers]
    lengths: list[int]
    n_rows: int

    @classmethod
    def of(cls, rows: ResidualRows) -> _Strata:
        """Look only at structures with parameters."""
        free = [one for one in rows.deviations if one.n_parameters]
        n = len(rows.deviations[0].codes if rows.grouped is None else rows.grouped.groups)
        return cls([one.codes for one in free], [one.n_parameters for one in free], n)

    def slopes(self, rows: Integers) -> FloatArray:
        """Return the derivatives of the logarithms of some rows in all parameters."""
        parts = [
            codes[rows] == np.arange(length)[:, None, None]
            for codes, length in zip(self.codes, self.lengths, strict=True)
        ]
        return np.concatenate([np.empty((0, *rows.shape)), *parts])

    def keys(self, rows: Integers) -> list[Integers]:
        """Return the stratum of each place of cliques, one array of shape (n_cliques,) for each."""
        return [codes[place] for codes in self.codes for place in rows.T]


def _alone(rows: Integers, strata: _Strata) -> Cliques:
    """Return cliques of one row, which nothing correlates with earlier ones."""
    rows = rows[:, None]
    example, pattern = _distinct(strata.keys(rows), len(rows))
    nowhere = np.zeros((len(example), 1), dtype=np.intp)
    return Cliques(rows, pattern, nowhere, nowhere[:, 0], strata.slopes(rows[example]))


def _neighbours(
    correlation: MarkovCorrelation, grouped: GroupedRows, strata: _Strata
) -> list[Cliques]:
    """Return the first rows of groups, and the rows that follow another with their neighbour."""
    before, after = grouped.neighbours
    follows = np.zeros(strata.n_rows, dtype=bool)
    follows[after] = True
    first = _alone(np.flatnonzero(~follows), strata)
    rows = np.stack([before, after]).T
    positions = grouped.positions[rows]
    if correlation.stationary:
        positions = positions - positions[:, :1]
    keys = [*positions.T, grouped.arms[after], *strata.keys(rows)]
    example, pattern = _distinct(keys, len(rows))
    arms, slopes = grouped.arms[after][example], strata.slopes(rows[example])
    return [first, Cliques(rows, pattern, positions[example], arms, slopes, conditional=True)]


def _groups(grouped: GroupedRows, strata: _Strata, most: int) -> list[Cliques]:
    """Return the groups, as long as they have few patterns."""
    found: list[Cliques] = []
    for size in grouped.sizes:
        example, pattern = _distinct([size.pattern, *strata.keys(size.rows)], len(size.rows))
        own, slopes = size.pattern[example], strata.slopes(size.rows[example])
        found.append(Cliques(size.rows, pattern, size.positions[own], size.arms[own], slopes))
        most -= found[-1].n_classes
        if most < 0:
            break
    return found


def _distinct(keys: Sequence[NDArray[Any]], n: int) -> tuple[Integers, Integers]:
    """Return an example of each combination that occurs, and which one each element has."""
    code, n_codes = np.zeros(n, dtype=np.intp), 1
    for key in keys:
        if n and (key != key[0]).any():
            values, own = np.unique(key, return_inverse=True)
            # The codes stay small: each combination that occurs has one number.
            values, code = np.unique(code * len(values) + own, return_inverse=True)
            n_codes = len(values)
    example = np.empty(min(n_codes, n), dtype=np.intp)
    example[code[::-1]] = np.arange(n)[::-1]
    return example, code
