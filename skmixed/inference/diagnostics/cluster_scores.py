"""Scores of clusters, and what Bell and McCaffrey's adjustment makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor, differs_within
from skmixed.inference.diagnostics.contributions import Contributions, equal_batches, product_blocks
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups
from skmixed.likelihood.crossproducts import factor_products

__all__ = ["ClusterScores", "bias_reduced_scores"]

FloatArray = NDArray[np.float64]
# Some clusters, their V_j, X_j and r_j: (n, d, d), (n, d, p) and (n, d).
Part = tuple[NDArray[np.intp], FloatArray, FloatArray, FloatArray]

# Rows of the largest cluster whose covariance matrix is decomposed.
LARGEST = 3000
# Entries of the matrices of the clusters that are decomposed at a time.
BATCH = 2_000_000
# A direction of which less than this part is left of its variance is explained by the cluster.
EXPLAINED = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class ClusterScores:
    """Hold B_j r_j and moments of it under the model, with B_j = X_j'V_j^-1 A_j.

    X has columns for which X'V^-1 X = I; sigma^2 = 1. Clusters are the last axis.
    """

    score: FloatArray
    BVB: FloatArray
    BX: FloatArray


def bias_reduced_scores(
    rows: TrainingRows, clusters: GroupingFactor, contributions: Contributions
) -> ClusterScores:
    """Return the scores for A_j = L_j (L_j'(V_j - X_j C X_j')L_j)^(-1/2) L_j', V_j = L_j L_j'.

    Then A_j Var(r_j) A_j' = V_j, so that the sandwich has no bias where V holds (Bell and McCaffrey
    2002; Pustejovsky and Tipton 2018, equation 5). V_j is the covariance of the rows as they are
    observed: among the many roots, the one that is chosen depends on their scale.
    """
    p, n_clusters = contributions.Xr.shape
    score = np.zeros((p, n_clusters))
    BVB, BX = np.zeros((p, p, n_clusters)), np.zeros((p, p, n_clusters))
    # The directions of the rows of each cluster that only this cluster informs.
    explained = np.sum(
        np.linalg.eigvalsh(np.moveaxis(contributions.XX, -1, 0)) > 1.0 - EXPLAINED, axis=1
    )
    parts = (_reduced if _low_rank(rows, clusters) else _written_out)(rows, clusters)
    for chosen, V, X, r in parts:
        B = _adjusted(V, X, explained[chosen])
        score[:, chosen] = np.einsum("jpn,jn->pj", B, r)
        BVB[:, :, chosen] = (B @ V @ B.swapaxes(1, 2)).transpose(1, 2, 0)
        BX[:, :, chosen] = (B @ X).transpose(1, 2, 0)
    return ClusterScores(score, BVB, BX)


def _low_rank(rows: TrainingRows, clusters: GroupingFactor) -> bool:
    """Tell whether V_j is the identity, times a number, outside the span of the cluster's Z_j."""
    own = [block.codes for block in rows.blocks]
    if rows.error_covariance.at is not None:
        return False
    if len(own) > 1 or not all(np.array_equal(codes, clusters.codes) for codes in own):
        return False
    if rows.root is None or rows.design.weights.precision is None:
        return True
    return not differs_within(rows.root, clusters.codes).any()


def _reduced(rows: TrainingRows, clusters: GroupingFactor) -> Iterator[Part]:
    """Yield clusters in an orthonormal basis of the columns of Z Lambda and X, however large.

    Outside their span V is the identity and X is 0. With [Z Lambda, X]'[Z Lambda, X] = T T' the
    columns are those of T' there.
    """
    effects = [block.scaled for block in rows.blocks]
    spanning = np.concatenate([*effects, rows.orthonormal.T @ rows.fixed])
    k, d = sum(map(len, effects)), len(spanning)
    n_clusters = len(clusters.levels)
    sums = factor_products(spanning, rows.marginal[None], clusters.codes, n_clusters)
    T = cholesky_over_groups(sums.ZtWZ, semidefinite=True)
    r = solve_lower_over_groups(T, sums.ZtWA, semidefinite=True)[0]
    V = np.einsum("sag,sbg->gab", T[:k], T[:k]) + np.eye(d)
    step = max(BATCH // d**2, 1)
    for first in range(0, n_clusters, step):
        chosen = np.arange(first, min(first + step, n_clusters))
        yield chosen, V[chosen], T[k:, :, chosen].transpose(2, 1, 0), r[:, chosen].T


def _written_out(rows: TrainingRows, clusters: GroupingFactor) -> Iterator[Part]:
    """Yield clusters of equal size together, row by row as they are observed."""
    if rows.repeated:
        raise ValueError(
            'kind="CR2" needs every row by itself, but a frequency weight stands for several. '
            'Use kind="CR1", or fit the rows written out.'
        )
    largest = int(clusters.sizes.max())
    if largest > LARGEST:
        raise ValueError(
            f'kind="CR2" decomposes a matrix of the rows of each cluster; the largest of '
            f'{clusters.levels.name!r} has {largest} rows, more than {LARGEST}. Use kind="CR1".'
        )
    for chosen, positions in equal_batches(clusters.codes, BATCH):
        flat, X = positions.ravel(), np.moveaxis(rows.weighted_fixed[:, positions], 0, -1)
        V, r = rows.error_covariance.blocks(positions), rows.weighted_marginal[positions]
        for columns, block in zip(rows.weighted_effects, rows.blocks, strict=True):
            V += product_blocks(columns[:, flat], block.codes[flat], positions.shape)
        if rows.root is not None:
            root = rows.root[positions]
            V /= root[:, :, None] * root[:, None, :]
            X, r = X / root[:, :, None], r / root
        yield chosen, V, X, r


def _adjusted(V: FloatArray, X: FloatArray, explained: NDArray[np.intp]) -> FloatArray:
    """Return X'V^-1 A of clusters of one size, (n_clusters, p, size).

    With G = L'(V - X X')L it is X'L'^-1 G^(-1/2) L', the root without its null space.
    """
    L = np.linalg.cholesky(V)
    left = L.swapaxes(1, 2) @ (V - X @ X.swapaxes(1, 2)) @ L
    values, axes = np.linalg.eigh(left)
    remaining = np.arange(values.shape[1]) >= explained[:, None]
    roots = np.divide(
        1.0, np.sqrt(np.where(remaining, values, 1.0)), where=remaining, out=0.0 * values
    )
    outer = np.linalg.solve(L, X).swapaxes(1, 2)
    return ((outer @ axes) * roots[:, None, :]) @ axes.swapaxes(1, 2) @ L.swapaxes(1, 2)
