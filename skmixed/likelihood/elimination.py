"""The order in which factors are eliminated from M = Lambda'Z'WZ Lambda + I, and its cells.

The factor of most levels is eliminated first, then those that it is nested in, one after the other;
nothing fills in but among the remaining factors. Every pair of effects that is not eliminated meets
in some row, so that all of it is held cell by cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import Blocks, Cells, EffectRows
from skmixed.likelihood.sparse_pattern import SparsePattern

__all__ = ["Elimination"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Elimination:
    """Hold the order in which factors are eliminated; made once for the rows of a fit."""

    rows: EffectRows

    @cached_property
    def chain(self) -> tuple[int, ...]:
        """Return the factors that are eliminated level by level, each nested in the next."""
        chain = [0] if self.rows.Z else []
        for i in range(1, len(self.rows.Z)):
            if self.rows.cells[chain[-1], i].nests:
                chain.append(i)
        return tuple(chain)

    @cached_property
    def others(self) -> tuple[int, ...]:
        """Return the factors that are left."""
        return tuple(i for i in range(len(self.rows.Z)) if i not in self.chain)

    @cached_property
    def starts(self) -> dict[int, int]:
        """Return where the effects of each other factor begin among all of theirs."""
        starts, start = {}, 0
        for i in self.others:
            starts[i] = start
            start += len(self.rows.Z[i]) * self.rows.n_levels[i]
        return starts

    @cached_property
    def n_dense(self) -> int:
        """Count the effects of the other factors."""
        return sum(k * n_levels for k, n_levels in self.shapes)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Return the numbers of effects and levels of the other factors."""
        return [(len(self.rows.Z[i]), self.rows.n_levels[i]) for i in self.others]

    def columns(self, i: int, levels: Integers) -> Integers:
        """Return the places of one other factor's effects at some levels, (k, n)."""
        effects = np.arange(len(self.rows.Z[i]))[:, None]
        return self.starts[i] + effects * self.rows.n_levels[i] + levels

    @cached_property
    def carried(self) -> dict[tuple[int, int, int], Integers]:
        """Return for cells of (s, u) the cell of (t, u) that they lie in, s nested in t."""
        found = {}
        for place, s in enumerate(self.chain):
            for t in self.chain[place + 1 :]:
                parents = self.rows.cells[s, t].right
                for u in self.others:
                    own = self.coupled_cells(s, u)
                    found[s, t, u] = self.coupled_cells(t, u).find(parents[own.left], own.right)
        return found

    @cached_property
    def _turned(self) -> dict[tuple[int, int], tuple[Cells, Integers | None]]:
        """Return the cells of each eliminated factor with each other, and their order."""
        turned: dict[tuple[int, int], tuple[Cells, Integers | None]] = {}
        for s in self.chain:
            for u in self.others:
                if s < u:
                    turned[s, u] = self.rows.cells[s, u], None
                else:
                    cells = self.rows.cells[u, s]
                    order = np.lexsort((cells.left, cells.right))
                    turned[s, u] = (
                        Cells(
                            np.argsort(order)[cells.of_rows],
                            cells.right[order],
                            cells.left[order],
                            cells.n_right,
                            cells.n_left,
                        ),
                        order,
                    )
        return turned

    def coupled_cells(self, s: int, u: int) -> Cells:
        """Return the cells of an eliminated factor with another."""
        return self._turned[s, u][0]

    def coupling(self, blocks: Blocks, s: int, u: int) -> tuple[Cells, FloatArray]:
        """Return the cells of an eliminated factor with another, and what is in them."""
        cells, order = self._turned[s, u]
        if order is None:
            return cells, blocks.crossed[s, u]
        return cells, blocks.crossed[u, s].swapaxes(0, 1)[:, :, order]

    def uncoupled(self, s: int, u: int, values: FloatArray) -> tuple[tuple[int, int], FloatArray]:
        """Return values of such cells under the key and in the order of the rows' cells."""
        order = self._turned[s, u][1]
        if order is None:
            return (s, u), values
        back = np.empty_like(values)
        back[:, :, order] = values
        return (u, s), np.ascontiguousarray(back.swapaxes(0, 1))

    @cached_property
    def placed_others(self) -> SparsePattern:
        """Return where the part of M of the other factors has entries.

        They are given as blocks of each factor's levels, then as blocks of the cells of each pair
        and the same turned.
        """
        places = []
        for i in self.others:
            at = self.columns(i, np.arange(self.rows.n_levels[i]))
            places.append(_placed(at, at))
        for i, j in self.crossed_others:
            cells = self.rows.cells[i, j]
            left, right = self.columns(i, cells.left), self.columns(j, cells.right)
            one = _placed(left, right)
            places += [one, one[::-1]]
        return _pattern(places, (self.n_dense, self.n_dense))

    @cached_property
    def crossed_others(self) -> list[tuple[int, int]]:
        """Return the pairs of other factors."""
        return [pair for pair in self.rows.cells if set(pair) <= set(self.others)]

    @cached_property
    def placed_coupled(self) -> dict[int, SparsePattern]:
        """Return where each eliminated factor's effects meet the others', factor after factor."""
        found = {}
        for s in self.chain:
            n_levels, effects = self.rows.n_levels[s], np.arange(len(self.rows.Z[s]))
            places = []
            for u in self.others:
                cells = self.coupled_cells(s, u)
                own = cells.left + n_levels * effects[:, None]
                places.append(_placed(own, self.columns(u, cells.right)))
            found[s] = _pattern(places, (len(effects) * n_levels, self.n_dense))
        return found


def _placed(rows: Integers, columns: Integers) -> tuple[Integers, Integers]:
    """Return the places of blocks (a, b, n) that have rows (a, n) and columns (b, n)."""
    shape = (len(rows), len(columns), rows.shape[-1])
    i = np.broadcast_to(rows[:, None], shape).ravel()
    j = np.broadcast_to(columns[None], shape).ravel()
    return i, j


def _pattern(places: list[tuple[Integers, Integers]], shape: tuple[int, int]) -> SparsePattern:
    """Arrange entries that are given in several parts."""
    nothing = np.empty(0, np.intp)
    parts = zip((nothing, nothing), *places, strict=True)
    rows, columns = (np.concatenate(one) for one in parts)
    return SparsePattern.of(rows, columns, shape)
