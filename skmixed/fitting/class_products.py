"""Cross-products of each class of pairs of rows, of which those at any rho are a combination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.product_derivatives import ProductShape
from skmixed.residual.cliques import Cliques

__all__ = ["RowColumns", "n_numbers", "sum_by_class"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Part of the numbers that differ from 0 from which on they are stored in full.
FULL = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class RowColumns:
    """Hold the columns of the rows whose products are summed.

    Attributes
    ----------
    A : ndarray of shape (n_columns, n)
        [X y].
    Z : ndarray of shape (n_effects, n)
        Of the only factor, whose levels are codes; no rows without one.
    counts : ndarray of shape (n,) or None
        How many times each row's group counts.
    """

    A: FloatArray
    Z: FloatArray
    codes: Integers
    n_levels: int
    counts: FloatArray | None

    @property
    def shape(self) -> ProductShape:
        """Return where the products are in one array."""
        return ProductShape(len(self.A), len(self.Z), self.n_levels)


def n_numbers(cliques: Sequence[Cliques], rows: RowColumns) -> int:
    """Count the numbers in the sums that may differ from 0."""
    shape = rows.shape
    of_levels = shape.n_effects * (shape.n_effects + shape.n_columns)
    return sum(
        one.n_classes * shape.n_columns**2
        + min(one.n_patterns * shape.n_levels, len(one.rows)) * len(one.entries[0]) * of_levels
        for one in cliques
    )


def sum_by_class(cliques: Sequence[Cliques], rows: RowColumns) -> Any:
    """Return the products S_m with each class B_m of pairs in the place of W.

    They are an ndarray or a sparse array of shape (n_classes, shape.size).
    """
    shape, n_classes = rows.shape, sum(one.n_classes for one in cliques)
    full = n_numbers(cliques, rows) >= FULL * n_classes * shape.size
    whole = np.zeros((n_classes, shape.size)) if full else None
    parts: list[tuple[Integers, Integers, FloatArray]] = []
    start = 0
    for one in cliques:
        for places, columns, values in _products(one, rows):
            at = np.broadcast_arrays(start + places, columns, values)
            if whole is None:
                parts.append(tuple(x.ravel() for x in at))  # type: ignore[arg-type]
            else:
                whole[at[0], at[1]] = values
        start += one.n_classes
    if whole is not None:
        return whole
    i, j, values = (np.concatenate(x) for x in zip(*parts, strict=True))
    return sparse.csr_array((values, (i, j)), shape=(n_classes, shape.size))


def _products(
    cliques: Cliques, rows: RowColumns
) -> Iterator[tuple[Integers, Integers, FloatArray]]:
    """Yield classes, places in the products, and values; the cliques are sorted by pattern."""
    ends = np.cumsum(np.bincount(cliques.pattern, minlength=cliques.n_patterns))
    own, pattern = cliques.rows, cliques.pattern
    if cliques.n_patterns > 1:
        order = np.argsort(pattern, kind="stable")
        own, pattern = own[order], pattern[order]
    everything = np.concatenate([rows.A, rows.Z])
    values = np.empty((own.shape[1], len(everything), len(own)))
    for place, found in zip(own.T, values, strict=True):
        # Any mode but "raise" writes in place.
        np.take(everything, place, axis=1, out=found, mode="clip")
    counts = None if rows.counts is None else rows.counts[own[:, 0]]
    yield from _without_factor(cliques, values[:, : len(rows.A)], counts, ends)
    if len(rows.Z):
        cell = pattern * rows.n_levels + rows.codes[own[:, 0]]
        yield from _with_factor(cliques, values, cell, rows.shape)


def _without_factor(
    cliques: Cliques, values: FloatArray, counts: FloatArray | None, ends: Integers
) -> Iterator[tuple[Integers, Integers, FloatArray]]:
    """Yield A'B A, pattern by pattern."""
    s, t = cliques.entries
    n_rows, a = values.shape[:2]
    flat = values.reshape(n_rows * a, -1)
    for pattern, (start, end) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
        F = flat[:, start:end]
        counted = F if counts is None else F * counts[start:end]
        gram = (counted @ F.T).reshape(n_rows, a, n_rows, a)
        sums = gram[s, :, t]
        sums[s != t] += gram[t, :, s][s != t]
        classes = pattern * len(s) + np.arange(len(s))
        yield classes[:, None], np.arange(a * a), sums.reshape(len(s), a * a)


def _with_factor(
    cliques: Cliques, values: FloatArray, cell: Integers, shape: ProductShape
) -> Iterator[tuple[Integers, Integers, FloatArray]]:
    """Yield Z'B Z and Z'B A, summed over the cliques of one pattern in each level."""
    a, k, n_levels = shape.n_columns, shape.n_effects, shape.n_levels
    n_entries = len(cliques.entries[0])
    cells = np.arange(n_levels)
    if cliques.n_patterns > 1:
        cells, cell = np.unique(cell, return_inverse=True)
    classes, levels = cells // n_levels * n_entries, cells % n_levels
    A, Z = values[:, :a], values[:, a:]
    for entry, (s, t) in enumerate(zip(*cliques.entries, strict=True)):
        for q in range(k):
            places = [(a * a + (q * k + r) * n_levels, Z[:, r]) for r in range(k)]
            first = a * a + k * k * n_levels
            places += [(first + (c * k + q) * n_levels, A[:, c]) for c in range(a)]
            for place, column in places:
                product = Z[s, q] * column[t]
                if s != t:
                    product += Z[t, q] * column[s]
                sums = np.bincount(cell, product, len(cells)).astype(np.float64, copy=False)
                yield classes + entry, place + levels, sums
