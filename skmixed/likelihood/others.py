"""Dense matrices over the effects of all levels of the factors that are not eliminated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf

__all__ = ["OtherFactors"]

FloatArray = NDArray[np.float64]

# Below this condition Lambda^-1 loses too many digits, and the products are formed without it.
SINGULAR = 1e-6


class OtherFactors:
    """Do algebra with Lambda_U, which has one Lambda for all levels of each factor.

    Coordinates run through the factors, the effects of each and its levels; ``shapes`` counts
    these.
    """

    def __init__(self, shapes: list[tuple[int, int]]) -> None:
        self.shapes = shapes
        ends = np.cumsum([0, *(k * n_levels for k, n_levels in shapes)])
        self.n_coordinates = int(ends[-1])
        self._parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]

    def split(self, columns: FloatArray) -> list[FloatArray]:
        """Split coordinates by factor: (n, n_coordinates) to (n, k, n_levels) each."""
        return [
            columns[:, part].reshape(len(columns), *shape)
            for part, shape in zip(self._parts, self.shapes, strict=True)
        ]

    def joined(self, of_factors: Sequence[FloatArray]) -> FloatArray:
        """Return rows for each factor's columns, (m, k, n_levels) each, 0 for other factors."""
        rows = np.zeros((sum(len(v) for v in of_factors), self.n_coordinates))
        start = 0
        for v, part in zip(of_factors, self._parts, strict=True):
            rows[start : start + len(v), part] = v.reshape(len(v), -1)
            start += len(v)
        return rows

    def times(
        self, matrix: FloatArray, factors: Sequence[FloatArray], *, transposed: bool = False
    ) -> FloatArray:
        """Return matrix Lambda_U, or matrix Lambda_U'."""
        product = np.empty(matrix.shape)
        for Lambda, part, (k, n_levels) in zip(factors, self._parts, self.shapes, strict=True):
            mixer = Lambda if transposed else Lambda.T
            if k == 1:
                np.multiply(matrix[:, part], mixer[0, 0], out=product[:, part])
            else:
                columns = matrix[:, part].reshape(len(matrix), k, n_levels)
                product[:, part] = np.matmul(mixer, columns).reshape(len(matrix), k * n_levels)
        return product

    def both_sides(
        self, matrix: FloatArray, factors: Sequence[FloatArray], *, transposed: bool = False
    ) -> FloatArray:
        """Return Lambda_U'matrix Lambda_U of a symmetric matrix, or Lambda_U matrix Lambda_U'."""
        if any(k > 1 for k, _ in self.shapes):
            once = self.times(matrix, factors, transposed=transposed)
            return self.times(once.T, factors, transposed=transposed)
        scale = self.times(np.ones((1, self.n_coordinates)), factors)[0]
        product = matrix * scale
        product *= scale[:, None]
        return product

    def cholesky(self, S: FloatArray, factors: Sequence[FloatArray]) -> FloatArray:
        """Return the lower triangle L with L L' = Lambda_U'S Lambda_U + I."""
        M = self.both_sides(S, factors)
        if not M.size:
            return M
        M[np.diag_indices_from(M)] += 1.0
        # M is symmetric, and its transpose is in LAPACK's order.
        L, first_bad = dpotrf(M.T, lower=1, overwrite_a=1)
        if first_bad:
            raise np.linalg.LinAlgError(f"M is indefinite within rounding at row {first_bad}.")
        return np.asarray(L)

    def traces(
        self, S: FloatArray, inverse: FloatArray, K: FloatArray, factors: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """Return the sums over levels of the blocks of S - S K S with K = Lambda_U M^-1 Lambda_U'.

        Since (S - S K S) Lambda_U = S Lambda_U M^-1, a regular Lambda leaves no dense product.
        """
        SLambda = self.times(S, factors)
        traces = []
        for part, Lambda, (k, n_levels) in zip(self._parts, factors, self.shapes, strict=True):
            sizes = np.linalg.svd(Lambda, compute_uv=False)
            if sizes[-1] > SINGULAR * sizes[0]:
                # The sum over levels of the products of their blocks.
                mixed = SLambda[part].reshape(k, -1) @ inverse[part].reshape(k, -1).T
                trace = np.linalg.solve(Lambda.T, mixed.T)
            else:
                net = S[part, part] - (S[part] @ K) @ S[:, part]
                trace = np.einsum("qgrg->qr", net.reshape(k, n_levels, k, n_levels))
            traces.append(0.5 * (trace + trace.T))
        return traces
