"""The recipe that reads the response of a generalised model, of training and of new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skmixed.formula.algebra import TrainedTerms, train_terms
from skmixed.formula.categories import recode, to_categorical
from skmixed.formula.columns import Columns, column_names, levels_of, n_rows, read_columns
from skmixed.formula.expression import Expression, resolve
from skmixed.formula.program import names_in
from skmixed.formula.response_form import ResponseForm, response_form
from skmixed.formula.terms import ParsedFormula
from skmixed.formula.values import row_numbers
from skmixed.saving.labels import PlainLabels

__all__ = ["ResponseColumns", "ResponseRecipe", "train_response_columns"]


@dataclass(frozen=True, slots=True, eq=False)
class ResponseColumns:
    """Hold what the left side of a formula gives for n rows.

    Attributes
    ----------
    kind : {"values", "quotient", "cbind"}
        What the columns are, as in `skmixed.formula.response_form.ResponseForm`.
    columns : tuple of numpy.ndarray of shape (n,)
        One or two; missing numbers are NaN. Labels are their positions among ``labels``.
    labels : tuple or None
        The labels of the training rows, where the response is categories or booleans.
    """

    name: str
    kind: str
    columns: tuple[np.ndarray, ...]
    labels: tuple[Any, ...] | None = None

    @property
    def trials(self) -> np.ndarray | None:
        """Return the denominators of a quotient, or the sums of two counts; None of one column."""
        if self.kind == "values":
            return None
        first, second = self.columns
        return second if self.kind == "quotient" else first + second


@dataclass(frozen=True, slots=True, eq=False)
class ResponseRecipe:
    """Hold what training learned of a response: names and labels, never rows."""

    code: str
    form: ResponseForm
    variables: tuple[str, ...]
    _levels: Mapping[str, PlainLabels]
    _trained: TrainedTerms
    _labels: PlainLabels | None

    @property
    def name(self) -> str:
        """Return the name of the column, or the expression if the response is none."""
        return names_in(self.code).column or self.code

    @property
    def outcome(self) -> str:
        """Return what is predicted, in words: of two labels, the response is the second."""
        return self.name if self._labels is None else f"{self.name} = {self._labels.index[-1]}"

    def evaluate(self, data: Any) -> ResponseColumns:
        """Compute the response of rows."""
        columns = read_columns(data, self.variables, self._levels)
        return self._columns(_values(self._trained, self.form, columns), n_rows(data))

    def _columns(self, given: list[Any], n: int) -> ResponseColumns:
        """Return what the expressions gave as numbers, labels as their positions."""
        if self._labels is not None:
            labels = self._labels.index
            try:
                codes = recode(given[0], labels).codes.astype(np.float64)
            except ValueError as error:
                raise ValueError(f"The response {self.name!r} {error}.") from error
            return ResponseColumns(self.name, self.form.kind, (codes,), tuple(labels.tolist()))
        numbers = tuple(
            row_numbers(values, code, n)
            for values, code in zip(given, self.form.parts, strict=True)
        )
        return ResponseColumns(self.name, self.form.kind, numbers)


def train_response_columns(
    parsed: ParsedFormula, data: Any, *, environment: Mapping[str, Any] | None = None
) -> tuple[ResponseRecipe, ResponseColumns]:
    """Learn from training rows how to read the response of a generalised model, and read theirs.

    Unlike the response of a linear model, it may be two columns, or labels: the categories of a
    categorical column in their order, others sorted.
    """
    code, names = parsed.require_response(), column_names(data)
    form = response_form(code)
    variables, constants = resolve(map(Expression, form.parts), names, environment or {})
    if form.kind == "quotient" and len(variables) < 2:
        # A number of the environment is no column of trials.
        form = ResponseForm("values", (code,))
        variables, constants = resolve([Expression(code)], names, environment or {})
    columns = read_columns(data, variables)
    trained = train_terms((), tuple(map(Expression, form.parts)), columns, constants)
    given = _values(trained, form, columns)
    recipe = ResponseRecipe(
        code,
        form,
        tuple(variables),
        levels_of(columns),
        trained,
        _labels(given[0]) if form.kind == "values" else None,
    )
    return recipe, recipe._columns(given, n_rows(data))


def _values(trained: TrainedTerms, form: ResponseForm, columns: Columns) -> list[Any]:
    """Evaluate the expressions of a response."""
    return [trained.single(position, columns) for position in range(len(form.parts))]


def _labels(values: Any) -> PlainLabels | None:
    """Return the labels among the values of a response, None if they are numbers."""
    if not isinstance(values, pd.Categorical):
        values = np.asarray(values)
        if values.ndim != 1 or values.dtype.kind in "iuf":
            return None
        if values.dtype.kind == "b":
            return PlainLabels(pd.Index([False, True]))
    return PlainLabels(to_categorical(values).categories)
