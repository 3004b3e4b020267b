"""Inner products of changes of V, over all rows and as the error contrasts see them.

A change of the variances (sigma^2, G), G the covariance of the effects, changes V, whitened, by

    D = a I + W^(1/2) sum Z E Z' W^(1/2).

With C = Z_i'WZ_j of two levels, tr(D_E D_F) is the sum of tr(E C F C'). The error contrasts see
M D M, where M = I - P projects out X, and that takes 2 tr(P D_E D_F) - tr(P D_E P D_F) away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from skmixed.likelihood.batched import repeated, sum_of_outer_products
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts

__all__ = ["ContrastGram", "IndependentColumns"]

FloatArray = NDArray[np.float64]
Pair = tuple[int, int]

# Columns are made independent down to this part of their largest variation, squared.
DEPENDENT = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class IndependentColumns:
    """Hold the products of a factor's columns of Z, orthonormalised over all rows."""

    root: FloatArray
    inverse: FloatArray  # The columns are Z inverse, and E for them is root'E root.
    A: FloatArray  # (k, k, n_levels): Z'WZ of each level.
    T: FloatArray  # (p, k, n_levels): Z'W with orthonormal columns that span X.
    multiplicity: FloatArray | None

    @classmethod
    def of(cls, factor: FactorProducts, L: FloatArray) -> IndependentColumns:
        """Make them of the products of a factor, L being the triangle with L L' = X'WX."""
        p, (k, _, n_levels) = len(L), factor.ZtWZ.shape
        values, vectors = np.linalg.eigh(repeated(factor.ZtWZ, factor.multiplicity).sum(axis=-1))
        lengths = np.sqrt(np.maximum(values, DEPENDENT * values[-1]))
        lengths[lengths == 0.0] = 1.0
        inverse = vectors / lengths
        T = solve_triangular(L, factor.ZtWA[:-1].reshape(p, k * n_levels), lower=True)
        return cls(
            root=vectors * lengths,
            inverse=inverse,
            A=_between(inverse, factor.ZtWZ, inverse),
            T=np.einsum("ab,pag->pbg", inverse, T.reshape(p, k, n_levels)),
            multiplicity=factor.multiplicity,
        )

    @property
    def lengths(self) -> tuple[float, float]:
        """Return the typical length of a change of V, and a bound of its spectral norm."""
        squares = np.einsum("abg,abg->g", self.A, self.A)
        typical = float(np.sqrt(repeated(squares, self.multiplicity).sum())) or 1.0
        return typical, float(np.sqrt(squares.max()))

    @property
    def forms(self) -> FloatArray:
        """Return sum T'E T for each entry of E, of shape (k * k, p * p)."""
        p, k, n_levels = self.T.shape
        flat = self.T.reshape(p * k, n_levels)
        pairs = sum_of_outer_products(flat, flat, self.multiplicity).reshape(p, k, p, k)
        return pairs.transpose(1, 3, 0, 2).reshape(k * k, p * p)


class ContrastGram:
    """Compute the inner products of all changes: a, then the entries of E of each factor, raveled.

    The entries are those for the independent columns ``factors``.
    """

    def __init__(self, products: CrossProducts) -> None:
        L = np.asarray(np.linalg.cholesky(products.AtWA[:-1, :-1]), dtype=np.float64)
        self.n_coefficients = len(L)
        self.factors = [IndependentColumns.of(factor, L) for factor in products.factors]
        self._products = products

    def over_rows(self) -> FloatArray:
        """Return tr(D_E D_F)."""
        traces = [repeated(one.A, one.multiplicity).sum(axis=-1).ravel() for one in self.factors]
        blocks = {}
        for i, j in self._pairs:
            C, _, _ = self._cells(i, j)
            blocks[i, j] = _contracted(C, C, self.factors[i].multiplicity)
        return _arranged(self._products.n_rows, traces, blocks)

    def hidden(self) -> FloatArray:
        """Return what the fixed effects take away: 2 tr(P D_E D_F) - tr(P D_E P D_F)."""
        p = self.n_coefficients
        forms = [one.forms for one in self.factors]
        traces = [form[:, :: p + 1].sum(axis=1) for form in forms]
        blocks = {}
        for i, j in self._pairs:
            C, left, right = self._cells(i, j)
            TT = np.zeros_like(C)
            for of_left, of_right in zip(self.factors[i].T, self.factors[j].T, strict=True):
                TT += of_left[:, None, left] * of_right[None, :, right]
            both = _contracted(TT, C, self.factors[i].multiplicity)
            blocks[i, j] = 2.0 * both - forms[i] @ forms[j].T
        return _arranged(p, traces, blocks)

    @property
    def _pairs(self) -> list[Pair]:
        """Return the pairs of factors, each with itself too."""
        return list(combinations_with_replacement(range(len(self.factors)), 2))

    def _cells(self, i: int, j: int) -> tuple[FloatArray, NDArray[np.integer], NDArray[np.integer]]:
        """Return Z_i'WZ_j of the pairs of levels that meet, and these levels."""
        if i == j:
            levels = np.arange(self.factors[i].A.shape[-1])
            return self.factors[i].A, levels, levels
        cells = self._products.crossed[i, j]
        between = _between(self.factors[i].inverse, cells.values, self.factors[j].inverse)
        return between, cells.left, cells.right


def _between(left: FloatArray, values: FloatArray, right: FloatArray) -> FloatArray:
    """Return left'values right of each level or cell."""
    return np.einsum("bcg,cd->bdg", np.einsum("ab,acg->bcg", left, values), right)


def _contracted(B: FloatArray, C: FloatArray, multiplicity: FloatArray | None) -> FloatArray:
    """Sum tr(E C F B') = E_ab C_bc F_cd B_ad for each entry of E and of F: (k_i^2, k_j^2)."""
    k_i, k_j, n = C.shape
    size = k_i * k_j
    pairs = sum_of_outer_products(B.reshape(size, n), C.reshape(size, n), multiplicity)
    # The axes are a, d, b, c.
    return pairs.reshape(k_i, k_j, k_i, k_j).transpose(0, 2, 3, 1).reshape(k_i**2, k_j**2)


def _arranged(
    corner: float, traces: Sequence[FloatArray], blocks: Mapping[Pair, FloatArray]
) -> FloatArray:
    """Join inner products of the identity and of the entries of each factor to one matrix."""
    rows: list[list[FloatArray]] = [[np.array([[corner]]), *(one[None] for one in traces)]]
    for i, trace in enumerate(traces):
        own = [blocks[i, j] if i <= j else blocks[j, i].T for j in range(len(traces))]
        rows.append([trace[:, None], *own])
    return np.block(rows)
