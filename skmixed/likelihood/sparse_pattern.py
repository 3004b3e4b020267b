"""Matrices that are filled again and again in the same places: sparse, but for small ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Matrix", "SparsePattern", "dense"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]
Matrix = FloatArray | sparse.csr_array

# A matrix of at most so many entries is held densely.
DENSE = 2_000_000


@dataclass(frozen=True, eq=False)
class SparsePattern:
    """Hold the places of a matrix's entries by rows, and the order in which they are given.

    Attributes
    ----------
    order : ndarray of shape (n_entries,)
        The given entry that stands in each place.
    indices, indptr : ndarray
        As those of a ``csr_array``.
    """

    order: Integers
    indices: NDArray[np.integer]
    indptr: NDArray[np.integer]
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: Integers, columns: Integers, shape: tuple[int, int]) -> SparsePattern:
        """Arrange entries at these places, all different.

        Parameters
        ----------
        rows, columns : ndarray of shape (n_entries,)
        """
        order = np.lexsort((columns, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        size = np.int32 if len(rows) < np.iinfo(np.int32).max else np.int64
        return cls(order, columns[order].astype(size), indptr.astype(size), shape)

    @cached_property
    def _flat(self) -> Integers:
        """Return the given entries' places in a dense matrix."""
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        places = np.empty_like(self.order)
        places[self.order] = rows * self.shape[1] + self.indices
        return places

    def filled(self, values: FloatArray) -> Matrix:
        """Return the matrix with these values in the places that were given.

        Parameters
        ----------
        values : ndarray of shape (n_entries,)
        """
        if self.shape[0] * self.shape[1] <= DENSE:
            filled = np.zeros(self.shape)
            filled.ravel()[self._flat] = values
            return filled
        matrix = sparse.csr_array(
            (values[self.order], self.indices, self.indptr), shape=self.shape, copy=False
        )
        matrix.has_canonical_format = True
        return matrix


def dense(matrix: Matrix) -> FloatArray:
    """Return a matrix as an array of its own."""
    return matrix.copy() if isinstance(matrix, np.ndarray) else matrix.toarray()
