"""The traces of the score: sum of Z'V^-1 Z over the levels of each factor, estimated.

With E = Z_1'V_1^-1 U and K = Lambda_U M^-1 Lambda_U', it is sum(Z_1'V_1^-1 Z_1 - E K E') for factor
1. For another factor it is the sum of the blocks of S - S K S = S Lambda M^-1 Lambda^-1 on the
diagonal; the second form has no difference of large terms. M^-1 enters through its pairs of vectors
(`InverseEstimate`), and through the diagonal blocks that take the place of its control variate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.crossed_columns import times_blocks
from skmixed.likelihood.schur import SchurSystem
from skmixed.likelihood.stochastic import InverseEstimate

__all__ = ["Trace", "first_trace", "other_traces"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Hold an estimated sum of Z'V^-1 Z over the levels of a factor, the mean of its replicates."""

    mean: FloatArray
    replicates: FloatArray


def first_trace(system: SchurSystem, inverse: InverseEstimate, root: FloatArray) -> Trace:
    """Estimate the sum of factor 1; the Gram matrices of ``root`` are Z_1'V_1^-1 Z_1."""
    shrinking, columns = system.shrinking, system.columns
    controlled = columns.blocks_to_first(system.controlled_blocks())
    own = np.einsum("qlg,rlg->qr", root, root) - np.einsum(
        "abg,bcg,dcg->ad", shrinking, controlled, shrinking, optimize=True
    )
    left, right = (
        times_blocks(shrinking, columns.to_first(system.outward(side)))
        for side in (inverse.left, inverse.right)
    )
    mean, replicates = inverse.replicated(_outer_sums(left, right))
    return Trace(_symmetric(own - mean), _symmetric(own - replicates))


def other_traces(system: SchurSystem, inverse: InverseEstimate) -> list[Trace]:
    """Estimate the sums of all factors but the first."""
    traces = []
    parts = zip(
        system.factors,
        system.diagonal,
        system.scaled,
        system.inverse_roots,
        system.columns.split(system.schur(system.outward(inverse.left))),
        system.columns.split(system.unscaled(inverse.right)),
        strict=True,
    )
    for Lambda, S, scaled, root, left, right in parts:
        controlled = np.einsum("abg,bcg,dcg->ad", S, scaled, root, optimize=True)
        sums = inverse.replicated(_outer_sums(left, right))
        # They are S Lambda M^-1: what is solved for is the transpose of S - S K S, its own one.
        mean, replicates = (
            np.linalg.solve(Lambda.T, (controlled + part).swapaxes(-1, -2)) for part in sums
        )
        traces.append(Trace(_symmetric(mean), _symmetric(replicates)))
    return traces


def _outer_sums(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the sums over the levels of the outer products of each pair of vectors: (m, k, k)."""
    if len(left) == 1:
        return np.einsum("gm,gm->m", left[0], right[0])[:, None, None]
    return np.einsum("agm,bgm->mab", left, right)


def _symmetric(matrices: FloatArray) -> FloatArray:
    """Return the symmetric parts over the last two axes."""
    return 0.5 * (matrices + matrices.swapaxes(-1, -2))
