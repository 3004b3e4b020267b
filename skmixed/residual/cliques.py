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
from skmixed.residual.patterns import GroupedRows, SameSize
from skmixed.residual.variance import RowDeviations

__all__ = ["Cliques", "find_cliques"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Cliques(SameSize):
    """Hold tuples of rows, such that R^-1 is a sum of one small matrix K for each of them.

    In general the rows of a group are one clique, and K is the inverse of their block of R. Where a
    row depends on its neighbour alone, the first row of each group is a clique, and so are each two
    neighbours: K is the inverse of their block, minus the inverse of the earlier row's variance.

    Attributes
    ----------
    slopes : ndarray of shape (n_variance_parameters, n_patterns, n_rows)
        Derivatives of the logarithms of the standard deviations.
    conditional : bool
        Whether the part of the first row alone is subtracted.
    """

    slopes: FloatArray
    conditional: bool = False

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
    def n_classes(self) -> int:
        """Count the entries of all K."""
        return self.n_patterns * len(self.entries[0])


def find_cliques(learned: LearnedResidual, rows: ResidualRows, most: int) -> list[Cliques] | None:
    """Return the cliques of some rows; None if R^-1 has no such form, or too many entries of K."""
    if any(one.values is not None for one in rows.deviations):
        return None
    free = [one for one in rows.deviations if one.n_parameters]
    n = len(rows.deviations[0].codes if rows.grouped is None else rows.grouped.groups)
    if rows.grouped is None or learned.correlation is None:
        found = [_alone(np.arange(n), free)]
    elif isinstance(learned.correlation, MarkovCorrelation):
        found = _neighbours(learned.correlation, rows.grouped, free)
    else:
        found = _groups(rows.grouped, free, most)
    if sum(one.n_classes for one in found) > most:
        return None
    return [one for one in found if one.n_patterns]


def _slopes(free: list[RowDeviations], rows: Integers) -> FloatArray:
    """Return the derivatives of the logarithms of some rows in all parameters."""
    own = [one.codes[rows] == np.arange(one.n_parameters)[:, None, None] for one in free]
    return np.concatenate([np.empty((0, *rows.shape)), *own])


def _strata(free: list[RowDeviations], rows: Integers) -> list[Integers]:
    """Return the stratum of each place of cliques, one array of shape (n_cliques,) for each."""
    return [one.codes[place] for one in free for place in rows.T]


def _alone(rows: Integers, free: list[RowDeviations]) -> Cliques:
    """Return cliques of one row, which nothing correlates with earlier ones."""
    rows = rows[:, None]
    example, pattern = _distinct(_strata(free, rows), len(rows))
    nowhere = np.zeros((len(example), 1), dtype=np.intp)
    return Cliques(rows, pattern, nowhere, nowhere[:, 0], _slopes(free, rows[example]))


def _neighbours(
    correlation: MarkovCorrelation, grouped: GroupedRows, free: list[RowDeviations]
) -> list[Cliques]:
    """Return the first rows of groups, and the rows that follow another with their neighbour."""
    before, after = grouped.neighbours
    follows = np.zeros(len(grouped.groups), dtype=bool)
    follows[after] = True
    first = _alone(np.flatnonzero(~follows), free)
    rows = np.stack([before, after]).T
    positions = grouped.positions[rows]
    if correlation.stationary:
        positions = positions - positions[:, :1]
    keys = [*positions.T, grouped.arms[after], *_strata(free, rows)]
    example, pattern = _distinct(keys, len(rows))
    arms, slopes = grouped.arms[after][example], _slopes(free, rows[example])
    return [first, Cliques(rows, pattern, positions[example], arms, slopes, conditional=True)]


def _groups(grouped: GroupedRows, free: list[RowDeviations], most: int) -> list[Cliques]:
    """Return the groups, as long as they have few patterns."""
    found: list[Cliques] = []
    for size in grouped.sizes:
        example, pattern = _distinct([size.pattern, *_strata(free, size.rows)], len(size.rows))
        own, slopes = size.pattern[example], _slopes(free, size.rows[example])
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
