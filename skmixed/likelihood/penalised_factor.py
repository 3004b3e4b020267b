"""A factorisation of M = Lambda'Z'WZ Lambda + I: stages, and what they leave for other factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.batched import (
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.effect_rows import Blocks, summed
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.jacobi_system import JacobiSystem
from skmixed.likelihood.penalised_inverse import inverse_blocks
from skmixed.likelihood.probed_complement import ProbedComplement
from skmixed.likelihood.schur_complement import DenseComplement, SchurComplement
from skmixed.likelihood.stages import EliminatedStage, eliminate
from skmixed.likelihood.stochastic import Probes

__all__ = ["PenalisedFactor", "factored"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PenalisedFactor:
    """Hold a factorisation of M: solve with it, and give its inverse where rows need it.

    Attributes
    ----------
    schur : SchurComplement
        What is left of M for the factors that are not eliminated level by level.
    """

    elimination: Elimination
    stages: list[EliminatedStage]
    schur: SchurComplement

    @cached_property
    def log_determinant(self) -> float:
        """Return log|M|."""
        logs = sum(float(np.log(np.einsum("jjg->jg", stage.L)).sum()) for stage in self.stages)
        return 2.0 * logs + self.schur.log_determinant

    @cached_property
    def least_pivot(self) -> float:
        """Return the least square on the diagonal of the factor: 1 or more where W is positive."""
        parts = [np.einsum("jjg->jg", stage.L).min(initial=1.0) ** 2 for stage in self.stages]
        return float(min([*parts, self.schur.least_pivot]))

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
                r[t] = r[t] - summed(taken, stage.parents[t], r[t].shape[-1])
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

    def given_others(self, dense: FloatArray) -> list[FloatArray]:
        """Return the effects of all factors that go with those of the others, (m, n_dense)."""
        nothing = {
            stage.factor: np.zeros((len(dense), *stage.L.shape[1:])) for stage in self.stages
        }
        return self._backward(nothing, dense, len(dense))

    @cached_property
    def inverse(self) -> Blocks:
        """Return M^-1 where some row has both effects."""
        return inverse_blocks(self.elimination, self.stages, self.schur.inverse)

    def replicated_inverses(self) -> list[Blocks]:
        """Return independent estimates of ``inverse``, whose mean it is; none if it is exact."""
        return [inverse_blocks(self.elimination, self.stages, one) for one in self.schur.replicates]


def factored(
    elimination: Elimination,
    gram: Blocks,
    factors: Sequence[FloatArray],
    probes: Probes | None = None,
) -> PenalisedFactor:
    """Factor M.

    Parameters
    ----------
    gram : Blocks
        Z'WZ.
    factors : sequence of ndarray of shape (k, k)
        Relative covariance factor of each grouping factor.
    probes : Probes or None
        From which the inverse of what is left for the other factors, and its determinant, are
        estimated; None where they are exact.

    Raises
    ------
    numpy.linalg.LinAlgError
        If M is not positive definite, as it may be where weights are negative.
    """
    stages, whole = eliminate(elimination, gram, factors)
    owed = [stage.owed for stage in stages if stage.owed is not None]
    system = JacobiSystem(whole, owed, elimination.shapes)
    schur: SchurComplement = (
        DenseComplement(system) if probes is None else ProbedComplement(system, probes)
    )
    return PenalisedFactor(elimination, stages, schur)
