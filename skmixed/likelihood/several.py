"""What kernels of several factors share: each factor alone, and the columns of all others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = [
    "SeveralFactors",
    "entrywise",
    "explained_by",
    "products_of_others",
    "profiled_information",
    "with_others",
]

FloatArray = NDArray[np.float64]


class SeveralFactors:
    """Answer for each factor as if it were the only one."""

    def __init__(self, products: CrossProducts) -> None:
        positions = range(len(products.factors))
        self._single = [SingleFactorKernel(products.of_factors([j])) for j in positions]

    @property
    def varies(self) -> list[NDArray[np.bool_]]:
        """Tell for each factor which effects vary within any of its levels."""
        return [varies for kernel in self._single for varies in kernel.varies]

    @property
    def n_spanned_levels(self) -> list[int]:
        """Count for each factor the levels in which all its effects vary."""
        return [n for kernel in self._single for n in kernel.n_spanned_levels]

    def refine(
        self, Z: Sequence[FloatArray], A: FloatArray, codes: Sequence[NDArray[np.intp]]
    ) -> FloatArray | None:
        """Return None: with several factors no part of V is free of theta."""
        return None

    @property
    def within_levels(self) -> tuple[float, float]:
        """Return the variation of y within the largest factor's levels, and its degrees."""
        return self._single[0].within_levels

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return the moments of each factor as if it were the only one."""
        return [moments for kernel in self._single for moments in kernel.second_moments(sigma2)]


def products_of_others(products: CrossProducts, first: int) -> tuple[FloatArray, FloatArray]:
    """Return U'WU and U'WA, U being the columns of the factors from a position on.

    The columns of U run through the factors, the effects of each and its levels.
    """
    factors = products.factors[first:]
    ends = np.cumsum([0, *(f.ZtWZ.shape[0] * f.ZtWZ.shape[2] for f in factors)])
    UtWU = np.zeros((ends[-1], ends[-1]))
    parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    for part, factor in zip(parts, factors, strict=True):
        UtWU[part, part] = _spread_diagonal(factor)
    for i, j in combinations(range(len(factors)), 2):
        block = products.crossed[first + i, first + j].matrix().toarray()
        UtWU[parts[i], parts[j]] = block
        UtWU[parts[j], parts[i]] = block.T
    n_columns = len(products.AtWA)
    UtWA = [factor.ZtWA.reshape(n_columns, -1).T for factor in factors]
    return UtWU, np.concatenate([np.empty((0, n_columns)), *UtWA])


def with_others(products: CrossProducts, position: int, first: int) -> sparse.csr_array:
    """Return Z'WU of one factor, its rows running effect by effect through the levels."""
    k, _, n_levels = products.factors[position].ZtWZ.shape
    blocks = [products.crossed[position, j].matrix() for j in range(first, len(products.factors))]
    if not blocks:
        return sparse.csr_array((k * n_levels, 0))
    joined = sparse.csr_array(sparse.hstack(blocks, format="csr"))
    joined.sort_indices()
    return joined


def _spread_diagonal(factor: FactorProducts) -> FloatArray:
    """Return Z'WZ of one factor as a full matrix."""
    k, _, n_levels = factor.ZtWZ.shape
    full = np.zeros((k, n_levels, k, n_levels))
    levels = np.arange(n_levels)
    full[:, levels, :, levels] = factor.ZtWZ.transpose(2, 0, 1)
    return full.reshape(k * n_levels, k * n_levels)


def explained_by(T: list[FloatArray], reml: int, precision: float) -> list[FloatArray]:
    """Return sum t' diag(reml, ..., reml, precision) t over the levels of each factor, (k, k)."""
    weight = np.full(len(T[0]), float(reml))
    weight[-1] = precision
    return [np.einsum("iqg,irg->qr", weight[:, None, None] * t, t) for t in T]


def profiled_information(
    information: FloatArray, T: list[FloatArray], nu: float, precision: float
) -> FloatArray:
    """Return an average information over sigma^2, less what profiling sigma^2 takes."""
    squares = np.concatenate([(t[-1] @ t[-1].T).ravel() for t in T])
    return precision * information - precision**2 / nu * np.multiply.outer(squares, squares)


def entrywise(t: FloatArray) -> FloatArray:
    """Return E_ab t for each entry (a, b), shape (k * k, k, n_levels): t_b in the place of a."""
    k = len(t)
    entries = np.zeros((k, k, k, t.shape[-1]))
    for a in range(k):
        entries[a, :, a] = t
    return entries.reshape(k * k, k, t.shape[-1])
