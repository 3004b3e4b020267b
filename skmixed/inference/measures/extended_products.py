"""Cross-products with combinations of the columns of Z as further columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.crossproducts import CrossProducts

__all__ = ["with_combinations"]

FloatArray = NDArray[np.float64]


def with_combinations(products: CrossProducts, combinations: Sequence[FloatArray]) -> CrossProducts:
    """Return the cross-products of [X V y] with V = Z u, given those of [X y].

    Each grouping factor has its part (m, k, n_levels) of u.
    """
    ZtWV = _products_with_effects(products, combinations)
    new, old = len(combinations[0]), len(products.AtWA)
    of_A, of_V = np.zeros((new, old)), np.zeros((new, new))
    for factor, u, ZtWv in zip(products.factors, combinations, ZtWV, strict=True):
        counted = u if factor.multiplicity is None else u * factor.multiplicity
        of_A += np.einsum("mqg,aqg->ma", counted, factor.ZtWA)
        of_V += np.einsum("mqg,nqg->mn", counted, ZtWv)
    # The response stays last.
    order = [*range(old - 1), *range(old, old + new), old - 1]
    AtWA = np.block([[products.AtWA, of_A.T], [of_A, of_V]])[np.ix_(order, order)]
    factors = tuple(
        replace(factor, ZtWA=np.concatenate([factor.ZtWA, ZtWv])[order])
        for factor, ZtWv in zip(products.factors, ZtWV, strict=True)
    )
    return products.with_sums(AtWA, factors)


def _products_with_effects(
    products: CrossProducts, combinations: Sequence[FloatArray]
) -> list[FloatArray]:
    """Return Z'WZ u of each grouping factor, (m, k, n_levels)."""
    within = [
        np.einsum("qrg,mrg->mqg", factor.ZtWZ, u)
        for factor, u in zip(products.factors, combinations, strict=True)
    ]
    for (i, j), cells in products.crossed.items():
        between = cells.matrix()
        flat = [u.reshape(len(u), -1).T for u in (combinations[i], combinations[j])]
        within[i] = within[i] + (between @ flat[1]).T.reshape(within[i].shape)
        within[j] = within[j] + (between.T @ flat[0]).T.reshape(within[j].shape)
    return within
