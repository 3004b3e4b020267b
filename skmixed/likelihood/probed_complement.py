"""The inverse of S = A - sum C'C and its determinant, estimated from random probes.

With the preconditioned system of ``jacobi_system``, S^-1 = L_D'^-1 M~^-1 L_D^-1, and M~^-1 is the
identity and some pairs of vectors (``stochastic``). So S^-1 is the inverse of the blocks on the
diagonal, and a matrix of low rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.jacobi_system import JacobiSystem
from skmixed.likelihood.sparse_pattern import Matrix
from skmixed.likelihood.stochastic import InverseEstimate, Probes, estimate_inverse

__all__ = ["LowRankEntries", "ProbedComplement"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class LowRankEntries:
    """Read entries of a sparse matrix and a sum of outer products.

    Attributes
    ----------
    control : sparse array of shape (n, n)
    left, right : ndarray of shape (n, m)
        The matrix is control + left right'.
    """

    control: sparse.csr_array
    left: FloatArray
    right: FloatArray

    def at(self, rows: Integers, columns: Integers) -> FloatArray:
        """Return V at some places."""
        return _read(self.control, self.left, self.right, rows, columns)

    def carried(self, K: Matrix, rows: Integers, columns: Integers) -> FloatArray:
        """Return K V at some places."""
        return _read(K @ self.control, K @ self.left, self.right, rows, columns)


@dataclass(frozen=True, eq=False)
class ProbedComplement:
    """Hold S; its inverse and its determinant are estimated, solutions are exact."""

    system: JacobiSystem
    probes: Probes

    @cached_property
    def estimate(self) -> InverseEstimate:
        """Return what the probes tell of M~^-1."""
        return estimate_inverse(self.system, self.probes)

    @property
    def log_determinant(self) -> float:
        """Return log|S|."""
        return self.system.log_determinant + float(self.estimate.log_determinants.mean())

    @property
    def log_determinant_error(self) -> float:
        """Return its Monte-Carlo standard error."""
        logs = self.estimate.log_determinants
        return float(logs.std(ddof=1) / np.sqrt(len(logs)))

    @property
    def least_pivot(self) -> float:
        """Return the least square on the diagonals of the blocks' factors."""
        return self.system.least_pivot

    @cached_property
    def inverse(self) -> LowRankEntries:
        """Return the estimated inverse."""
        estimate = self.estimate
        return self._entries(estimate.left * estimate.weights, estimate.right)

    @property
    def shared(self) -> FloatArray:
        """Return a root of the exact part of the inverse, of shape (n, r)."""
        return np.asarray(self.system.root @ self.estimate.low_rank)

    @property
    def replicates(self) -> Sequence[LowRankEntries]:
        """Return independent estimates, whose mean the inverse is."""
        estimate = self.estimate
        n, n_replicates = self.probes.columns.shape[1], self.probes.n_replicates
        found = []
        for own in np.arange(n).reshape(n_replicates, -1):
            used = np.concatenate([own, np.arange(n, estimate.left.shape[1])])
            weights = estimate.weights[used]
            weights[: len(own)] *= n_replicates
            found.append(self._entries(estimate.left[:, used] * weights, estimate.right[:, used]))
        return found

    def _entries(self, left: FloatArray, right: FloatArray) -> LowRankEntries:
        """Return the inverse of S, given that of M~ beyond the identity."""
        root = self.system.root
        return LowRankEntries(self._control, root @ left, root @ right)

    @cached_property
    def _control(self) -> sparse.csr_array:
        """Return the inverse of the blocks on the diagonal."""
        root = self.system.root
        return sparse.csr_array(root @ root.T)

    def solve(self, right: FloatArray) -> FloatArray:
        """Return S^-1 B for B of shape (n, m)."""
        return self.system.solve(right)


def _read(
    control: Matrix, left: FloatArray, right: FloatArray, rows: Integers, columns: Integers
) -> FloatArray:
    """Return control + left right' at some places."""
    i, j = rows.ravel(), columns.ravel()
    values = np.array(control[i, j], dtype=np.float64)
    for one, other in zip(np.array(left.T), np.array(right.T), strict=True):
        values += one.take(i) * other.take(j)
    return values.reshape(rows.shape)
