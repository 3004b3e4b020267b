"""The rows in standardised columns, and the cross-products that are summed over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.design.weights import DiagonalWhitening, Whitening
from skmixed.likelihood.batched import repeated
from skmixed.likelihood.cells import CellProducts, cell_products
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts, factor_products

__all__ = ["ModelRows", "WhitenedRows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ModelRows:
    """Hold the rows of a design in standardised columns, without weights."""

    design: Design
    A: FloatArray  # [X y], the working response last, (n_coefficients + 1, n).
    Z: tuple[FloatArray, ...]  # (n_effects, n) of each block.
    weighting: DiagonalWhitening  # What the weights make of the rows.

    def mean_squares(self) -> list[FloatArray]:
        """Return the mean of z z' over the rows for each block, each row as often as it counts."""
        counts = self.design.weights.row_multiplicity
        return [repeated(Z, counts) @ Z.T / self.design.count for Z in self.Z]

    def select(self, rows: NDArray[np.intp]) -> ModelRows:
        """Return some of the rows, in the same columns."""
        design = self.design.select(rows)
        Z = tuple(columns[:, rows] for columns in self.Z)
        weighting = design.weights.whitening(self.design.weights.scale)
        return ModelRows(design, self.A[:, rows], Z, weighting)

    def whitened(
        self, whitening: Whitening | None = None, response: FloatArray | None = None
    ) -> WhitenedRows:
        """Whiten the columns, as the weights ask by default, with another response if it is given.

        They are not copied where nothing changes.
        """
        A = self.A if response is None else np.vstack([self.A[:-1], response])
        by = self.weighting if whitening is None else whitening
        return WhitenedRows(self, A, self.Z).whitened(by)

    def products(
        self, whitening: Whitening | None = None, response: FloatArray | None = None
    ) -> CrossProducts:
        """Sum the cross-products of the columns, whitened as in `whitened`."""
        return self.whitened(whitening, response).products()


@dataclass(frozen=True, slots=True, eq=False)
class WhitenedRows:
    """Hold rows whose residuals are independent, with one variance."""

    plain: ModelRows  # Before they were whitened.
    A: FloatArray
    Z: tuple[FloatArray, ...]
    log_determinant: float = 0.0  # Of the residuals' covariance, over sigma^2.

    def whitened(self, whitening: Whitening) -> WhitenedRows:
        """Whiten the rows once more, as for correlations that are left beside the weights."""
        return WhitenedRows(
            self.plain,
            whitening.apply(self.A),
            tuple(map(whitening.apply, self.Z)),
            self.log_determinant + whitening.log_determinant,
        )

    def products(self) -> CrossProducts:
        """Sum the cross-products."""
        design = self.plain.design
        factors = tuple(
            factor_products(Z, self.A, factor.codes, len(factor.levels), design.weights.groups)
            for Z, factor in zip(self.Z, design.factors, strict=True)
        )
        return CrossProducts(
            n_rows=design.count,
            sum_log_weights=0.0 - self.log_determinant,
            AtWA=self._counted() @ self.A.T,
            factors=factors,
            crossed=_crossed(self.Z, design.factors),
        )

    def with_response(self, response: FloatArray) -> WhitenedRows:
        """Return the rows with another working response, which is whitened."""
        return replace(self, A=np.vstack([self.A[:-1], response]))

    def renewed(self, products: CrossProducts) -> CrossProducts:
        """Sum the products with the response again, given those with another response."""
        y = self.A[-1]
        AtWA = products.AtWA.copy()
        AtWA[-1] = AtWA[:, -1] = self._counted() @ y
        factors: list[FactorProducts] = []
        for Z, factor, part in zip(
            self.Z, self.plain.design.factors, products.factors, strict=True
        ):
            ZtWA = part.ZtWA.copy()
            for effect, column in zip(ZtWA[-1], Z, strict=True):
                effect[:] = np.bincount(factor.codes, column * y, len(effect))
            factors.append(replace(part, ZtWA=ZtWA))
        return products.with_sums(AtWA, factors)

    def _counted(self) -> FloatArray:
        """Return the columns of A, each row as often as its group counts."""
        return repeated(self.A, self.plain.design.weights.group_counts)


def _crossed(
    Z: tuple[FloatArray, ...], factors: tuple[GroupingFactor, ...]
) -> dict[tuple[int, int], CellProducts]:
    """Sum the products of each pair of factors' columns over each pair of levels."""
    return {
        (i, j): cell_products(
            Z[i],
            factors[i].codes,
            len(factors[i].levels),
            Z[j],
            factors[j].codes,
            len(factors[j].levels),
        )
        for i, j in combinations(range(len(factors)), 2)
    }
