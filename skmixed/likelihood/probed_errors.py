"""The covariance of effects given the data where the inverse of M is estimated from probes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.effect_rows import both_sides
from skmixed.likelihood.iterative_errors import IterativeErrors
from skmixed.likelihood.penalised_factor import PenalisedFactor
from skmixed.likelihood.penalised_inverse import inverse_blocks
from skmixed.likelihood.probed_complement import ProbedComplement
from skmixed.likelihood.stochastic import error_probes

__all__ = ["probed_errors"]

FloatArray = NDArray[np.float64]


def probed_errors(
    system: PenalisedFactor, schur: ProbedComplement, factors: Sequence[FloatArray]
) -> IterativeErrors:
    """Estimate D = Lambda M^-1 Lambda', a block for each level beside what all levels share.

    Parameters
    ----------
    schur : ProbedComplement
        That of the system.
    factors : sequence of ndarray of shape (k, k)
        Lambda of each grouping factor.
    """
    elimination = system.elimination
    richer = ProbedComplement(schur.system, error_probes(elimination.shapes))
    inverse = inverse_blocks(elimination, system.stages, richer.inverse)
    blocks, shared = [], []
    directions = system.given_others(richer.shared.T)
    for L, own, W in zip(factors, inverse.own, directions, strict=True):
        rest = own - np.einsum("rag,rbg->abg", W, W)
        blocks.append(_semidefinite(both_sides(L.T, rest, L.T).transpose(2, 0, 1)))
        shared.append(np.einsum("ab,rbg->agr", L, W))
    return IterativeErrors(tuple(blocks), tuple(shared))


def _semidefinite(blocks: FloatArray) -> FloatArray:
    """Return blocks of shape (n, k, k) without the negative variances that chance has left."""
    values, vectors = np.linalg.eigh(0.5 * (blocks + blocks.swapaxes(1, 2)))
    return (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(1, 2)
