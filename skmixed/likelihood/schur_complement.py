"""What elimination leaves of a positive definite matrix: A - sum C'C, formed when it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf, dpotri

from skmixed.likelihood.conjugate_gradients import conjugate_gradients
from skmixed.likelihood.threads import threads_for

__all__ = ["Owed", "SchurComplement"]

FloatArray = NDArray[np.float64]
Owed = FloatArray | sparse.csr_array

# From this size on, a system is solved by conjugate gradients as long as no factor is there.
LARGE = 400
# Length of a residual relative to the right-hand side: the steps that need it come nearer anyway.
TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class SchurComplement:
    """Hold A - sum C'C; a factor is made for determinants and inverses, solutions may do without.

    Attributes
    ----------
    whole : sparse array of shape (n, n)
        A.
    owed : sequence of ndarray or sparse array of shape (m, n)
        The C.
    """

    whole: sparse.csr_array
    owed: Sequence[Owed]

    @property
    def n(self) -> int:
        """Return the size."""
        return int(self.whole.shape[0])

    @cached_property
    def lower(self) -> FloatArray:
        """Return L with L L' = A - sum C'C.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is not positive definite.
        """
        if not self.n:
            return np.empty((0, 0))
        dense = self.whole.toarray()
        with threads_for(self.n):
            for C in self.owed:
                dense -= C.T @ C if isinstance(C, np.ndarray) else (C.T @ C).toarray()
            lower, failed = dpotrf(dense.T, lower=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("M is not positive definite.")
        return np.asarray(lower, dtype=np.float64)

    @cached_property
    def inverse(self) -> FloatArray:
        """Return the inverse."""
        if not self.n:
            return self.lower
        with threads_for(self.n):
            inverse = dpotri(self.lower, lower=1)[0]
        inverse += inverse.T
        inverse[np.diag_indices_from(inverse)] *= 0.5
        return np.asarray(inverse, dtype=np.float64)

    def solve(self, right: FloatArray) -> FloatArray:
        """Return (A - sum C'C)^-1 B for B of shape (n, m).

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is not positive definite.
        """
        if self.n < LARGE or "lower" in self.__dict__:
            solution = cho_solve((self.lower, True), right, check_finite=False)
            return np.asarray(solution, dtype=np.float64)
        diagonal = self.whole.diagonal()
        for C in self.owed:
            diagonal = diagonal - _squared_lengths(C)
        if not (diagonal > 0.0).all():
            raise np.linalg.LinAlgError("M is not positive definite.")
        scale = 1.0 / np.sqrt(diagonal)[:, None]

        def multiply(x: FloatArray) -> FloatArray:
            outward = scale * x
            moved = self.whole @ outward
            for C in self.owed:
                moved -= C.T @ (C @ outward)
            return np.asarray(scale * moved, dtype=np.float64)

        return scale * conjugate_gradients(multiply, scale * right, tolerance=TOLERANCE).X


def _squared_lengths(C: Owed) -> FloatArray:
    """Return the sum of squares of each column."""
    if isinstance(C, np.ndarray):
        return np.einsum("mn,mn->n", C, C)
    return np.asarray(C.power(2).sum(axis=0), dtype=np.float64).ravel()
