"""Cross-products of each class of pairs of rows, of which those at any rho are a combination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.product_derivatives import ProductShape
from skmixed.residual.cliques import Cliques

__all__ = ["ClassProducts", "RowColumns", "n_numbers", "sum_by_class"]

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
        Of the only factor, no rows without one.
    codes : ndarray of shape (n,)
        Its level of each row.
    n_levels : int
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


@dataclass(frozen=True, slots=True, eq=False)
class ClassProducts:
    """Hold the products S_m with each class B_m of pairs in the place of W.

    Attributes
    ----------
    sums : ndarray or sparse array of shape (n_classes, shape.size)
    shape : ProductShape
    """

    sums: Any
    shape: ProductShape

    def combined(
        self,
        coefficients: FloatArray,
        *,
        n_rows: float,
        sum_log_weights: float,
        multiplicity: FloatArray | None,
    ) -> CrossProducts:
        """Return the products with sum_m c_m B_m in the place of W.

        Parameters
        ----------
        coefficients : ndarray of shape (n_classes,)
        n_rows, sum_log_weights, multiplicity
            As `CrossProducts` and `FactorProducts` have them.
        """
        AtWA, ZtWZ, ZtWA = self.shape.split(coefficients @ self.sums)
        factors = (FactorProducts(ZtWZ, ZtWA, multiplicity),) if self.shape.n_effects else ()
        return CrossProducts(n_rows, sum_log_weights, AtWA, factors)

    def weights(self, gradient: FloatArray) -> FloatArray:
        """Return the inner product of a gradient in the products with each S_m, (n_classes,)."""
        return np.asarray(self.sums @ gradient)

    def directions(self, jacobian: FloatArray) -> FloatArray:
        """Return the changes of the products with the coefficients, (m, shape.size).

        Parameters
        ----------
        jacobian : ndarray of shape (m, n_classes)
        """
        return np.asarray(jacobian @ self.sums)


def n_numbers(cliques: Sequence[Cliques], rows: RowColumns) -> int:
    """Count the numbers in the sums that may differ from 0.

    Parameters
    ----------
    cliques : sequence of Cliques
    rows : RowColumns
    """
    shape = rows.shape
    of_levels = shape.n_effects * (shape.n_effects + shape.n_columns)
    return sum(
        one.n_classes * shape.n_columns**2
        + min(one.n_patterns * shape.n_levels, len(one.rows)) * len(one.entries[0]) * of_levels
        for one in cliques
    )


def sum_by_class(cliques: Sequence[Cliques], rows: RowColumns) -> ClassProducts:
    """Sum the products of all classes.

    Parameters
    ----------
    cliques : sequence of Cliques
    rows : RowColumns
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
        return ClassProducts(whole, shape)
    i, j, values = (np.concatenate(x) for x in zip(*parts, strict=True))
    return ClassProducts(sparse.csr_array((values, (i, j)), shape=(n_classes, shape.size)), shape)


def _products(
    cliques: Cliques, rows: RowColumns
) -> Iterator[tuple[Integers, Integers, FloatArray]]:
    """Yield classes, places in the products, and values."""
    n_entries = len(cliques.entries[0])
    a = len(rows.A)
    for pattern, own in enumerate(_by_pattern(cliques)):
        classes = pattern * n_entries + np.arange(n_entries)
        yield classes[:, None], np.arange(a * a), _without_factor(cliques, own, rows)
    if len(rows.Z):
        yield from _with_factor(cliques, rows)


def _by_pattern(cliques: Cliques) -> list[Integers]:
    """Return the rows of the cliques of each pattern."""
    if cliques.n_patterns == 1:
        return [cliques.rows]
    order = np.argsort(cliques.pattern, kind="stable")
    ends = np.cumsum(np.bincount(cliques.pattern, minlength=cliques.n_patterns))
    return np.split(cliques.rows[order], ends[:-1])


def _without_factor(cliques: Cliques, own: Integers, rows: RowColumns) -> FloatArray:
    """Return A'B A for the entries of one pattern, (n_entries, n_columns^2)."""
    a, n_rows = len(rows.A), own.shape[1]
    F = rows.A[:, own.T].reshape(a * n_rows, len(own))
    counted = F
    if rows.counts is not None:
        counted = F * rows.counts[own[:, 0]]
    gram = (counted @ F.T).reshape(a, n_rows, a, n_rows)
    s, t = cliques.entries
    sums = gram[:, s, :, t]
    sums[s != t] += gram[:, t, :, s][s != t]
    return np.asarray(sums.reshape(len(s), a * a))


def _with_factor(
    cliques: Cliques, rows: RowColumns
) -> Iterator[tuple[Integers, Integers, FloatArray]]:
    """Yield the products with the effects, summed over the cliques of a pattern in each level."""
    shape, n_entries = rows.shape, len(cliques.entries[0])
    a, k, n_levels = shape.n_columns, shape.n_effects, shape.n_levels
    cell = cliques.pattern * n_levels + rows.codes[cliques.rows[:, 0]]
    cells, cell = np.unique(cell, return_inverse=True) if cliques.n_patterns > 1 else (
        np.arange(n_levels),
        cell,
    )
    places = cells // n_levels * n_entries
    levels = cells % n_levels
    everything = np.concatenate([rows.Z, rows.A])
    values = [everything[:, own] for own in cliques.rows.T]
    offsets = a * a + np.arange(k * k + a * k) * n_levels
    for entry, (s, t) in enumerate(zip(*cliques.entries, strict=True)):
        for effect in range(k):
            for other in range(k + a):
                product = values[s][effect] * values[t][other]
                if s != t:
                    product += values[t][effect] * values[s][other]
                place = effect * k + other if other < k else k * k + (other - k) * k + effect
                yield (
                    places + entry,
                    offsets[place] + levels,
                    np.bincount(cell, product, len(cells)),
                )
