"""Factor M = Lambda'Z'WZ Lambda + I, whatever the signs of W: level by level, then densely.

The factor of most levels is eliminated first, then those that it is nested in, one after the other;
nothing fills in but among the remaining factors, whose part of M is factored densely. Every pair of
effects that is not eliminated meets in some row, so that all of it is held cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import (
    cholesky_over_groups,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.effect_rows import Blocks, Cells, EffectRows
from skmixed.likelihood.schur_complement import Owed, SchurComplement

__all__ = ["Elimination", "PenalisedFactor"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Up to so many entries, what a stage owes to the dense factors is held densely.
DENSE = 2_000_000
# Pairs of cells that are looked at at once.
AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class Elimination:
    """Hold the order in which factors are eliminated; made once for the rows of a fit.

    Attributes
    ----------
    rows : EffectRows
    """

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
        return sum(len(self.rows.Z[i]) * self.rows.n_levels[i] for i in self.others)

    def columns(self, i: int, levels: Integers) -> Integers:
        """Return the places of one other factor's effects at some levels, (k, n)."""
        effects = np.arange(len(self.rows.Z[i]))[:, None]
        return self.starts[i] + effects * self.rows.n_levels[i] + levels

    def cells(self, i: int, j: int) -> Cells:
        """Return the cells of two factors, the first eliminated before the second."""
        return self.rows.cells[i, j]

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

    def factored(self, gram: Blocks, factors: Sequence[FloatArray]) -> PenalisedFactor:
        """Factor M at Z'WZ and the relative covariance factor of each grouping factor.

        Raises
        ------
        numpy.linalg.LinAlgError
            If M is not positive definite, as it may be where weights are negative.
        """
        M = gram.between(factors, factors)
        own = [S + np.eye(len(S))[:, :, None] for S in M.own]
        links = {pair: M.crossed[pair] for pair in M.crossed if set(pair) <= set(self.chain)}
        coupled = {
            (s, u): self.coupling(M, s, u)[1].copy() for s in self.chain for u in self.others
        }
        stages = [
            self._eliminated(s, self.chain[place + 1 :], own, links, coupled)
            for place, s in enumerate(self.chain)
        ]
        owed = [stage.owed for stage in stages if stage.owed is not None]
        return PenalisedFactor(self, stages, SchurComplement(self._others_part(own, M), owed))

    def _others_part(self, own: list[FloatArray], M: Blocks) -> sparse.csr_array:
        """Return the part of M that belongs to the other factors."""
        if not self.others:
            return self._nothing
        parts = [sparse.coo_array((self.n_dense, self.n_dense))]
        for i in self.others:
            at = self.columns(i, np.arange(self.rows.n_levels[i]))
            parts.append(self._placed(own[i], at, at))
        for (i, j), values in M.crossed.items():
            if i in self.others and j in self.others:
                cells = self.rows.cells[i, j]
                one = self._placed(
                    values, self.columns(i, cells.left), self.columns(j, cells.right)
                )
                parts += [one, one.T]
        joined = [
            np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "col")
        ]
        data = np.concatenate([part.data for part in parts])
        return sparse.csr_array((data, tuple(joined)), shape=parts[0].shape)

    @cached_property
    def _nothing(self) -> sparse.csr_array:
        """Return the part of M of no factors."""
        return sparse.csr_array((0, 0))

    def _placed(self, blocks: FloatArray, rows: Integers, columns: Integers) -> sparse.coo_array:
        """Place blocks of shape (a, b, n) where their rows (a, n) and columns (b, n) say."""
        i = np.broadcast_to(rows[:, None], blocks.shape).ravel()
        j = np.broadcast_to(columns[None], blocks.shape).ravel()
        return sparse.coo_array((blocks.ravel(), (i, j)), shape=(self.n_dense, self.n_dense))

    def _eliminated(
        self,
        s: int,
        later: Sequence[int],
        own: list[FloatArray],
        links: dict[tuple[int, int], FloatArray],
        coupled: dict[tuple[int, int], FloatArray],
    ) -> _Stage:
        """Eliminate one factor: update in place what is left of the later ones."""
        with np.errstate(invalid="ignore", divide="ignore"):
            L = cholesky_over_groups(own[s])
        pivots = np.einsum("jjg->jg", L)
        if not (pivots > 0.0).all():
            raise np.linalg.LinAlgError("M is not positive definite.")
        linked = {t: _solved(L, links[s, t]) for t in later}
        owed = {
            u: _solved(L[:, :, self.coupled_cells(s, u).left], coupled[s, u]) for u in self.others
        }
        parents = {t: self.rows.cells[s, t].right for t in later}
        for place, t in enumerate(later):
            n = self.rows.n_levels[t]
            own[t] = own[t] - _summed(_gram(linked[t], linked[t]), parents[t], n)
            for other in later[place + 1 :]:
                shared = _gram(linked[t], linked[other])
                links[t, other] = links[t, other] - _summed(shared, parents[t], n)
            for u in self.others:
                cells = self.coupled_cells(s, u)
                shared = _gram(linked[t][:, :, cells.left], owed[u])
                coupled[t, u] -= _summed(
                    shared, self.carried[s, t, u], self.coupled_cells(t, u).n_cells
                )
        return _Stage(s, L, linked, parents, self._matrix(s, owed), owed)

    def _matrix(self, s: int, owed: dict[int, FloatArray]) -> Owed | None:
        """Return what a factor owes to the other ones, of shape (k * n_levels, n_dense)."""
        if not self.others:
            return None
        shape = len(self.rows.Z[s]) * self.rows.n_levels[s], self.n_dense
        values = np.concatenate([blocks.ravel() for blocks in owed.values()])
        i, j = self.owed_places[s]
        if shape[0] * shape[1] <= DENSE:
            dense = np.zeros(shape)
            dense[i, j] = values
            return dense
        return sparse.csr_array((values, (i, j)), shape=shape)

    @cached_property
    def owed_places(self) -> dict[int, tuple[Integers, Integers]]:
        """Return the rows and columns of what each eliminated factor owes to the other ones."""
        places = {}
        for s in self.chain:
            k, n_levels = len(self.rows.Z[s]), self.rows.n_levels[s]
            rows, columns = [], []
            for u in self.others:
                cells = self.coupled_cells(s, u)
                at = self.columns(u, cells.right)
                own = cells.left + n_levels * np.arange(k)[:, None]
                shape = (k, len(at), cells.n_cells)
                rows.append(np.broadcast_to(own[:, None], shape).ravel())
                columns.append(np.broadcast_to(at[None], shape).ravel())
            if rows:
                places[s] = np.concatenate(rows), np.concatenate(columns)
        return places


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """One factor that is eliminated: L of each level, and L^-1 times what it shares with others."""

    factor: int
    L: FloatArray
    linked: dict[int, FloatArray]
    parents: dict[int, Integers]
    owed: Owed | None
    owed_blocks: dict[int, FloatArray]


@dataclass(frozen=True, eq=False)
class PenalisedFactor:
    """Hold a factorisation of M: solve with it, and give its inverse where rows need it.

    Attributes
    ----------
    elimination : Elimination
    stages : list
    schur : SchurComplement
        What is left of M for the factors that are not eliminated level by level.
    """

    elimination: Elimination
    stages: list[_Stage]
    schur: SchurComplement

    @property
    def lower(self) -> FloatArray:
        """Return the lower triangular factor of that part."""
        return self.schur.lower

    @cached_property
    def log_determinant(self) -> float:
        """Return log|M|."""
        logs = sum(float(np.log(np.einsum("jjg->jg", stage.L)).sum()) for stage in self.stages)
        return 2.0 * (logs + float(np.log(self.lower.diagonal()).sum()))

    @cached_property
    def least_pivot(self) -> float:
        """Return the least square on the diagonal of the factor: 1 or more where W is positive."""
        parts = [np.einsum("jjg->jg", stage.L).ravel() for stage in self.stages]
        return float(
            np.min([part.min(initial=1.0) for part in [*parts, self.lower.diagonal()]]) ** 2
        )

    def solve(self, right: Sequence[FloatArray]) -> list[FloatArray]:
        """Return M^-1 r, for r of each factor of shape (m, k, n_levels)."""
        r = list(right)
        m = len(r[0]) if r else 0
        dense = self._joined(r, m)
        forward = {}
        for stage in self.stages:
            y = solve_lower_over_groups(stage.L, np.array(r[stage.factor]))
            forward[stage.factor] = y
            for t, C in stage.linked.items():
                taken = np.einsum("abg,mag->mbg", C, y)
                r[t] = r[t] - _summed(taken, stage.parents[t], r[t].shape[-1])
            if stage.owed is not None:
                dense = dense - (stage.owed.T @ y.reshape(m, -1).T).T
        if dense.size:
            dense = self.schur.solve(dense.T).T
        return self._backward(forward, dense, m)

    def _joined(self, r: Sequence[FloatArray], m: int) -> FloatArray:
        """Return the effects of the other factors side by side, (m, n_dense)."""
        parts = [r[i].reshape(m, -1) for i in self.elimination.others]
        return np.concatenate(parts, axis=1) if parts else np.empty((m, 0))

    def _backward(
        self, forward: dict[int, FloatArray], dense: FloatArray, m: int
    ) -> list[FloatArray]:
        """Substitute backwards, from the factors that were eliminated last."""
        solved: dict[int, FloatArray] = {}
        rows = self.elimination.rows
        for i, start in self.elimination.starts.items():
            k, n = len(rows.Z[i]), rows.n_levels[i]
            solved[i] = dense[:, start : start + k * n].reshape(m, k, n)
        for stage in reversed(self.stages):
            y = forward[stage.factor]
            for t, C in stage.linked.items():
                y = y - np.einsum("abg,mbg->mag", C, solved[t][:, :, stage.parents[t]])
            if stage.owed is not None:
                y = y - (stage.owed @ dense.T).T.reshape(y.shape)
            solved[stage.factor] = solve_lower_transposed_over_groups(stage.L, np.array(y))
        return [solved[i] for i in range(len(rows.Z))]

    @cached_property
    def inverse(self) -> Blocks:
        """Return M^-1 where some row has both effects.

        With K = L'^-1 C of a stage, its effects are -K times the later ones plus an own part, so
        that the blocks follow from the last stage to the first (Takahashi, Fagan and Chen 1973).
        """
        elimination = self.elimination
        rows = elimination.rows
        dense = self.schur.inverse
        own: dict[int, FloatArray] = {}
        crossed: dict[tuple[int, int], FloatArray] = {}
        for i in elimination.others:
            at = elimination.columns(i, np.arange(rows.n_levels[i]))
            own[i] = dense[at[:, None], at[None]]
        for (i, j), cells in rows.cells.items():
            if i in elimination.others and j in elimination.others:
                left, right = (
                    elimination.columns(i, cells.left),
                    elimination.columns(j, cells.right),
                )
                crossed[i, j] = dense[left[:, None], right[None]]
        coupled: dict[tuple[int, int], FloatArray] = {}
        for stage in reversed(self.stages):
            self._invert(stage, dense, own, crossed, coupled)
        for (s, u), values in coupled.items():
            key, turned = elimination.uncoupled(s, u, values)
            crossed[key] = turned
        return Blocks([own[i] for i in range(len(rows.Z))], crossed)

    def _invert(
        self,
        stage: _Stage,
        dense: FloatArray,
        own: dict[int, FloatArray],
        crossed: dict[tuple[int, int], FloatArray],
        coupled: dict[tuple[int, int], FloatArray],
    ) -> None:
        """Add the blocks of one stage to those of the later ones."""
        s, elimination = stage.factor, self.elimination
        K = {t: _solved_transposed(stage.L, C) for t, C in stage.linked.items()}
        k, n_levels = stage.L.shape[1:]
        unit = np.repeat(np.eye(k)[:, :, None], n_levels, axis=2)
        root = solve_lower_over_groups(stage.L, unit)
        total = np.einsum("ilg,jlg->ijg", root, root)
        for t, K_t in K.items():
            block = np.zeros((k, K_t.shape[1], n_levels))
            for other, K_other in K.items():
                block -= np.einsum("abg,bcg->acg", K_other, _pair(own, crossed, other, t, stage))
            for u in elimination.others:
                block -= self._through(stage, u, t, coupled)
            crossed[s, t] = block
            total -= np.einsum("abg,cbg->acg", K_t, block)
        for u in elimination.others:
            cells = elimination.coupled_cells(s, u)
            values = self._at_cells(stage, u, dense)
            for t, K_t in K.items():
                at = elimination.carried[s, t, u]
                values -= np.einsum("abc,bdc->adc", K_t[:, :, cells.left], coupled[t, u][:, :, at])
            coupled[s, u] = values
            owed = self._owed_cells(stage, u)
            explained = np.einsum("abc,dbc->adc", owed, values)
            total -= _summed(explained, cells.left, n_levels)
        own[s] = total

    def _owed_cells(self, stage: _Stage, u: int) -> FloatArray:
        """Return K = L'^-1 C of a stage with another factor, cell by cell."""
        cells = self.elimination.coupled_cells(stage.factor, u)
        return _solved_transposed(stage.L[:, :, cells.left], stage.owed_blocks[u])

    def _through(
        self, stage: _Stage, u: int, t: int, coupled: dict[tuple[int, int], FloatArray]
    ) -> FloatArray:
        """Return K of a stage with another factor, times the inverse between that and stage t."""
        cells = self.elimination.coupled_cells(stage.factor, u)
        at = self.elimination.carried[stage.factor, t, u]
        shared = np.einsum("abc,dbc->adc", self._owed_cells(stage, u), coupled[t, u][:, :, at])
        return _summed(shared, cells.left, stage.L.shape[2])

    def _at_cells(self, stage: _Stage, u: int, dense: FloatArray) -> FloatArray:
        """Return -K V of one stage at its cells with another factor, V the dense inverse."""
        elimination = self.elimination
        cells = elimination.coupled_cells(stage.factor, u)
        at = elimination.columns(u, cells.right)
        k, n_levels = stage.L.shape[1:]
        if isinstance(stage.owed, np.ndarray):
            moved = (stage.owed @ dense).reshape(k, n_levels, len(dense))
            return -_solved_transposed(stage.L[:, :, cells.left], moved[:, cells.left[None], at])
        values = np.zeros((k, len(at), cells.n_cells))
        # The inverse is symmetric: its entries come in one order by rows and by columns.
        entries = dense.ravel(order="K")
        for other in elimination.others:
            K = self._owed_cells(stage, other)
            beside = elimination.coupled_cells(stage.factor, other)
            places = elimination.columns(other, beside.right)
            rows = places * len(dense)
            for own, left, right in _same_left(cells, beside):
                for b, d in product(range(len(at)), range(len(places))):
                    V = entries.take(rows[d].take(right) + at[b].take(left))
                    for a in range(len(K)):
                        found = np.bincount(left - own.start, K[a, d].take(right) * V)
                        values[a, b, own][: len(found)] -= found
        return values


def _same_left(one: Cells, other: Cells) -> Iterator[tuple[slice, Integers, Integers]]:
    """Yield blocks of cells, and all pairs of these with other cells of the same left level."""
    sizes = np.bincount(other.left, minlength=one.n_left)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    counts = sizes[one.left]
    ends = np.cumsum(counts)
    first = 0
    while first < one.n_cells:
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + AT_ONCE, side="right")))
        own = slice(first, last)
        left = np.repeat(np.arange(first, last), counts[own])
        within = np.arange(len(left)) - np.repeat(ends[own] - counts[own] - done, counts[own])
        yield own, left, starts[one.left[left]] + within
        first = last


def _pair(
    own: dict[int, FloatArray],
    crossed: dict[tuple[int, int], FloatArray],
    i: int,
    j: int,
    stage: _Stage,
) -> FloatArray:
    """Return the inverse between two later stages, at the levels that those of a stage lie in."""
    if i == j:
        return own[i][:, :, stage.parents[i]]
    if i < j:
        return crossed[i, j][:, :, stage.parents[i]]
    return crossed[j, i].swapaxes(0, 1)[:, :, stage.parents[j]]


def _solved(L: FloatArray, blocks: FloatArray) -> FloatArray:
    """Return L^-1 B of each level, for blocks of shape (k, m, n_levels)."""
    columns = np.array(blocks.swapaxes(0, 1), order="C")
    return solve_lower_over_groups(L, columns).swapaxes(0, 1)


def _solved_transposed(L: FloatArray, blocks: FloatArray) -> FloatArray:
    """Return L'^-1 B of each level, for blocks of shape (k, m, n_levels)."""
    columns = np.array(blocks.swapaxes(0, 1), order="C")
    return solve_lower_transposed_over_groups(L, columns).swapaxes(0, 1)


def _gram(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return A'B of each level."""
    return np.einsum("abg,acg->bcg", left, right)


def _summed(values: FloatArray, to: Integers, n: int) -> FloatArray:
    """Sum over the last axis into n places."""
    flat = values.reshape(-1, values.shape[-1])
    return np.array([np.bincount(to, one, n) for one in flat]).reshape(*values.shape[:-1], n)
