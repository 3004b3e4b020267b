"""The marginal model y ~ N(X beta, V) of a fit, cluster by cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import differs_within
from skmixed.residual.covariance_blocks import CovarianceBlocks, NaturalCovariance

__all__ = ["Batch", "MarginalModel", "RandomPart"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Numbers in the largest array of one batch.
LARGEST = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class RandomPart:
    """Hold the random effects of one factor, and in which directions their covariance can move."""

    columns: FloatArray
    codes: Integers
    name: str
    covariance: FloatArray
    directions: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Hold clusters of m rows each, those of one pattern with the same covariance.

    Positions of rows have the shape (n_patterns, c, m); each pattern counts for a number of
    clusters.
    """

    rows: Integers
    counts: FloatArray


@dataclass(frozen=True, eq=False)
class MarginalModel:
    """Hold the rows, times the root of their weights, and what their covariance is made of.

    Attributes
    ----------
    covariance : ndarray of shape (p, p)
        (X'V^-1 X)^-1.
    groups : ndarray of shape (n,)
        Codes of the groups within which residuals are correlated.
    order : ndarray of shape (n,)
        The rows by group and time.
    keys : ndarray of shape (n, n_keys)
        What the covariance of a row's residual with others of its group depends on.
    counts : ndarray of shape (n,) or None
        How many times the cluster of each row counts.
    """

    X: FloatArray
    residuals: FloatArray
    covariance: FloatArray
    residual: NaturalCovariance
    random: Sequence[RandomPart]
    groups: Integers
    order: Integers
    keys: FloatArray
    counts: FloatArray | None = None

    @property
    def n_parameters(self) -> int:
        """Count those of the random effects, which come first, and of the residuals."""
        return sum(len(one.directions) for one in self.random) + len(self.residual.values)

    def blocks(self, rows: Integers) -> CovarianceBlocks:
        """Compute the covariances of clusters of rows, (n_clusters, m), and their derivatives.

        Second derivatives are those of the residuals' parameters: in the others V is linear.
        """
        own = self.residual.blocks(rows)
        V, slopes = own.values, []
        for part in self.random:
            codes, Z = part.codes[rows], part.columns[rows]
            same = codes[:, :, None] == codes[:, None, :]
            V = V + same * (Z @ part.covariance @ Z.swapaxes(1, 2))
            moved = Z @ part.directions[:, None] @ Z.swapaxes(1, 2)
            slopes.append(same * moved)
        return CovarianceBlocks(V, np.concatenate([*slopes, own.first]), own.second)

    def evaluated(self) -> Iterable[tuple[Batch, CovarianceBlocks]]:
        """Return the batches with their covariances, kept for another time where they are small."""
        in_blocks = 2 + (1 if self.residual.linear else self.n_parameters) * self.n_parameters
        sizes = sum(len(one.counts) * one.rows.shape[2] ** 2 for one in self.batches)
        if sizes * in_blocks <= LARGEST:
            return self._kept
        return ((one, self.blocks(one.rows[:, 0])) for one in self.batches)

    @cached_property
    def _kept(self) -> list[tuple[Batch, CovarianceBlocks]]:
        """Return the batches with their covariances, computed together for each size."""
        found = []
        for _, same_size in groupby(self.batches, key=lambda one: one.rows.shape[2]):
            batches = list(same_size)
            whole = self.blocks(np.concatenate([one.rows[:, 0] for one in batches]))
            ends = np.cumsum([len(one.counts) for one in batches])
            for batch, end in zip(batches, ends, strict=True):
                found.append((batch, whole.select(slice(end - len(batch.counts), end))))
        return found

    @cached_property
    def batches(self) -> list[Batch]:
        """Return the independent clusters, those of one size and one number to a pattern together.

        There are at most as many batches of one size as different numbers add up to the clusters.
        """
        found = []
        order = self.order[np.argsort(self.clusters[self.order], kind="stable")]
        starts = np.flatnonzero(np.diff(self.clusters[order], prepend=-1))
        lengths = np.diff(np.append(starts, len(order)))
        for m in np.unique(lengths):
            rows = order[starts[lengths == m][:, None] + np.arange(m)]
            pattern = self._patterns(rows)
            repeats = np.bincount(pattern)[pattern]
            by = np.lexsort((pattern, repeats))
            for c in np.unique(repeats):
                own = rows[by][repeats[by] == c].reshape(-1, c, m)
                parts = np.array_split(own, self._n_parts(own))
                found += [Batch(part, self._counted(part)) for part in parts]
        return found

    @cached_property
    def clusters(self) -> Integers:
        """Return the codes of the coarsest grouping, in which all others must be nested."""
        groupings = [("the groups of the residuals", self.groups)]
        groupings += [(repr(part.name), part.codes) for part in self.random]
        name, codes = min(groupings, key=lambda one: len(np.unique(one[1])))
        for other, finer in groupings:
            if differs_within(codes, finer).any():
                raise ValueError(
                    f"Kenward and Roger's method with a residual structure, or with the observed "
                    f"information, needs independent clusters of rows, and {other} and {name} are "
                    "crossed. Use df_method='satterthwaite'."
                )
        return codes

    def _patterns(self, rows: Integers) -> Integers:
        """Return which covariance each cluster has, numbered."""
        parts = [self.keys[rows], *(part.columns[rows] for part in self.random)]
        for codes in (self.groups, *(part.codes for part in self.random)):
            own = codes[rows]
            # A level is named by its first row of the cluster.
            parts.append(np.argmax(own[:, :, None] == own[:, None, :], axis=2)[..., None])
        flat = np.concatenate(parts, axis=2).reshape(len(rows), -1)
        return np.unique(flat, axis=0, return_inverse=True)[1].reshape(-1)

    def _n_parts(self, rows: Integers) -> int:
        """Return into how many parts to split a batch so that its arrays stay small."""
        n_patterns, c, m = rows.shape
        K, p = self.n_parameters, self.X.shape[1] + 1
        in_blocks = (K if self.residual.linear else K * K) * m
        each = m * max(in_blocks, min(K * c * p, m * p * p), c * p)
        return min(n_patterns, -(-n_patterns * each // LARGEST))

    def _counted(self, rows: Integers) -> FloatArray:
        """Return how many clusters each pattern counts for."""
        if self.counts is None:
            return np.full(len(rows), float(rows.shape[1]))
        return self.counts[rows[:, :, 0]].sum(axis=1)
