"""The conditional covariance of the effects where the iterative kernel estimates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.batched import cholesky_over_groups
from skmixed.likelihood.crossed_columns import times_blocks
from skmixed.likelihood.errors import Part
from skmixed.likelihood.schur import LEAST, SchurSystem
from skmixed.likelihood.stochastic import InverseEstimate

__all__ = ["IterativeErrors", "iterative_errors"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IterativeErrors:
    """Hold D as a block for each level and a few directions that all levels share.

    D = diag(blocks) + shared shared'. What two levels of different factors share beyond these
    directions is left out: it is of the order of one over the product of their numbers of rows.
    """

    blocks: tuple[FloatArray, ...]  # (n_levels, k, k) of each factor.
    shared: tuple[FloatArray, ...]  # (k, n_levels, r) of each factor.

    @property
    def width(self) -> int:
        """Count the rows of the widest root."""
        return max(self.shared[0].shape[-1], *(blocks.shape[-1] for blocks in self.blocks))

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        return [
            own + np.einsum("agr,bgr->gab", rows, rows)
            for own, rows in zip(self.blocks, self.shared, strict=True)
        ]

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return each factor's roots within its levels, and those of the common directions."""
        n = Z[0].shape[1]
        common = np.zeros((self.shared[0].shape[-1], n))
        parts: list[Part] = []
        for Z_j, code, own, rows in zip(Z, codes, self.blocks, self.shared, strict=True):
            used, positions = np.unique(code, return_inverse=True)
            root = _root(own[used])[positions]
            parts.append((np.einsum("nal,an->ln", root, Z_j), code))
            common += np.einsum("anr,an->rn", rows[:, code], Z_j)
        return [*parts, (common, None)]

    def draws(self, n: int, rng: np.random.Generator) -> list[FloatArray]:
        """Draw each factor's errors within its levels, and along the common directions."""
        common = rng.standard_normal((n, self.shared[0].shape[-1]))
        drawn = []
        for own, rows in zip(self.blocks, self.shared, strict=True):
            normals = rng.standard_normal((n, *own.shape[:2]))
            errors = np.einsum("ngl,gal->nga", normals, _root(own))
            drawn.append(errors + np.einsum("agr,nr->nga", rows, common, optimize=True))
        return drawn


def iterative_errors(
    system: SchurSystem, inverse: InverseEstimate, factors: Sequence[FloatArray]
) -> IterativeErrors:
    """Estimate the covariance of the effects from that of the other factors, K.

    For factor 1 it is T + H K H' with H = Psi_1 Z_1'V_1^-1 U of each level.
    """
    columns = system.columns
    H = np.einsum("ab,bcg->acg", factors[0] @ factors[0].T, system.shrinking)
    left, right, common = (
        system.outward(side) for side in (inverse.left, inverse.right, inverse.low_rank)
    )
    controlled = system.controlled_blocks()
    of_first = np.einsum(
        "abg,bcg,dcg->adg",
        H,
        columns.blocks_to_first(controlled),
        H,
        optimize=True,
    )
    carried = _level_blocks(
        inverse,
        of_first,
        times_blocks(H, columns.to_first(left)),
        times_blocks(H, columns.to_first(right)),
    )
    blocks = [system.T.transpose(2, 0, 1) + carried]
    shared = [-times_blocks(H, columns.to_first(common))]
    parts = zip(
        factors[1:],
        controlled,
        *(columns.split(side) for side in (left, right, common)),
        strict=True,
    )
    for Lambda, diagonal, left_j, right_j, common_j in parts:
        varying = _range_of(Lambda)
        blocks.append(varying @ _level_blocks(inverse, diagonal, left_j, right_j) @ varying)
        shared.append(np.tensordot(varying, common_j, 1))
    return IterativeErrors(tuple(blocks), tuple(shared))


def _level_blocks(
    inverse: InverseEstimate, diagonal: FloatArray, left: FloatArray, right: FloatArray
) -> FloatArray:
    """Return the estimated blocks of each level without the shared directions: (n_levels, k, k)."""
    weights = inverse.weights
    n_probes = inverse.probes.columns.shape[1]
    weights[n_probes : n_probes + inverse.n_exact] = 0.0
    blocks = diagonal + np.einsum("agm,bgm,m->abg", left, right, weights, optimize=True)
    blocks = blocks.transpose(2, 0, 1)
    values, vectors = np.linalg.eigh(0.5 * (blocks + blocks.swapaxes(1, 2)))
    return (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(1, 2)


def _range_of(Lambda: FloatArray) -> FloatArray:
    """Return the projection on the effects that vary: the others got the least variance."""
    left, values, _ = np.linalg.svd(Lambda)
    return (left * (values > LEAST)) @ left.T


def _root(covariances: FloatArray) -> FloatArray:
    """Return the triangular roots of positive semidefinite matrices, (n, k, k)."""
    return cholesky_over_groups(covariances.transpose(1, 2, 0), semidefinite=True).transpose(
        2, 0, 1
    )
