"""The recipe that turns a data frame into the arrays of a formula, on training and new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from skmixed.formula.algebra import (
    CompleteTerm,
    TrainedTerms,
    expressions_of,
    train_terms,
)
from skmixed.formula.columns import Columns, column_names, levels_of, n_rows, read_columns
from skmixed.formula.expression import Expression, resolve
from skmixed.formula.response_form import require_one_column, response_expressions
from skmixed.formula.terms import ParsedFormula
from skmixed.formula.values import row_numbers
from skmixed.saving.labels import PlainLabels

__all__ = ["FormulaMatrices", "FormulaRecipe", "columns_of", "train_formula"]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaMatrices:
    """Hold the arrays of a formula for n rows.

    Attributes
    ----------
    fixed : numpy.ndarray of shape (n, p)
        The columns of the fixed effects.
    effects : tuple of numpy.ndarray of shape (n, k)
        The columns of each random term's effects.
    offset : numpy.ndarray of shape (n,) or None
        The sum of the offsets; None if the formula has none.
    response : numpy.ndarray of shape (n,) or None
        The response of training rows; None if the formula has none, and for new rows.
    """

    fixed: np.ndarray
    effects: tuple[np.ndarray, ...]
    offset: np.ndarray | None
    response: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FormulaRecipe:
    """Hold what training learned of a formula: names, levels, means, knots; never rows.

    Attributes
    ----------
    fixed_names : tuple of str
        Labels of the p fixed columns; the intercept is ``"Intercept"``.
    has_intercept : bool
        Whether the first fixed column is an explicit intercept.
    variables : tuple of str
        Columns of the data needed to predict, without grouping factors.
    """

    parsed: ParsedFormula
    fixed_names: tuple[str, ...]
    has_intercept: bool
    effect_names: tuple[tuple[str, ...], ...]
    variables: tuple[str, ...]
    response_variables: tuple[str, ...]
    _levels: Mapping[str, PlainLabels]
    _trained: TrainedTerms

    @property
    def levels(self) -> Mapping[str, pd.Index]:
        """Return the levels in training of the columns that hold categories."""
        return {name: labels.index for name, labels in self._levels.items()}

    @property
    def fixed_terms(self) -> tuple[str, ...]:
        """Return for each fixed column its term of the formula, "1" for ones."""
        return self._trained.column_terms()[0]

    @property
    def effect_terms(self) -> tuple[tuple[str, ...], ...]:
        """Return for each column of each random term its term of the formula, "1" for ones."""
        return tuple(self._trained.column_terms()[1:])

    def evaluate(self, data: Any) -> FormulaMatrices:
        """Compute the arrays of the right-hand side; missing numbers stay NaN."""
        columns = read_columns(data, self.variables, self._levels)
        return self._matrices(columns, n_rows(data))

    def evaluate_response(self, data: Any) -> np.ndarray:
        """Compute the response, shape (n,)."""
        code = self.parsed.require_response()
        columns = read_columns(data, self.response_variables, self._levels)
        return self._response(code, columns, n_rows(data))

    def complete_terms(
        self, data: Any, rows: np.ndarray | None = None
    ) -> tuple[list[CompleteTerm], np.ndarray]:
        """Return the terms of the fixed part before and after categories are coded.

        ``rows``: positions of the n rows to use; all by default.
        """
        columns, n = read_columns(data, self.variables, self._levels), n_rows(data)
        if rows is not None:
            columns, n = {name: values[rows] for name, values in columns.items()}, len(rows)
        terms = self._trained.complete(0, self.parsed.fixed, columns, n)
        return terms, self._matrices(columns, n).fixed

    def _matrices(self, columns: Columns, n: int) -> FormulaMatrices:
        """Compute the arrays of the right-hand side from columns that were read."""
        fixed, *effects = self._trained.matrices(columns, n)
        offset = None
        for position, code in enumerate(self.parsed.offsets):
            values = row_numbers(self._trained.single(position, columns), code, n)
            offset = values if offset is None else offset + values
        return FormulaMatrices(fixed, tuple(effects), offset)

    def _response(self, code: str, columns: Columns, n: int) -> np.ndarray:
        """Compute the response, which stands behind the offsets, from columns that were read."""
        return row_numbers(self._trained.single(len(self.parsed.offsets), columns), code, n)


def train_formula(
    parsed: ParsedFormula, data: Any, *, environment: Mapping[str, Any] | None = None
) -> tuple[FormulaRecipe, FormulaMatrices]:
    """Learn from training rows how to turn data into the arrays of a formula, and do so with them.

    Besides patsy's own (``C``, ``I``, ``Q``, ``bs``, ``cr``, ``cc``, ``te``, contrasts), formulas
    know ``np`` and, with R's meaning, ``log exp sqrt log10 log2 log1p abs poly scale center
    factor``. The columns of ``poly(x, 2)`` are named ``poly(x, 2)[0]`` and ``poly(x, 2)[1]``.

    ``environment``: the user's functions and variables; those that the formula uses are kept. A
    name that is called means the user's function or else one of the above; any other name means a
    column, or else the user's variable.
    """
    plan = _plan(parsed)
    if any(expression.code == "Intercept" for expression in plan.predictors):
        raise ValueError(
            "The formula has a column named 'Intercept', which is the name of the model's own "
            "intercept, written 1. Rename the column, or write 1 if the intercept is meant."
        )
    require_one_column(parsed.response)
    names = column_names(data)
    variables, constants = resolve(plan.predictors, names, environment or {})
    response_variables, more = resolve(plan.response, names, environment or {})
    columns = read_columns(data, dict.fromkeys([*variables, *response_variables]))
    trained = train_terms(plan.designs, plan.singles, columns, {**constants, **more})
    fixed_names, *effect_names = trained.column_names()
    recipe = FormulaRecipe(
        parsed,
        fixed_names,
        trained.has_intercept(0),
        tuple(effect_names),
        tuple(variables),
        tuple(response_variables),
        levels_of(columns),
        trained,
    )
    n = n_rows(data)
    matrices = recipe._matrices(columns, n)
    if parsed.response is not None:
        matrices = replace(matrices, response=recipe._response(parsed.response, columns, n))
    return recipe, matrices


def columns_of(
    parsed: ParsedFormula, data: Any, *, environment: Mapping[str, Any] | None = None
) -> tuple[list[str], list[str]]:
    """Name the columns of the data that a formula uses, each once.

    The first are those of the right-hand side, the grouping factors' last; the others the
    response's.
    """
    plan = _plan(parsed)
    names = column_names(data)
    predictors, _ = resolve(plan.predictors, names, environment or {})
    response, _ = resolve(response_expressions(parsed.response), names, environment or {})
    labels = [column for term in parsed.random for column in term.factor]
    return list(dict.fromkeys([*predictors, *labels])), list(response)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Hold the expressions of a formula by what becomes of them."""

    designs: tuple[str, ...]
    predictors: tuple[Expression, ...]
    response: tuple[Expression, ...]
    singles: tuple[Expression, ...]


@lru_cache(maxsize=512)
def _plan(parsed: ParsedFormula) -> _Plan:
    """Sort the expressions of a formula."""
    designs = (parsed.fixed, *(term.expression for term in parsed.random))
    offsets = tuple(Expression(code) for code in parsed.offsets)
    response = () if parsed.response is None else (Expression(parsed.response),)
    terms = [expression for text in designs for expression in expressions_of(text)]
    return _Plan(designs, tuple(dict.fromkeys([*terms, *offsets])), response, offsets + response)
