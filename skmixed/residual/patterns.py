"""Rows of groups, side by side with those of other groups that have the same positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GroupedRows", "SameSize"]

Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SameSize:
    """Hold the groups of one number of rows, and which pattern of positions each has.

    Attributes
    ----------
    rows : ndarray of shape (n_groups, n_rows)
        Positions of the rows in the data, in the order of time.
    positions : ndarray of shape (n_patterns, n_rows) or (n_patterns, n_rows, n_dimensions)
    arms : ndarray of shape (n_patterns,)
        Whose parameters each pattern takes.
    """

    rows: Integers
    pattern: Integers
    positions: NDArray[Any]
    arms: Integers

    @property
    def n_patterns(self) -> int:
        """Count the patterns."""
        return len(self.arms)

    def counts(self, counts: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return how many groups have each pattern, each row's counting so many times."""
        repeated = None if counts is None else counts[self.rows[:, 0]]
        return np.bincount(self.pattern, repeated, self.n_patterns).astype(np.float64)


@dataclass(frozen=True, eq=False)
class GroupedRows:
    """Hold where the rows of a correlation are: group, position, and whose parameters they take.

    Positions have shape (n,) or (n, n_dimensions); arms are 0 where all groups share parameters.
    """

    groups: Integers
    positions: NDArray[Any]
    arms: Integers

    def select(self, rows: Integers) -> GroupedRows:
        """Return the same of some rows."""
        return GroupedRows(self.groups[rows], self.positions[rows], self.arms[rows])

    @cached_property
    def order(self) -> Integers:
        """Return the rows by group and time."""
        if self.positions.ndim == 2:
            return np.argsort(self.groups, kind="stable")
        before, after = self.groups[:-1], self.groups[1:]
        earlier = self.positions[:-1] > self.positions[1:]
        # The rows of large data often are in this order already.
        if ((before > after) | ((before == after) & earlier)).any():
            return np.lexsort((self.positions, self.groups))
        return np.arange(len(self.groups))

    @cached_property
    def neighbours(self) -> tuple[Integers, Integers]:
        """Return rows, and those that follow them in their group in the order of time."""
        follows = self._follows
        return self.order[:-1][follows], self.order[1:][follows]

    @property
    def _follows(self) -> NDArray[np.bool_]:
        """Tell for each row but the first, by group and time, whether it follows its neighbour."""
        groups = self.groups[self.order]
        return groups[1:] == groups[:-1]

    def joined(self, other: GroupedRows) -> GroupedRows:
        """Return these rows followed by others, whose groups are numbered alike."""
        return GroupedRows(
            np.concatenate([self.groups, other.groups]),
            np.concatenate([self.positions, other.positions]),
            np.concatenate([self.arms, other.arms]),
        )

    def duplicate(self) -> int | None:
        """Return a row whose time another row of its group has, None if there is none."""
        if self.positions.ndim == 2:
            return None
        before, after = self.neighbours
        same = np.flatnonzero(self.positions[before] == self.positions[after])
        return int(after[same[0]]) if len(same) else None

    @cached_property
    def sizes(self) -> list[SameSize]:
        """Return the groups by their number of rows, with the patterns of their positions."""
        found = []
        starts = np.flatnonzero(np.r_[True, ~self._follows]) if len(self.groups) else np.empty(0)
        lengths = np.diff(np.append(starts, len(self.groups))).astype(np.intp)
        for size in np.unique(lengths):
            first = starts[lengths == size].astype(np.intp)
            rows = self.order[first[:, None] + np.arange(size)]
            arms = self.arms[rows[:, 0]]
            positions = self.positions[rows]
            seen = np.column_stack([arms, positions.reshape(len(rows), -1)])
            _, example, pattern = np.unique(seen, axis=0, return_index=True, return_inverse=True)
            found.append(SameSize(rows, pattern.reshape(-1), positions[example], arms[example]))
        return found
