"""The inverse of M = Lambda'Z'WZ Lambda + I where some row has both effects.

With K = L'^-1 C of a stage, its effects are -K times the later ones plus an own part, so that the
blocks follow from the last stage to the first (Takahashi, Fagan and Chen 1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import Blocks, summed
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.schur_complement import InverseEntries
from skmixed.likelihood.stages import EliminatedStage, solved_transposed

__all__ = ["inverse_blocks"]

FloatArray = NDArray[np.float64]
Pair = tuple[int, int]


def inverse_blocks(
    elimination: Elimination, stages: Sequence[EliminatedStage], V: InverseEntries
) -> Blocks:
    """Return the inverse in blocks.

    Parameters
    ----------
    V : InverseEntries
        Of the inverse of what the stages leave for the other factors.
    """
    rows = elimination.rows
    found = _Found(elimination, V)
    for i in elimination.others:
        at = elimination.columns(i, np.arange(rows.n_levels[i]))
        found.own[i] = _at(V, at, at)
    for i, j in elimination.crossed_others:
        cells = rows.cells[i, j]
        left, right = elimination.columns(i, cells.left), elimination.columns(j, cells.right)
        found.crossed[i, j] = _at(V, left, right)
    for stage in reversed(stages):
        found.add(stage)
    for (s, u), values in found.coupled.items():
        key, turned = elimination.uncoupled(s, u, values)
        found.crossed[key] = turned
    return Blocks([found.own[i] for i in range(len(rows.Z))], found.crossed)


@dataclass(slots=True, eq=False)
class _Found:
    """Gather the blocks of the inverse from the last stage to the first."""

    elimination: Elimination
    V: InverseEntries
    own: dict[int, FloatArray] = field(default_factory=dict)
    crossed: dict[Pair, FloatArray] = field(default_factory=dict)
    coupled: dict[Pair, FloatArray] = field(default_factory=dict)

    def add(self, stage: EliminatedStage) -> None:
        """Add the blocks of one stage to those of the later ones."""
        s, elimination = stage.factor, self.elimination
        K = {t: solved_transposed(stage.L, C) for t, C in stage.linked.items()}
        owed = {
            u: solved_transposed(stage.L[:, :, elimination.coupled_cells(s, u).left], C)
            for u, C in stage.owed_cells.items()
        }
        root = stage.inverse_root
        total = np.einsum("lig,ljg->ijg", root, root)
        for t, K_t in K.items():
            block = self._linked(stage, t, K, owed)
            self.crossed[s, t] = block
            total -= np.einsum("abg,cbg->acg", K_t, block)
        for u, K_u in owed.items():
            values = self._coupled(stage, u, K)
            self.coupled[s, u] = values
            explained = np.einsum("abc,dbc->adc", K_u, values)
            total -= summed(explained, elimination.coupled_cells(s, u).left, stage.L.shape[2])
        self.own[s] = total

    def _linked(
        self,
        stage: EliminatedStage,
        t: int,
        K: dict[int, FloatArray],
        owed: dict[int, FloatArray],
    ) -> FloatArray:
        """Return the inverse between a stage and a later one, at its own levels."""
        n_levels = stage.L.shape[2]
        block = np.zeros((len(stage.L), K[t].shape[1], n_levels))
        for other, K_other in K.items():
            block -= np.einsum("abg,bcg->acg", K_other, self._between(other, t, stage))
        for u, K_u in owed.items():
            at = self.elimination.carried[stage.factor, t, u]
            shared = np.einsum("abc,dbc->adc", K_u, self.coupled[t, u][:, :, at])
            left = self.elimination.coupled_cells(stage.factor, u).left
            block -= summed(shared, left, n_levels)
        return block

    def _coupled(self, stage: EliminatedStage, u: int, K: dict[int, FloatArray]) -> FloatArray:
        """Return the inverse between a stage and another factor, cell by cell."""
        s, elimination = stage.factor, self.elimination
        cells, n_levels = elimination.coupled_cells(s, u), stage.L.shape[2]
        at = elimination.columns(u, cells.right)
        own = cells.left + n_levels * np.arange(len(stage.L))[:, None]
        shape = (len(own), len(at), cells.n_cells)
        places = np.broadcast_to(own[:, None], shape), np.broadcast_to(at[None], shape)
        values = -self.V.carried(stage.moved, *places)
        for t, K_t in K.items():
            later = self.coupled[t, u][:, :, elimination.carried[s, t, u]]
            values -= np.einsum("abc,bdc->adc", K_t[:, :, cells.left], later)
        return values

    def _between(self, i: int, j: int, stage: EliminatedStage) -> FloatArray:
        """Return the inverse between two later stages, where the levels of a stage lie."""
        if i == j:
            return self.own[i][:, :, stage.parents[i]]
        if i < j:
            return self.crossed[i, j][:, :, stage.parents[i]]
        return self.crossed[j, i].swapaxes(0, 1)[:, :, stage.parents[j]]


def _at(V: InverseEntries, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
    """Return blocks of V that have rows (a, n) and columns (b, n)."""
    shape = (len(rows), len(columns), rows.shape[-1])
    return V.at(np.broadcast_to(rows[:, None], shape), np.broadcast_to(columns[None], shape))
