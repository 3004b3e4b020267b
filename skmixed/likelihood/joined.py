"""Cross-products of the columns U of all factors that are not eliminated level by level."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts

__all__ = ["alone", "products_of_others", "with_others"]

FloatArray = NDArray[np.float64]


def alone(products: CrossProducts, position: int) -> CrossProducts:
    """Return the cross-products of one factor and A = [X y]."""
    return CrossProducts(
        products.n_rows, products.sum_log_weights, products.AtWA, (products.factors[position],)
    )


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
