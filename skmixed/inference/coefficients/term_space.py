"""The terms of a formula as parts of the span of X, as they are coded and before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from skmixed.design.coordinates import (
    PLAINLY_INDEPENDENT,
    FixedCoordinates,
    aliased_rows,
    relative_pivots,
)
from skmixed.design.design import Design
from skmixed.formula import FormulaRecipe
from skmixed.formula.algebra import CompleteTerm
from skmixed.formula.columns import n_rows

__all__ = ["Columns", "TermSpace", "distinct_rows", "term_space"]

FloatArray = NDArray[np.float64]

# What earlier columns leave of a column is rounding below this part of its length. The fit has set
# aside what is nearly aliased; what is left of the dependent columns here is rounding alone.
DEPENDENT = 1e-11
# A value below this part of the largest of its column is 0 but for rounding.
ROUNDING = 1e-9
# So many rows for each column of X nearly always have all relations between columns that X has.
ROWS_PER_COLUMN = 50


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Hold independent columns that span X, and the position of the term of each.

    They are combinations of the standardised columns of the fit: matrix has the shape (rank, rank).
    """

    terms: NDArray[np.intp]
    matrix: FloatArray

    def of(self, positions: Sequence[int]) -> NDArray[np.bool_]:
        """Tell which columns are those of some terms."""
        return np.isin(self.terms, positions)

    def coefficients(self) -> FloatArray:
        """Return the map to their coefficients, from those of the standardised columns."""
        return np.asarray(np.linalg.solve(self.matrix, np.eye(len(self.matrix))), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class TermSpace:
    """Hold the terms of a model as parts of the span of X.

    Attributes
    ----------
    names : tuple of str
        The intercept first if there is one, then the others as written, interactions last.
    containing : tuple of tuple of int
        For each term those that contain it: the same numbers times more categories. In a
        generalised model more numbers contain a term too.
    coded : Columns
        The columns of the model as it was coded.
    complete : Columns
        Those of indicators of the categories, without the first ones where they are not needed.
    combinations : ndarray of shape (rank, n_columns)
        All indicator columns as combinations of the independent ones.
    chosen : ndarray of shape (rank,)
        Where each independent column is among all.
    covariance : ndarray of shape (rank, rank) or None
        Of the estimates of the standardised coefficients, whose inverse takes the place of X'X in a
        generalised model.
    """

    names: tuple[str, ...]
    containing: tuple[tuple[int, ...], ...]
    coded: Columns
    complete: Columns
    combinations: FloatArray
    chosen: NDArray[np.intp]
    design: Design
    coordinates: FixedCoordinates
    covariance: FloatArray | None = None

    def tested(self) -> range:
        """Return the positions of the terms that are tested: all but the intercept."""
        return range(int(self.design.intercept), len(self.names))

    def triangle(self) -> FloatArray:
        """Return R with R'R = X'X of the standardised columns, each row as often as it counts.

        In a generalised model R'R is the information on their coefficients.
        """
        if self.covariance is not None:
            root = np.linalg.cholesky(self.covariance)
            return np.asarray(solve_triangular(root, np.eye(len(root)), lower=True))
        positions, kinds = distinct_rows(self.design.fixed)
        rows = self.coordinates.transform(self.design.fixed[positions])
        rows *= np.sqrt(np.bincount(kinds, self.design.weights.row_multiplicity))
        return np.asarray(np.linalg.qr(rows.T, mode="r"))

    def contrasts(self, rows: FloatArray) -> FloatArray:
        """Return as contrasts of the p coefficients what is said of the standardised ones."""
        first = np.ones(int(self.design.intercept), dtype=bool)
        kept = np.concatenate([first, ~self.coordinates.aliased])
        contrasts = np.zeros((len(rows), len(kept)))
        contrasts[:, kept] = np.linalg.solve(self.coordinates.matrix[kept].T, rows.T).T
        return contrasts


def term_space(
    recipe: FormulaRecipe,
    data: Any,
    design: Design,
    coordinates: FixedCoordinates,
    covariance: FloatArray | None = None,
) -> TermSpace:
    """Find the parts of the span of X that belong to the terms of a formula.

    Rows of weight 0 may be among ``data``; the covariance is that of `TermSpace`.
    """
    if coordinates.minimum_norm:
        raise ValueError(
            "The model has more fixed effects than rows, so that no term can be tested. Leave "
            "terms out of the formula."
        )
    terms, X = _related_rows(recipe, data, design, coordinates)
    every = np.hstack([X, *(term.columns for term in terms)])
    positions, kinds = distinct_rows(every)
    counts = np.sqrt(np.bincount(kinds))
    standard = coordinates.transform(X[positions, int(design.intercept) :]) * counts
    # The standardised columns are independent, which the fit has seen to.
    Q, R = np.linalg.qr(standard.T)
    every = solve_triangular(R, Q.T @ (every[positions] * counts[:, None]))
    order = [np.arange(X.shape[1])[term.coded] for term in terms]
    coded, _ = _independent(every[:, np.concatenate(order)], [len(own) for own in order])
    indicators = every[:, X.shape[1] :]
    complete, chosen = _independent(indicators, [term.columns.shape[1] for term in terms])
    return TermSpace(
        names=tuple(term.name for term in terms),
        containing=_containing(terms, with_numbers=covariance is not None),
        coded=coded,
        complete=complete,
        combinations=np.asarray(np.linalg.solve(complete.matrix, indicators), dtype=np.float64),
        chosen=chosen,
        design=design,
        coordinates=coordinates,
        covariance=covariance,
    )


def _independent(columns: FloatArray, widths: Sequence[int]) -> tuple[Columns, NDArray[np.intp]]:
    """Return the columns that are not combinations of those before them, and their positions."""
    kept = np.flatnonzero(~aliased_rows(columns.T, DEPENDENT))
    owners = np.repeat(np.arange(len(widths)), widths)
    return Columns(owners[kept], columns[:, kept]), kept


def _related_rows(
    recipe: FormulaRecipe, data: Any, design: Design, coordinates: FixedCoordinates
) -> tuple[list[CompleteTerm], FloatArray]:
    """Return terms and X of some rows that show all relations between columns, or of all rows.

    Where X has its full rank in some rows, what holds there for columns in its span holds in all.
    """
    n = n_rows(data)
    p = design.fixed.shape[1] + design.intercept
    if n != design.n_rows:
        return _at_rows_of(design, *recipe.complete_terms(data))
    if n > 2 * ROWS_PER_COLUMN * p:
        rows = np.random.default_rng(0).choice(n, ROWS_PER_COLUMN * p, replace=False)
        terms, X = recipe.complete_terms(data, rows)
        slopes = X[:, int(design.intercept) :]
        # An expression that is not trained, such as x / max(x), has other values in some rows.
        if np.array_equal(slopes, design.fixed[rows]):
            pivots = relative_pivots(coordinates.transform(slopes))
            if pivots.min(initial=1.0) > PLAINLY_INDEPENDENT:
                return terms, X
    return recipe.complete_terms(data)


def _at_rows_of(
    design: Design, terms: list[CompleteTerm], X: FloatArray
) -> tuple[list[CompleteTerm], FloatArray]:
    """Return terms and X at the rows of the design, where others have weight 0 and are not in it.

    The columns of the terms are combinations of those of X, the same in all rows.
    """
    lengths = np.linalg.norm(X, axis=0)
    lengths[lengths == 0.0] = 1.0
    fitted = np.column_stack([np.ones((design.n_rows, int(design.intercept))), design.fixed])
    moved = []
    for term in terms:
        values = (fitted / lengths) @ np.linalg.lstsq(X / lengths, term.columns, rcond=None)[0]
        rounding = np.abs(values) <= ROUNDING * np.abs(term.columns).max(axis=0)
        moved.append(replace(term, columns=np.where(rounding, 0.0, values)))
    return moved, fitted


def _containing(
    terms: Sequence[CompleteTerm], *, with_numbers: bool
) -> tuple[tuple[int, ...], ...]:
    """Return for each term those that contain it.

    By the rule of SAS and lmerTest a term with more numbers does not; by that of R's car it does.
    """
    return tuple(
        tuple(
            i
            for i, other in enumerate(terms)
            if term.factors < other.factors and (with_numbers or term.numbers == other.numbers)
        )
        for term in terms
    )


def distinct_rows(matrix: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return positions of the different rows, and the kind of each row; all where few are equal."""
    n, p = matrix.shape
    # Equal rows have equal sums of any weights, and by chance alone different ones have.
    sums = matrix @ np.random.default_rng(0).uniform(1.0, 2.0, p)
    _, positions, kinds = np.unique(sums, return_index=True, return_inverse=True)
    if 2 * len(positions) <= n and np.array_equal(matrix[positions][kinds], matrix):
        return positions, kinds
    return np.arange(n), np.arange(n)
