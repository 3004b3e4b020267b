"""Products of V^-1 and the derivatives of V, which small-sample corrections are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve

from skmixed.likelihood.batched import inverse_lower_over_groups
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.several import products_of_others
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = ["VarianceProducts", "variance_products"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class VarianceProducts:
    """Hold what Kenward and Roger (1997, section 2) need, with sigma^2 = 1.

    G_r is the derivative of V in its parameter r: Z E_r Z' of one factor, and last W^-1.

    P is -X'V^-1 G_r V^-1 X (m, p, p), Q is X'V^-1 G_r V^-1 G_s V^-1 X (m, m, p, p), and the traces
    are tr(G_r V^-1 G_s V^-1).
    """

    P: FloatArray
    Q: FloatArray
    traces: FloatArray


def variance_products(
    products: CrossProducts, factors: Sequence[FloatArray], directions: Sequence[FloatArray]
) -> VarianceProducts:
    """Compute the products at Lambda (k, k) and directions E (m_j, k, k) of each factor."""
    several = len(products.factors) > 1
    parts = (_dense if several else _level_by_level)(products, factors)
    sizes = [len(E) for E in directions]
    ends = np.cumsum([0, *sizes])
    m, p = int(ends[-1]) + 1, len(parts.XX2)
    P, Q, traces = np.empty((m, p, p)), np.empty((m, m, p, p)), np.empty((m, m))
    P[-1], Q[-1, -1], traces[-1, -1] = -parts.XX2, parts.XX3, parts.trace
    for i, (E, T, U) in enumerate(zip(directions, parts.ZX, parts.ZX2, strict=True)):
        rows = slice(ends[i], ends[i + 1])
        P[rows] = -np.einsum("aqg,mqr,brg->mab", T, E, T, optimize=True)
        Q[rows, -1] = np.einsum("aqg,mqr,brg->mab", T, E, U, optimize=True)
        Q[-1, rows] = Q[rows, -1].swapaxes(1, 2)
        traces[rows, -1] = traces[-1, rows] = np.einsum("mqr,qr->m", E, parts.ZZ2[i])
        for j, (F, T_j) in enumerate(zip(directions, parts.ZX, strict=True)):
            columns = slice(ends[j], ends[j + 1])
            left = np.einsum("aqg,mqr->marg", T, E)
            right = np.einsum("bqg,mqr->mbrg", T_j, F)
            Q[rows, columns] = parts.ZZ.form(i, j, left, right)
            traces[rows, columns] = parts.ZZ.trace(i, j, E, F)
    return VarianceProducts(P, Q, traces)


@dataclass(frozen=True, slots=True, eq=False)
class _BlockDiagonal:
    """Z'V^-1 Z of one factor, (k, k, n_levels), each level as often as it counts."""

    S: FloatArray
    multiplicity: FloatArray

    def form(self, i: int, j: int, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return left S right' over the levels, left (m, p, k, n_levels): (m_i, m_j, p, p)."""
        moved = np.einsum("maqg,qrg->marg", left, self.S)
        return np.einsum("marg,nbrg->mnab", moved, right, optimize=True)

    def trace(self, i: int, j: int, E: FloatArray, F: FloatArray) -> FloatArray:
        """Return tr(E S F S), summed over the levels: shape (m_i, m_j)."""
        pairs = np.einsum("abg,cdg->abcd", self.S * self.multiplicity, self.S, optimize=True)
        return np.einsum("mda,nbc,abcd->mn", E, F, pairs, optimize=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Full:
    """Z'V^-1 Z of all factors, and where each one's part is."""

    S: FloatArray
    parts: list[slice]
    shapes: list[tuple[int, int]]

    def form(self, i: int, j: int, left: FloatArray, right: FloatArray) -> FloatArray:
        """Return left S right'."""
        a, b = (
            columns.reshape(*columns.shape[:2], prod(columns.shape[2:]))
            for columns in (left, right)
        )
        return np.einsum("mas,nbs->mnab", a @ self.S[self.parts[i], self.parts[j]], b)

    def trace(self, i: int, j: int, E: FloatArray, F: FloatArray) -> FloatArray:
        """Return tr(E S F S')."""
        S = self.S[self.parts[i], self.parts[j]].reshape(*self.shapes[i], *self.shapes[j])
        pairs = np.tensordot(S, S, axes=((1, 3), (1, 3)))
        return np.einsum("mca,nbd,abcd->mn", E, F, pairs, optimize=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Hold the products with V^-1, with V^-2 = V^-1 W^-1 V^-1, and so on; tr(W^-1 V^-1 W^-1 V^-1).

    ZX and ZX2 have the shape (p, k, n_levels); ZZ2 is summed over the levels.
    """

    XX2: FloatArray
    XX3: FloatArray
    ZX: list[FloatArray]
    ZX2: list[FloatArray]
    ZZ: _BlockDiagonal | _Full
    ZZ2: list[FloatArray]
    trace: float


def _level_by_level(products: CrossProducts, factors: Sequence[FloatArray]) -> _Parts:
    """Compute the parts of one factor: in the span of Z the powers of V^-1 are those of B^-1."""
    kernel = SingleFactorKernel(products)
    k, _, n_levels = kernel.R.shape
    p = len(products.AtWA) - 1
    counts = np.ones(n_levels) if kernel.multiplicity is None else kernel.multiplicity
    c = kernel.whiten([np.zeros_like(Lambda) for Lambda in factors]).columns[:p]
    root = inverse_lower_over_groups(kernel.whiten(factors).lower)
    inverse = np.einsum("lag,lbg->abg", root, root)
    c1 = np.einsum("abg,pbg->pag", inverse, c)
    R1 = np.einsum("abg,pbg->pag", inverse, kernel.R)
    c2 = np.einsum("abg,pbg->pag", inverse, c1)
    within = products.AtWA[:p, :p] - np.einsum("pag,qag,g->pq", c, c, counts, optimize=True)
    directions = products.n_rows - k * counts.sum()
    return _Parts(
        XX2=within + np.einsum("pag,qag,g->pq", c1, c1, counts, optimize=True),
        XX3=within + np.einsum("pag,qag,g->pq", c1, c2, counts, optimize=True),
        ZX=[np.einsum("pag,qag->pqg", c1, kernel.R) * np.sqrt(counts)][: len(factors)],
        ZX2=[np.einsum("pag,qag->pqg", c1, R1) * np.sqrt(counts)][: len(factors)],
        ZZ=_BlockDiagonal(np.einsum("pag,qag->pqg", kernel.R, R1), counts),
        ZZ2=[np.einsum("pag,qag,g->pq", R1, R1, counts, optimize=True)],
        trace=float(directions + np.einsum("abg,abg,g->", inverse, inverse, counts)),
    )


def _dense(products: CrossProducts, factors: Sequence[FloatArray]) -> _Parts:
    """Compute the parts of several factors from D = Lambda M^-1 Lambda', a dense matrix."""
    shapes = [(f.ZtWZ.shape[0], f.ZtWZ.shape[2]) for f in products.factors]
    ends = np.cumsum([0, *(k * n for k, n in shapes)])
    parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    N, ZtA = products_of_others(products, 0)
    ZtX, XtX = ZtA[:, :-1], products.AtWA[:-1, :-1]
    Lambda = block_diag(
        *(np.kron(one, np.eye(n)) for one, (_, n) in zip(factors, shapes, strict=True))
    )
    M = Lambda.T @ N @ Lambda
    M[np.diag_indices_from(M)] += 1.0
    D = Lambda @ cho_solve(cho_factor(M, lower=True), Lambda.T)
    DN, a = D @ N, D @ ZtX
    V1Z, V1X = N - N @ DN, ZtX - N @ a
    V2Z = V1Z - V1Z @ DN
    V2X = V1X - DN.T @ V1X
    XX1, p = XtX - ZtX.T @ a, len(XtX)
    XX2 = XX1 - a.T @ V1X
    diagonal = [
        np.einsum("qgrg->qr", V2Z[part, part].reshape(k, n, k, n))
        for part, (k, n) in zip(parts, shapes, strict=True)
    ]
    return _Parts(
        XX2=XX2,
        XX3=XX2 - V1X.T @ D @ V1X,
        ZX=[V1X[part].T.reshape(p, *shape) for part, shape in zip(parts, shapes, strict=True)],
        ZX2=[V2X[part].T.reshape(p, *shape) for part, shape in zip(parts, shapes, strict=True)],
        ZZ=_Full(V1Z, parts, shapes),
        ZZ2=diagonal,
        trace=float(products.n_rows - 2.0 * np.trace(DN) + np.einsum("ab,ba->", DN, DN)),
    )
