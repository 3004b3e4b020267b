"""Designs made by patsy: coding of categories, products of columns, linear hypotheses."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import patsy

from skmixed.formula.columns import Columns
from skmixed.formula.expansion import expand
from skmixed.formula.expression import Expression
from skmixed.formula.program import names_in
from skmixed.formula.saved_terms import restored_terms, saved_terms

__all__ = [
    "CompleteTerm",
    "TrainedTerms",
    "expand_terms",
    "expressions_of",
    "linear_hypotheses",
    "train_terms",
]

_KEEP_ALL = patsy.NAAction(on_NA="raise", NA_types=[])


@dataclass(frozen=True, slots=True, eq=False)
class CompleteTerm:
    """Hold one term of a design with the columns that it has before any coding of categories.

    Attributes
    ----------
    factors : frozenset of str
        The expressions that it is the product of; none for the intercept.
    columns : numpy.ndarray of shape (n, k)
        A column for each combination of categories, those of the first categories last.
    """

    name: str
    factors: frozenset[str]
    numbers: frozenset[str]
    coded: slice
    columns: np.ndarray


class TrainedTerms:
    """Hold patsy's trained designs and the trained expressions beside them.

    Nothing here changes after training, so that a copy is the object itself; what is saved are
    plain arrays and texts, because patsy's objects refuse to be pickled.
    """

    __slots__ = ("designs", "singles")

    def __init__(
        self, designs: list[Any], singles: list[tuple[Expression, dict[str, Any]]]
    ) -> None:
        self.designs = designs
        self.singles = singles

    def __getstate__(self) -> dict[str, Any]:
        """Return what training learned, without patsy's objects."""
        return saved_terms(self.designs, self.singles)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make patsy's objects again."""
        self.designs, self.singles = restored_terms(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> TrainedTerms:
        """Return the object itself: it never changes."""
        return self

    def column_names(self) -> list[tuple[str, ...]]:
        """Return the column names of each design."""
        return [tuple(design.column_names) for design in self.designs]

    def column_terms(self) -> list[tuple[str, ...]]:
        """Return for each column of each design the term it belongs to, the intercept as "1"."""
        return [
            tuple(
                ":".join(factor.code for factor in term.factors) or "1"
                for term, columns in design.term_slices.items()
                for _ in range(columns.start, columns.stop)
            )
            for design in self.designs
        ]

    def has_intercept(self, position: int) -> bool:
        """Tell whether one design has an explicit intercept column."""
        return patsy.INTERCEPT in self.designs[position].term_codings

    def matrices(self, columns: Columns, n: int) -> list[np.ndarray]:
        """Build the matrix of each design, n rows each, float64."""
        if not any(design.factor_infos for design in self.designs):
            return [np.ones((n, len(design.column_names))) for design in self.designs]
        try:
            built = patsy.build_design_matrices(self.designs, columns, NA_action=_KEEP_ALL)
        except patsy.PatsyError as error:
            raise ValueError(_uncomputable(error)) from error
        matrices = [np.asarray(matrix) for matrix in built]
        if any(len(matrix) != n for matrix in matrices):
            raise ValueError(
                f"The terms of the formula give {len(matrices[0])} rows for data of {n} rows: "
                "expected expressions that keep the number of rows."
            )
        return matrices

    def complete(self, position: int, text: str, columns: Columns, n: int) -> list[CompleteTerm]:
        """Return the terms of one design with all their columns; interactions last, as in R."""
        design = self.designs[position]
        terms = sorted(_terms(text), key=lambda term: len(term.factors))
        infos = design.factor_infos
        codings = OrderedDict((term, [_indicators(term, infos)]) for term in terms)
        total = sum(coding.num_columns for (coding,) in codings.values())
        whole = patsy.DesignInfo([str(i) for i in range(total)], infos, codings)
        (matrix,) = TrainedTerms([whole], []).matrices(columns, n)
        return [
            CompleteTerm(
                term.name(),
                frozenset(factor.code for factor in term.factors),
                frozenset(f.code for f in term.factors if infos[f].type == "numerical"),
                design.term_slices[term],
                matrix[:, whole.term_slices[term]],
            )
            for term in terms
        ]

    def single(self, position: int, columns: Columns) -> Any:
        """Evaluate one of the expressions that stand beside the designs."""
        expression, state = self.singles[position]
        return expression.eval(state, columns)


@lru_cache(maxsize=1024)
def expand_terms(text: str) -> tuple[str, ...]:
    """Expand a formula's right-hand side into its terms, the intercept first as ``"1"``."""
    names = [":".join(factor.code for factor in term.factors) or "1" for term in _terms(text)]
    return tuple(sorted(names, key=lambda name: name != "1"))


def expressions_of(text: str) -> list[Expression]:
    """Return the expressions in the terms of a right-hand side."""
    return [factor for term in _terms(text) for factor in term.factors]


def train_terms(
    texts: tuple[str, ...],
    singles: tuple[Expression, ...],
    columns: Columns,
    constants: Mapping[str, Any],
) -> TrainedTerms:
    """Learn the coding of each right-hand side, and the state of single expressions."""
    environment = patsy.EvalEnvironment([constants])
    try:
        designs = patsy.design_matrix_builders(
            [_terms(text) for text in texts], lambda: iter([columns]), environment, _KEEP_ALL
        )
    except patsy.PatsyError as error:
        raise ValueError(_uncomputable(error)) from error
    states = [_train(expression, columns, environment) for expression in singles]
    return TrainedTerms(designs, list(zip(singles, states, strict=True)))


def linear_hypotheses(text: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read hypotheses on coefficients, such as ``"x1 = x2, x3 = 0"``."""
    try:
        if not len(text):
            raise ValueError("it is empty")
        read = patsy.DesignInfo(list(names)).linear_constraint(text)
    except (patsy.PatsyError, ValueError) as error:
        raise ValueError(
            f"The hypothesis {text!r} cannot be read: {error}\nExpected equations that are linear "
            f"in the coefficients, such as 'a = 2 * b, c = 0'; these are {list(names)}."
        ) from error
    return np.atleast_2d(read.coefs), read.constants[:, 0]


def _indicators(term: Any, infos: Mapping[Any, Any]) -> Any:
    """Describe a term by an indicator of each category, that of the first category last."""
    sizes = {
        factor: len(infos[factor].categories)
        for factor in term.factors
        if infos[factor].type == "categorical"
    }
    contrasts = {
        factor: patsy.ContrastMatrix(np.roll(np.eye(n), -1, axis=1), [f"[{i}]" for i in range(n)])
        for factor, n in sizes.items()
    }
    widths = (sizes.get(factor) or infos[factor].num_columns for factor in term.factors)
    return patsy.SubtermInfo(term.factors, contrasts, math.prod(widths))


def _train(expression: Expression, columns: Columns, environment: Any) -> dict[str, Any]:
    """Train one expression alone."""
    state: dict[str, Any] = {}
    for which_pass in range(expression.memorize_passes_needed(state, environment)):
        expression.memorize_chunk(state, which_pass, columns)
        expression.memorize_finish(state, which_pass)
    return state


@lru_cache(maxsize=1024)
def _terms(text: str) -> tuple[Any, ...]:
    """Parse a right-hand side into patsy's terms of our expressions."""
    return tuple(patsy.Term([_checked(code) for code in codes]) for codes in expand(text))


def _checked(code: str) -> Expression:
    """Make an expression whose text is valid Python."""
    names_in(code)
    return Expression(code)


def _uncomputable(error: Exception) -> str:
    """Say in patsy's words why the terms give no matrix."""
    return f"The terms of the formula cannot be computed from these data: {error}"
