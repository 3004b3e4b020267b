"""Cross-products with combinations of the columns of Z as further columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts

__all__ = ["with_combinations"]

FloatArray = NDArray[np.float64]


def with_combinations(products: CrossProducts, combinations: Sequence[FloatArray]) -> CrossProducts:
    """Return the cross-products of [X V y] with V = Z u, for some u.

    Parameters
    ----------
    products : CrossProducts
        Of [X y].
    combinations : sequence of ndarray of shape (m, k, n_levels)
        The part of u of each grouping factor.
    """
    ZtWV = _products_with_effects(products, combinations)
    new, old = len(combinations[0]), len(products.AtWA)
    AtWA = np.empty((old + new, old + new))
    columns = [*range(old - 1), old + new - 1]
    added = range(old - 1, old - 1 + new)
    of_A, of_V = np.zeros((new, old)), np.zeros((new, new))
    for factor, u, ZtWv in zip(products.factors, combinations, ZtWV, strict=True):
        counted = u if factor.multiplicity is None else u * factor.multiplicity
        of_A += np.einsum("mqg,aqg->ma", counted, factor.ZtWA)
        of_V += np.einsum("mqg,nqg->mn", counted, ZtWv)
    AtWA[np.ix_(columns, columns)] = products.AtWA
    AtWA[np.ix_(added, columns)] = of_A
    AtWA[np.ix_(columns, added)] = of_A.T
    AtWA[np.ix_(added, added)] = of_V
    factors = tuple(
        FactorProducts(
            factor.ZtWZ,
            np.concatenate([factor.ZtWA[:-1], ZtWv, factor.ZtWA[-1:]]),
            factor.multiplicity,
        )
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
