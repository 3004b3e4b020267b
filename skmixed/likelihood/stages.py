"""Factors eliminated from M = Lambda'Z'WZ Lambda + I level by level, whatever the signs of W."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import (
    cholesky_over_groups,
    inverse_lower_over_groups,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.effect_rows import Blocks, summed
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.errors import level_blocks
from skmixed.likelihood.sparse_pattern import Matrix

__all__ = ["EliminatedStage", "eliminate", "solved_transposed"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class EliminatedStage:
    """Hold one factor that is eliminated: L of each level, and what it shares with the later ones.

    Attributes
    ----------
    L : ndarray of shape (k, k, n_levels)
        Lower triangles with L L' the factor's part of M given the earlier factors.
    linked : dict of int to ndarray of shape (k, k_t, n_levels)
        For each factor t that this one is nested in, L^-1 times what they share.
    parents : dict of int to ndarray of shape (n_levels,)
        The level of each of these factors that a level lies in.
    owed_cells : dict of int to ndarray of shape (k, k_u, n_cells)
        The same as ``linked`` for the factors that are not eliminated, cell by cell.
    owed : ndarray or sparse array of shape (k * n_levels, n_dense), or None
        The same as a matrix; None where all factors are eliminated.
    """

    factor: int
    L: FloatArray
    linked: dict[int, FloatArray]
    parents: dict[int, Integers]
    owed_cells: dict[int, FloatArray]
    owed: Matrix | None

    @cached_property
    def inverse_root(self) -> FloatArray:
        """Return L^-1 of each level."""
        return inverse_lower_over_groups(self.L)

    @cached_property
    def moved(self) -> Matrix:
        """Return L'^-1 times what is owed: minus the factor's effects per effect of the others."""
        k, n_levels = self.L.shape[1:]
        if self.owed is None:
            return sparse.csr_array((k * n_levels, 0))
        if isinstance(self.owed, np.ndarray):
            blocks = self.owed.reshape(k, n_levels, -1)
            return np.einsum("lag,lgn->agn", self.inverse_root, blocks).reshape(self.owed.shape)
        return level_blocks(self.inverse_root.swapaxes(0, 1)) @ self.owed


def eliminate(
    elimination: Elimination, gram: Blocks, factors: Sequence[FloatArray]
) -> tuple[list[EliminatedStage], Matrix]:
    """Eliminate level by level; return the stages, and the part of M that the others begin with.

    Parameters
    ----------
    gram : Blocks
        Z'WZ.
    factors : sequence of ndarray of shape (k, k)
        Relative covariance factor of each grouping factor.

    Raises
    ------
    numpy.linalg.LinAlgError
        If M is not positive definite, as it may be where weights are negative.
    """
    chain, others = elimination.chain, elimination.others
    M = gram.between(factors, factors)
    own = [S + np.eye(len(S))[:, :, None] for S in M.own]
    links = {pair: M.crossed[pair] for pair in M.crossed if set(pair) <= set(chain)}
    coupled = {(s, u): elimination.coupling(M, s, u)[1].copy() for s in chain for u in others}
    stages = [
        _eliminated(elimination, s, chain[place + 1 :], own, links, coupled)
        for place, s in enumerate(chain)
    ]
    parts = [own[i].ravel() for i in others]
    for pair in elimination.crossed_others:
        parts += [M.crossed[pair].ravel()] * 2
    return stages, elimination.placed_others.filled(np.concatenate([np.empty(0), *parts]))


def _eliminated(
    elimination: Elimination,
    s: int,
    later: Sequence[int],
    own: list[FloatArray],
    links: dict[tuple[int, int], FloatArray],
    coupled: dict[tuple[int, int], FloatArray],
) -> EliminatedStage:
    """Eliminate one factor: update in place what is left of the later ones."""
    rows, others = elimination.rows, elimination.others
    with np.errstate(invalid="ignore", divide="ignore"):
        L = cholesky_over_groups(own[s])
    if not (np.einsum("jjg->jg", L) > 0.0).all():
        raise np.linalg.LinAlgError("M is not positive definite.")
    linked = {t: _solved(L, links[s, t]) for t in later}
    owed = {
        u: _solved(L[:, :, elimination.coupled_cells(s, u).left], coupled[s, u]) for u in others
    }
    parents = {t: rows.cells[s, t].right for t in later}
    for place, t in enumerate(later):
        n = rows.n_levels[t]
        own[t] = own[t] - summed(_gram(linked[t], linked[t]), parents[t], n)
        for other in later[place + 1 :]:
            shared = _gram(linked[t], linked[other])
            links[t, other] = links[t, other] - summed(shared, parents[t], n)
        for u in others:
            shared = _gram(linked[t][:, :, elimination.coupled_cells(s, u).left], owed[u])
            at = elimination.carried[s, t, u]
            coupled[t, u] -= summed(shared, at, elimination.coupled_cells(t, u).n_cells)
    return EliminatedStage(s, L, linked, parents, owed, _matrix(elimination, s, owed))


def _matrix(elimination: Elimination, s: int, owed: dict[int, FloatArray]) -> Matrix | None:
    """Return what a factor owes to the other ones, of shape (k * n_levels, n_dense)."""
    if not owed:
        return None
    values = np.concatenate([blocks.ravel() for blocks in owed.values()])
    return elimination.placed_coupled[s].filled(values)


def _solved(L: FloatArray, blocks: FloatArray) -> FloatArray:
    """Return L^-1 B of each level, for blocks of shape (k, m, n_levels)."""
    columns = np.array(blocks.swapaxes(0, 1), order="C")
    return solve_lower_over_groups(L, columns).swapaxes(0, 1)


def solved_transposed(L: FloatArray, blocks: FloatArray) -> FloatArray:
    """Return L'^-1 B of each level.

    Parameters
    ----------
    L : ndarray of shape (k, k, n_levels)
    blocks : ndarray of shape (k, m, n_levels)
    """
    columns = np.array(blocks.swapaxes(0, 1), order="C")
    return solve_lower_transposed_over_groups(L, columns).swapaxes(0, 1)


def _gram(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return A'B of each level."""
    return np.einsum("abg,acg->bcg", left, right)
