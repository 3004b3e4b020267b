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
    """Hold the cross-products of one grouping factor's columns, level by level.

    Attributes
    ----------
    ZtWZ : ndarray of shape (n_effects, n_effects, n_levels)
    ZtWA : ndarray of shape (n_columns, n_effects, n_levels)
        With the columns of A = [X y].
    multiplicity : ndarray of shape (n_levels,) or None
        How many times each level counts.
    """

    ZtWZ: FloatArray
    ZtWA: FloatArray
    multiplicity: FloatArray | None = None

    def __add__(self, other: FactorProducts) -> FactorProducts:
        return FactorProducts(self.ZtWZ + other.ZtWZ, self.ZtWA + other.ZtWA, self.multiplicity)

    def among(self, places: Integers, n_levels: int) -> FactorProducts:
        """Return the same products among more levels, which have no rows and count once.

        Parameters
        ----------
        places : ndarray of shape (n_levels,) of this
            Where each level is among those.
        n_levels : int
            How many there are.
        """
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
    """Hold the cross-products of A = [X y] and of Z; those of two sets of rows add up.

    Attributes
    ----------
    n_rows : float
        Number of rows, each as often as it counts.
    AtWA : ndarray of shape (n_coefficients + 1, n_coefficients + 1)
    factors : tuple of FactorProducts
        The one of most levels first.
    crossed : dict
        For i < j, Z_i'WZ_j of two factors, cell by cell.
    within : ndarray of the shape of AtWA, or None
        The variation of A within the levels of the only factor, where the difference of these sums
        has lost its digits; it does not add up.
    """

    n_rows: float
    sum_log_weights: float
    AtWA: FloatArray
    factors: tuple[FactorProducts, ...] = ()
    crossed: dict[tuple[int, int], CellProducts] = field(default_factory=dict)
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
        """Return the same products among more levels, which have no rows.

        Parameters
        ----------
        places : sequence of ndarray of shape (n_levels,)
            Of each factor: where its levels are among those.
        n_levels : sequence of int
            How many there are.
        """
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
    """Sum the products of Z with itself and with A over the rows of each level.

    Parameters
    ----------
    effects : ndarray of shape (n_effects, n)
        The columns of Z, times the root of the weights.
    columns : ndarray of shape (n_columns, n)
        The columns of A, times the root of the weights.
    codes : ndarray of shape (n,)
        Each row's level.
    multiplicity : ndarray of shape (n_levels,) or None
    """
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
