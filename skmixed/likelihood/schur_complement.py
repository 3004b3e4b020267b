"""What elimination leaves of a positive definite matrix, S = A - sum C'C, and its dense inverse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf, dpotri

from skmixed.likelihood.jacobi_system import JacobiSystem
from skmixed.likelihood.sparse_pattern import Matrix, dense
from skmixed.likelihood.threads import threads_for

__all__ = ["DenseComplement", "DenseEntries", "InverseEntries", "SchurComplement"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# From this size on, a system is solved by conjugate gradients as long as no factor is there.
LARGE = 400
# Entries of the inverse that are looked up at once.
AT_ONCE = 50_000


class InverseEntries(Protocol):
    """Entries of V = S^-1."""

    def at(self, rows: Integers, columns: Integers) -> FloatArray:
        """Return V at some places."""
        ...

    def carried(self, K: Matrix, rows: Integers, columns: Integers) -> FloatArray:
        """Return K V at some places, all of the same shape."""
        ...


class SchurComplement(Protocol):
    """S as the factorisation of M needs it, exactly or estimated."""

    @property
    def log_determinant(self) -> float:
        """Return log|S|."""
        ...

    @property
    def log_determinant_error(self) -> float:
        """Return its Monte-Carlo standard error."""
        ...

    @property
    def least_pivot(self) -> float:
        """Return the least square on the diagonal of a factor, or a bound from above."""
        ...

    @property
    def inverse(self) -> InverseEntries:
        """Return the entries of the inverse."""
        ...

    @property
    def replicates(self) -> Sequence[InverseEntries]:
        """Return independent estimates whose mean the inverse is; none where it is exact."""
        ...

    def solve(self, right: FloatArray) -> FloatArray:
        """Return S^-1 B for B of shape (n, m)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DenseEntries:
    """Read entries from the inverse itself.

    Attributes
    ----------
    matrix : ndarray of shape (n, n)
    """

    matrix: FloatArray

    def at(self, rows: Integers, columns: Integers) -> FloatArray:
        """Return V at some places."""
        return np.asarray(self.matrix[rows, columns])

    def carried(self, K: Matrix, rows: Integers, columns: Integers) -> FloatArray:
        """Return K V at some places: sums over the entries in the same rows of K."""
        if isinstance(K, np.ndarray):
            return np.asarray((K @ self.matrix)[rows, columns])
        i, j, n = rows.ravel(), columns.ravel(), len(self.matrix)
        # The inverse is symmetric: its entries come in one order by rows and by columns.
        entries = self.matrix.ravel(order="K")
        found = np.empty(len(i))
        for own, which, places in _entries_of_rows(K, i):
            V = entries.take(K.indices.take(places) + n * j[own].take(which))
            found[own] = np.bincount(which, K.data.take(places) * V, len(found[own]))
        return found.reshape(rows.shape)


@dataclass(frozen=True, eq=False)
class DenseComplement:
    """Hold S; a factor is made for determinants and inverses, solutions may do without.

    Attributes
    ----------
    system : JacobiSystem
        S, to multiply with.
    """

    system: JacobiSystem

    log_determinant_error = 0.0
    replicates: tuple[InverseEntries, ...] = ()

    @cached_property
    def lower(self) -> FloatArray:
        """Return L with L L' = S.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is not positive definite.
        """
        n = self.system.n
        if not n:
            return np.empty((0, 0))
        left = dense(self.system.whole)
        with threads_for(n):
            for C in self.system.owed:
                left -= C.T @ C if isinstance(C, np.ndarray) else (C.T @ C).toarray()
            lower, failed = dpotrf(left.T, lower=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("M is not positive definite.")
        return np.asarray(lower, dtype=np.float64)

    @cached_property
    def log_determinant(self) -> float:
        """Return log|S|."""
        return 2.0 * float(np.log(self.lower.diagonal()).sum())

    @property
    def least_pivot(self) -> float:
        """Return the least square on the diagonal of L."""
        return float(self.lower.diagonal().min(initial=1.0) ** 2)

    @cached_property
    def inverse(self) -> DenseEntries:
        """Return the inverse."""
        if not self.system.n:
            return DenseEntries(self.lower)
        with threads_for(self.system.n):
            inverse = dpotri(self.lower, lower=1)[0]
        inverse += inverse.T
        inverse[np.diag_indices_from(inverse)] *= 0.5
        return DenseEntries(np.asarray(inverse, dtype=np.float64))

    def solve(self, right: FloatArray) -> FloatArray:
        """Return S^-1 B for B of shape (n, m).

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is not positive definite.
        """
        if self.system.n < LARGE or "lower" in self.__dict__:
            solution = cho_solve((self.lower, True), right, check_finite=False)
            return np.asarray(solution, dtype=np.float64)
        return self.system.solve(right)


def _entries_of_rows(
    K: sparse.csr_array, rows: Integers
) -> Iterator[tuple[slice, Integers, Integers]]:
    """Yield slices of some rows; which of the slice, and where in K, all their entries are."""
    counts = np.diff(K.indptr)[rows]
    ends = np.cumsum(counts)
    first = 0
    while first < len(rows):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + AT_ONCE, side="right")))
        own = slice(first, last)
        before = ends[own] - counts[own] - done
        which = np.repeat(np.arange(last - first), counts[own])
        yield own, which, np.arange(len(which)) + (K.indptr[rows[own]] - before)[which]
        first = last
