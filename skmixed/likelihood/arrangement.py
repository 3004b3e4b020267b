"""Which factors are eliminated level by level, and which are left for a dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.gram import sums_costs

__all__ = ["Arrangement", "arrange", "arrangements"]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Hold the order of the factors, and what an evaluation with its derivatives costs."""

    nested: tuple[int, ...]  # Eliminated level by level, each nested in the next.
    others: tuple[int, ...]
    flops: float
    n_bytes: float


def arrange(products: CrossProducts) -> Arrangement:
    """Choose the fastest arrangement of two or more factors, the largest of which comes first.

    If it is nested in another one, and that in a further one, they may follow: nothing is dense
    then if no factor is left. Where others are left, their columns meet every level of a nested
    factor, and it may be faster to leave the coarser ones too.
    """
    candidates = arrangements(products)
    if not candidates[-1].others:
        return candidates[-1]
    return min(candidates, key=lambda arrangement: arrangement.flops)


def arrangements(products: CrossProducts) -> list[Arrangement]:
    """Return all that are possible, those with more nested factors last."""
    chain = [0]
    for j in range(1, len(products.factors)):
        if products.crossed[chain[-1], j].nests:
            chain.append(j)
    return [_arranged(products, chain[:depth]) for depth in range(1, len(chain) + 1)]


def _arranged(products: CrossProducts, nested: list[int]) -> Arrangement:
    """Estimate the costs of one arrangement."""
    others = [j for j in range(len(products.factors)) if j not in nested]
    sizes = [f.ZtWZ.shape[0] * f.ZtWZ.shape[2] for f in products.factors]
    q = float(sum(sizes[j] for j in others))
    width = len(products.AtWA) + sum(len(products.factors[j].ZtWZ) for j in nested)
    by_levels = sum(sizes[j] for j in nested)
    if len(nested) == 1:
        cells = [products.crossed[0, j] for j in others]
        counts = sum(np.diff(one.starts) * one.values.shape[1] for one in cells)
        sums = min(
            sums_costs(np.asarray(counts), len(products.factors[0].ZtWZ), int(q)),
            key=lambda cost: cost.flops,
        )
        columns, stored = sums.flops, sums.n_bytes
    else:
        columns = by_levels * (q + width) ** 2
        stored = 6.0 * 8.0 * by_levels * (q + width)
    return Arrangement(tuple(nested), tuple(others), q**3 + columns, stored + 64.0 * q**2)
