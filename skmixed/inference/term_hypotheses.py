"""What the F tests of the terms of a formula say of the coefficients: types I, II and III."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import FixedCoordinates
from skmixed.design.design import Design
from skmixed.formula import FormulaRecipe
from skmixed.formula.algebra import CompleteTerm

__all__ = ["HYPOTHESES", "TermSpace", "term_space"]

FloatArray = NDArray[np.float64]

# What earlier columns leave of a column is rounding below this part of its length. The fit has set
# aside what is nearly aliased; what is left of the dependent columns here is rounding alone.
DEPENDENT = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Hold independent columns that span X, term by term.

    Attributes
    ----------
    terms : ndarray of shape (rank,)
        Position of the term of each column.
    matrix : ndarray of shape (rank, rank)
        The columns in orthonormal coordinates of the span of X.
    """

    terms: NDArray[np.intp]
    matrix: FloatArray

    def of(self, positions: Sequence[int]) -> NDArray[np.bool_]:
        """Tell which columns are those of some terms."""
        return np.isin(self.terms, positions)


@dataclass(frozen=True, slots=True, eq=False)
class TermSpace:
    """Hold the terms of a model as parts of the span of X.

    Attributes
    ----------
    names : tuple of str
        The intercept first if there is one, then the others as written, interactions last.
    intercept : bool
    containing : tuple of tuple of int
        For each term those that contain it: the same numbers times more categories.
    coded : Columns
        The columns of the model as it was coded.
    complete : Columns
        Those of indicators of the categories, without the first ones where they are not needed.
    combinations : ndarray of shape (rank, n_columns)
        All indicator columns as combinations of the independent ones.
    combined : ndarray of shape (rank,)
        Where each independent column is among all.
    coordinates : ndarray of shape (rank, p)
        Maps coefficients to orthonormal coordinates of their X beta.
    """

    names: tuple[str, ...]
    intercept: bool
    containing: tuple[tuple[int, ...], ...]
    coded: Columns
    complete: Columns
    combinations: FloatArray
    combined: NDArray[np.intp]
    coordinates: FloatArray

    def tested(self) -> range:
        """Return the positions of the terms that are tested: all but the intercept."""
        return range(int(self.intercept), len(self.names))


def term_space(
    recipe: FormulaRecipe, data: Any, design: Design, coordinates: FixedCoordinates
) -> TermSpace:
    """Find the parts of the span of X that belong to the terms of a formula.

    Parameters
    ----------
    recipe : FormulaRecipe
    data : DataFrame or mapping of columns
        The rows of the fit; rows of weight 0 may be among them.
    design : Design
    coordinates : FixedCoordinates

    Raises
    ------
    ValueError
        If there are more columns than rows.
    """
    if coordinates.minimum_norm:
        raise ValueError(
            "The model has more fixed effects than rows, so that no term can be tested. Leave "
            "terms out of the formula."
        )
    terms = recipe.complete_terms(data)
    X = recipe.evaluate(data).fixed
    to_coefficients, coded = _orthonormal(design, coordinates)
    order = np.concatenate([np.arange(X.shape[1])[term.coded] for term in terms])
    owners = _owners([len(range(X.shape[1])[term.coded]) for term in terms])
    kept = _independent(coded[:, order])
    complete = coded @ _combinations(X, np.hstack([term.columns for term in terms]))
    owners_of_complete = _owners([term.columns.shape[1] for term in terms])
    chosen = _independent(complete)
    basis = complete[:, chosen]
    return TermSpace(
        names=tuple(term.name for term in terms),
        intercept=recipe.has_intercept,
        containing=_containing(terms),
        coded=Columns(owners[kept], coded[:, order[kept]]),
        complete=Columns(owners_of_complete[chosen], basis),
        combinations=np.asarray(np.linalg.solve(basis, complete), dtype=np.float64),
        combined=chosen,
        coordinates=to_coefficients,
    )


def sequential(space: TermSpace) -> list[FloatArray]:
    """Return type I: what each term adds to those before it."""
    rows = _triangular_rows(space.coded.matrix)
    return [rows[space.coded.of([term])] for term in space.tested()]


def after_others(space: TermSpace) -> list[FloatArray]:
    """Return type II: what each term adds to all those that do not contain it."""
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients = _coefficients(space.coded)
    hypotheses = []
    for term in space.tested():
        if not space.containing[term]:
            hypotheses.append(coefficients[space.coded.of([term])])
            continue
        later = space.coded.of([term, *space.containing[term]])
        order = np.argsort(later, kind="stable")
        rows = _triangular_rows(space.coded.matrix[:, order])
        hypotheses.append(rows[space.coded.of([term])[order]])
    return hypotheses


def marginal(space: TermSpace) -> list[FloatArray]:
    """Return type III: the estimable functions of a term, orthogonal to those of what contains it.

    They do not depend on the coding; where no combination of categories is empty they are those of
    the coefficients under contrasts that sum to 0.
    """
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients = _coefficients(space.complete)
    hypotheses = []
    for term in space.tested():
        own = space.combinations[space.complete.of([term])]
        others = space.combinations[space.complete.of(space.containing[term])]
        if len(others):
            own = own - np.linalg.lstsq(others.T, own.T)[0].T @ others
        hypotheses.append(own[:, space.combined] @ coefficients)
    return hypotheses


HYPOTHESES: Mapping[int, Callable[[TermSpace], list[FloatArray]]] = MappingProxyType(
    {1: sequential, 2: after_others, 3: marginal}
)
"""For each type the hypotheses of the terms, in orthonormal coordinates of X beta."""


def _orthonormal(design: Design, coordinates: FixedCoordinates) -> tuple[FloatArray, FloatArray]:
    """Return the maps to orthonormal coordinates of X beta: of coefficients, and of columns of X.

    An aliased column has no coefficient, but it is a column in the span.
    """
    counts = design.row_multiplicity
    root = 1.0 if counts is None else np.sqrt(counts)
    Q, R = np.linalg.qr((coordinates.transform(design.fixed) * root).T)
    first = int(design.intercept)
    kept = np.concatenate([np.ones(first, dtype=bool), ~coordinates.aliased])
    to_coordinates = np.zeros((len(R), len(kept)))
    to_coordinates[:, kept] = np.linalg.solve(coordinates.matrix[kept].T, R.T).T
    columns = np.column_stack([np.ones((design.n_rows, first)), design.fixed])
    return to_coordinates, Q.T @ (columns.T * root).T


def _combinations(X: FloatArray, columns: FloatArray) -> FloatArray:
    """Return columns as combinations of those of X, in whose span they are."""
    lengths = np.linalg.norm(X, axis=0)
    lengths[lengths == 0.0] = 1.0
    combinations = np.linalg.lstsq(X / lengths, columns)[0]
    return np.asarray(combinations / lengths[:, None], dtype=np.float64)


def _owners(widths: Sequence[int]) -> NDArray[np.intp]:
    """Return for each column the position of its term."""
    return np.repeat(np.arange(len(widths)), widths)


def _independent(columns: FloatArray) -> NDArray[np.intp]:
    """Return the positions of the columns that are not combinations of those before them."""
    kept: list[int] = []
    basis = np.empty((len(columns), 0))
    for j, column in enumerate(columns.T):
        outside = column - basis @ (basis.T @ column)
        outside -= basis @ (basis.T @ outside)
        length = np.linalg.norm(outside)
        if length > DEPENDENT * np.linalg.norm(column):
            kept.append(j)
            basis = np.column_stack([basis, outside / length])
    return np.array(kept, dtype=np.intp)


def _coefficients(columns: Columns) -> FloatArray:
    """Return the map from coordinates of X beta to coefficients of some columns."""
    return np.asarray(
        np.linalg.solve(columns.matrix, np.eye(len(columns.matrix))), dtype=np.float64
    )


def _triangular_rows(columns: FloatArray) -> FloatArray:
    """Return the rows of the unit triangular factor of X'X, in coordinates of X beta."""
    Q, R = np.linalg.qr(columns)
    return Q.T / np.diagonal(R)[:, None]


def _containing(terms: Sequence[CompleteTerm]) -> tuple[tuple[int, ...], ...]:
    """Return for each term those that contain it."""
    return tuple(
        tuple(
            i
            for i, other in enumerate(terms)
            if term.factors < other.factors and term.numbers == other.numbers
        )
        for term in terms
    )
