"""All that the likelihood needs of the rows, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.cells import CellProducts
from skmixed.saving.fields import FieldState

__all__ = ["CrossProducts", "FactorProducts", "factor_products"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class FactorProducts:
    """Hold the cross-products of one grouping factor's columns, level by level; A = [X y]."""

    ZtWZ: FloatArray  # (k, k, n_levels)
    ZtWA: FloatArray  # (n_columns, k, n_levels)
    multiplicity: FloatArray | None = None  # How many times each level counts.

    def __add__(self, other: FactorProducts) -> FactorProducts:
        return FactorProducts(self.ZtWZ + other.ZtWZ, self.ZtWA + other.ZtWA, self.multiplicity)

    def among(self, places: Integers, n_levels: int) -> FactorProducts:
        """Return the same products at places among more levels, which are empty and count once."""
        ZtWZ = np.zeros((*self.ZtWZ.shape[:2], n_levels))
        ZtWA = np.zeros((*self.ZtWA.shape[:2], n_levels))
        ZtWZ[:, :, places], ZtWA[:, :, places] = self.ZtWZ, self.ZtWA
        multiplicity = None
        if self.multiplicity is not None:
            multiplicity = np.ones(n_levels)
            multiplicity[places] = self.multiplicity
        return FactorProducts(ZtWZ, ZtWA, multiplicity)


@dataclass(frozen=True, eq=False)
class CrossProducts(FieldState):
    """Hold the cross-products of A = [X y] and of Z; those of two sets of rows add up."""

    n_rows: float  # Each as often as it counts.
    sum_log_weights: float
    AtWA: FloatArray
    factors: tuple[FactorProducts, ...] = ()  # The one of most levels first.
    crossed: dict[tuple[int, int], CellProducts] = field(default_factory=dict)
    # The variation of A within the levels of the only factor, where the difference of these sums
    # has lost its digits; it does not add up.
    within: FloatArray | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, the pairs of factors in a list: skops has text as keys only."""
        return {**super().__getstate__(), "crossed": list(self.crossed.items())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the fields."""
        super().__setstate__({**state, "crossed": dict(state["crossed"])})

    def of_factors(self, positions: Sequence[int]) -> CrossProducts:
        """Return the cross-products of a model with some of the factors, in any order."""
        return CrossProducts(
            self.n_rows,
            self.sum_log_weights,
            self.AtWA,
            tuple(self.factors[i] for i in positions),
            {
                (a, b): self._cells(i, j)
                for a, i in enumerate(positions)
                for b, j in enumerate(positions)
                if a < b
            },
        )

    def with_residual(self, variance: float) -> CrossProducts:
        """Return the products of a y with more residual, which X and Z do not explain."""
        AtWA = self.AtWA.copy()
        AtWA[-1, -1] += self.n_rows * variance
        return self.with_sums(AtWA, self.factors)

    def with_sums(self, AtWA: FloatArray, factors: Sequence[FactorProducts]) -> CrossProducts:
        """Return the products with other sums, without what was computed from the rows."""
        return replace(self, AtWA=AtWA, factors=tuple(factors), within=None)

    def among(self, places: Sequence[Integers], n_levels: Sequence[int]) -> CrossProducts:
        """Return the same products at each factor's places among more levels, which are empty."""
        return CrossProducts(
            self.n_rows,
            self.sum_log_weights,
            self.AtWA,
            tuple(map(FactorProducts.among, self.factors, places, n_levels)),
            {
                (i, j): cells.among(places[i], n_levels[i], places[j], n_levels[j])
                for (i, j), cells in self.crossed.items()
            },
        )

    def _cells(self, i: int, j: int) -> CellProducts:
        """Return Z_i'WZ_j of two factors in either order."""
        return self.crossed[i, j] if i < j else self.crossed[j, i].transposed()

    def __add__(self, other: CrossProducts) -> CrossProducts:
        return CrossProducts(
            self.n_rows + other.n_rows,
            self.sum_log_weights + other.sum_log_weights,
            self.AtWA + other.AtWA,
            tuple(a + b for a, b in zip(self.factors, other.factors, strict=True)),
            {pair: value + other.crossed[pair] for pair, value in self.crossed.items()},
        )


def factor_products(
    effects: FloatArray,
    columns: FloatArray,
    codes: NDArray[np.intp],
    n_levels: int,
    multiplicity: FloatArray | None = None,
) -> FactorProducts:
    """Sum the products of Z with itself and with A over the rows of each level, times root W."""
    k, n_columns = len(effects), len(columns)
    ZtWZ = np.empty((k, k, n_levels))
    ZtWA = np.empty((n_columns, k, n_levels))
    product = np.empty(len(codes))
    for j, effect in enumerate(effects):
        ones = bool((effect == 1.0).all())
        for i in range(j, k):
            np.multiply(effect, effects[i], out=product)
            ZtWZ[j, i] = ZtWZ[i, j] = np.bincount(codes, product, n_levels)
        for i, column in enumerate(columns):
            summed = column if ones else np.multiply(effect, column, out=product)
            ZtWA[i, j] = np.bincount(codes, summed, n_levels)
    return FactorProducts(ZtWZ, ZtWA, multiplicity)
