"""Sparse matrices that are filled again and again in the same places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["SparsePattern"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SparsePattern:
    """Hold the places of a matrix's entries by rows, and the order in which they are given.

    Attributes
    ----------
    order : ndarray of shape (n_entries,)
        The given entry that stands in each place.
    indices, indptr : ndarray
        As those of a ``csr_array``.
    shape : (int, int)
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
        shape : (int, int)
        """
        order = np.lexsort((columns, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        size = np.int32 if len(rows) < np.iinfo(np.int32).max else np.int64
        return cls(order, columns[order].astype(size), indptr.astype(size), shape)

    def filled(self, values: FloatArray) -> sparse.csr_array:
        """Return the matrix with these values in the places that were given.

        Parameters
        ----------
        values : ndarray of shape (n_entries,)
        """
        matrix = sparse.csr_array(
            (values[self.order], self.indices, self.indptr), shape=self.shape, copy=False
        )
        matrix.has_canonical_format = True
        return matrix
