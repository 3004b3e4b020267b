"""Cross-products of several factors as those of one: the others' columns of Z join those of X."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts

__all__ = ["alone", "with_other_columns"]

FloatArray = NDArray[np.float64]


def alone(products: CrossProducts, position: int) -> CrossProducts:
    """Return the cross-products of one factor and [X y]."""
    return CrossProducts(
        products.n_rows, products.sum_log_weights, products.AtWA, (products.factors[position],)
    )


def with_other_columns(products: CrossProducts) -> CrossProducts:
    """Return the cross-products of factor 1 with the columns [U X y], U those of all other factors.

    The columns of U run through the factors, the effects of each and its levels.
    """
    first, *others = products.factors
    k, n_levels = first.ZtWZ.shape[1:]
    U = [products.crossed[0, j].matrix().T.toarray() for j in range(1, len(products.factors))]
    ZtWA = np.concatenate([*(u.reshape(-1, k, n_levels) for u in U), first.ZtWA])
    n_columns = len(products.AtWA)
    n_other = sum(len(u) for u in U)
    AtWA = np.empty((n_other + n_columns, n_other + n_columns))
    starts = np.cumsum([0, *(len(u) for u in U)])
    for i, factor in enumerate(others):
        rows = slice(starts[i], starts[i + 1])
        AtWA[n_other:, rows] = factor.ZtWA.reshape(n_columns, -1)
        AtWA[rows, n_other:] = AtWA[n_other:, rows].T
        AtWA[rows, rows] = _spread_diagonal(factor)
        for j in range(i + 1, len(others)):
            columns = slice(starts[j], starts[j + 1])
            AtWA[columns, rows] = products.crossed[i + 1, j + 1].matrix().T.toarray()
            AtWA[rows, columns] = AtWA[columns, rows].T
    AtWA[n_other:, n_other:] = products.AtWA
    return CrossProducts(
        products.n_rows,
        products.sum_log_weights,
        AtWA,
        (FactorProducts(first.ZtWZ, ZtWA),),
    )


def _spread_diagonal(factor: FactorProducts) -> FloatArray:
    """Return Z'WZ of one factor as a full matrix."""
    k, _, n_levels = factor.ZtWZ.shape
    full = np.zeros((k, n_levels, k, n_levels))
    levels = np.arange(n_levels)
    full[:, levels, :, levels] = factor.ZtWZ.transpose(2, 0, 1)
    return full.reshape(k * n_levels, k * n_levels)
