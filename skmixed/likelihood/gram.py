"""Sums over the levels of the largest factor of products of the other factors' columns.

With c_g the few columns that meet level g, each of length k, both an evaluation and its gradient
need sums over levels: sum c_g' W_g c_g with a weight of each level, and c_g K c_g' of each level.
Both are linear, one the adjoint of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["DenseSums", "LevelSums", "PairSums", "SumsCost", "level_sums", "sums_costs"]

FloatArray = NDArray[np.float64]

# Time for a pair of columns in a sparse sum, where 1 is a multiplication in a dense product, and
# the memory that it takes while the pairs are found.
PAIR = 50.0
PAIR_BYTES = 50.0


class LevelSums(Protocol):
    """The sums over levels of products of columns."""

    def weighted(self, root: FloatArray) -> FloatArray:
        """Return sum c_g' W_g c_g, of shape (q, q), with W = root'root of each level."""
        ...

    def contracted(self, K: FloatArray) -> FloatArray:
        """Return c_g K c_g' of each level, of shape (k, k, n_levels), K being symmetric."""
        ...


@dataclass(frozen=True, slots=True)
class SumsCost:
    """Hold what both sums cost in multiplications of a dense product, and in memory."""

    flops: float
    n_bytes: float


def sums_costs(counts: NDArray[np.integer], k: int, q: int) -> tuple[SumsCost, SumsCost]:
    """Estimate the costs of sums over pairs, and of dense sums, with k effects and q columns."""
    met = counts.astype(np.float64)
    n_pairs = 0.5 * k * k * float(met @ (met + 1.0))
    entries = float(k * len(counts)) * q
    return (
        SumsCost(PAIR * n_pairs, PAIR_BYTES * n_pairs),
        SumsCost(1.5 * entries * q, 4.0 * 8.0 * entries),
    )


def level_sums(columns: sparse.csr_array, k: int) -> LevelSums:
    """Choose the faster way for columns (k * n_levels, q) whose effects have the same entries."""
    n_levels = columns.shape[0] // k
    counts = np.diff(columns.indptr[: n_levels + 1])
    pairs, dense = sums_costs(counts, k, columns.shape[1])
    return PairSums(columns, k) if pairs.flops < dense.flops else DenseSums(columns, k)


class DenseSums:
    """Multiply the columns as dense matrices."""

    def __init__(self, columns: sparse.csr_array, k: int) -> None:
        self._columns = columns.T.toarray().reshape(columns.shape[1], k, columns.shape[0] // k)

    def weighted(self, root: FloatArray) -> FloatArray:
        """Return sum c_g' W_g c_g, of shape (q, q), with W = root'root of each level."""
        q = len(self._columns)
        whitened = np.einsum("lmg,amg->alg", root, self._columns).reshape(q, -1)
        return whitened @ whitened.T

    def contracted(self, K: FloatArray) -> FloatArray:
        """Return c_g K c_g' of each level, of shape (k, k, n_levels), K being symmetric."""
        q = len(self._columns)
        moved = (K @ self._columns.reshape(q, -1)).reshape(self._columns.shape)
        return np.einsum("alg,amg->lmg", self._columns, moved)


class PairSums:
    """Sum over the pairs of columns that meet in a level, found once.

    An entry of a sum belongs to a pair of columns, a weight to a level: the sum is a sparse matrix
    times the weights, and its transpose gives the contraction.
    """

    def __init__(self, columns: sparse.csr_array, k: int) -> None:
        self._k, self._q = k, columns.shape[1]
        n_levels = columns.shape[0] // k
        starts = columns.indptr[: n_levels + 1].astype(np.intp)
        n_entries = int(starts[-1])
        column = columns.indices[:n_entries].astype(np.intp)
        values = columns.data.reshape(k, n_entries)
        left, right, ends = _pairs_within_levels(starts)
        place = np.maximum(column[left], column[right]) * self._q
        place += np.minimum(column[left], column[right])
        self._sums = {
            (a, b): sparse.csc_array(
                (_products(values, a, b, left, right), place, ends), shape=(self._q**2, n_levels)
            )
            for a in range(k)
            for b in range(a, k)
        }

    def weighted(self, root: FloatArray) -> FloatArray:
        """Return sum c_g' W_g c_g, of shape (q, q), with W = root'root of each level."""
        half = np.zeros(self._q**2)
        for (a, b), sums in self._sums.items():
            half += sums @ np.einsum("lg,lg->g", root[:, a], root[:, b])
        lower = half.reshape(self._q, self._q)
        return lower + lower.T

    def contracted(self, K: FloatArray) -> FloatArray:
        """Return c_g K c_g' of each level, of shape (k, k, n_levels), K being symmetric."""
        flat = K.ravel()
        contracted = np.empty((self._k, self._k, next(iter(self._sums.values())).shape[1]))
        for (a, b), sums in self._sums.items():
            contracted[a, b] = contracted[b, a] = np.asarray(sums.T @ flat)
        contracted[np.diag_indices(self._k)] *= 2.0
        return contracted


def _pairs_within_levels(
    starts: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of entries of each level, no pair twice, and where each level's end."""
    n_entries = int(starts[-1])
    first = np.repeat(starts[:-1], np.diff(starts))
    partners = np.arange(n_entries) - first + 1
    ends = np.concatenate([[0], np.cumsum(partners)])
    left = np.repeat(np.arange(n_entries), partners)
    right = np.arange(len(left)) - np.repeat(ends[:-1] - first, partners)
    return left, right, ends[starts]


def _products(
    values: FloatArray, a: int, b: int, left: NDArray[np.intp], right: NDArray[np.intp]
) -> FloatArray:
    """Return the coefficients of W_ab = W_ba in half the sum; a pair of one entry counts half."""
    products = values[a, left] * values[b, right]
    if a != b:
        products += values[b, left] * values[a, right]
    products[left == right] *= 0.5
    return products
