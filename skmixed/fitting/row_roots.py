"""Roots of the covariance that the random effects leave between rows of the same levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.batched import cholesky_over_groups
from skmixed.likelihood.errors import ConditionalErrors

__all__ = ["Cells", "row_roots"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Hold the combinations of the levels of all factors that occur, and the one of each row."""

    of_rows: Integers
    codes: list[Integers]

    @classmethod
    def of(cls, codes: list[Integers], n_rows: int) -> Cells:
        """Find the cells; the levels themselves where there is one factor."""
        if not codes:
            return cls(np.zeros(n_rows, dtype=np.intp), [])
        if len(codes) == 1:
            return cls(codes[0], [np.arange(codes[0].max() + 1)])
        together, of_rows = np.unique(np.column_stack(codes), axis=0, return_inverse=True)
        return cls(of_rows.reshape(-1), list(together.T))


def row_roots(errors: ConditionalErrors, Z: list[FloatArray], cells: Cells) -> FloatArray:
    """Return roots of Z D Z' between the rows of one cell, (n_effects, n).

    D is the covariance of all effects given the data and beta, and Z has (k, n) for each factor.
    """
    if not Z:
        return np.empty((0, len(cells.of_rows)))
    if len(Z) == 1:
        D = np.moveaxis(errors.covariances()[0], 0, -1)
    else:
        D = _joint_covariances(errors, [len(columns) for columns in Z], cells)
    root = cholesky_over_groups(D, semidefinite=True)[:, :, cells.of_rows]
    return np.asarray(np.einsum("qln,qn->ln", root, np.concatenate(Z)))


def _joint_covariances(errors: ConditionalErrors, sizes: list[int], cells: Cells) -> FloatArray:
    """Return D of the effects of all factors that meet in each cell, (k, k, n_cells)."""
    n_cells, k = len(cells.codes[0]), sum(sizes)
    roots = []
    for effect in np.eye(k):
        units = np.repeat(effect[:, None], n_cells, axis=1)
        Z = np.split(units, np.cumsum(sizes)[:-1])
        roots.append([root for root, _ in errors.parts(Z, cells.codes)])
    D = np.empty((k, k, n_cells))
    for q, left in enumerate(roots):
        for r, right in enumerate(roots[: q + 1]):
            products = [a * b for a, b in zip(left, right, strict=True)]
            D[q, r] = D[r, q] = sum(np.asarray(one.sum(axis=0)).ravel() for one in products)
    return D
