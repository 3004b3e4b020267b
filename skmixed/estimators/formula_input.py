"""A formula and a data frame, with their labels, to a design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, check_consistent_length

from skmixed.design.arrays import Labels
from skmixed.design.design import Design, NewRows
from skmixed.design.formulas import FormulaDesign, train_formula_design
from skmixed.design.groups import Levels
from skmixed.design.residual_columns import ResidualColumns
from skmixed.design.response import ResponseReader
from skmixed.design.side_parts import SidePart, side_columns
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.residuals import columns_of_data, residual_columns
from skmixed.formula import FormulaMatrices, FormulaRecipe, ParsedFormula
from skmixed.formula.columns import column_names, find_column, n_rows, unknown_name
from skmixed.formula.tables import require_table
from skmixed.residual.structure import ResidualStructure

__all__ = ["FormulaInput", "train_data"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaInput:
    """Hold what fit learned of the data.

    Attributes
    ----------
    residual : tuple
        The columns that a residual structure reads.
    responses : ResponseReader or None
        How the response of a generalised model is read; None for a linear one.
    sides : tuple of SidePart or None
        How further predictors are made; None for one that is the same in all rows.
    """

    design: FormulaDesign
    residual: tuple[Any, ...] = ()
    responses: ResponseReader | None = None
    sides: tuple[SidePart | None, ...] = ()

    @property
    def labels_are_columns(self) -> bool:
        """Tell whether the labels are columns of the data: they always are."""
        return True

    @property
    def formula_recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns."""
        return self.design.recipe

    @property
    def variables(self) -> list[str] | None:
        """Name the columns of data that a prediction reads."""
        of_sides = [name for part in self.sides if part is not None for name in part.variables]
        return list(dict.fromkeys([*self.design.variables, *of_sides]))

    @property
    def factor_names(self) -> list[str]:
        """Name the grouping factors."""
        return [factor.levels.name for factor in self.design.factors]

    def read(self, X: Any, groups: Any) -> tuple[Any, list[Labels]]:
        """Return new data, and for each factor its labels if the columns are there."""
        check_data(X, "X")
        columns = column_names(X)
        labels: list[Labels] = [
            [find_column(X, name) for name in factor.columns]
            if all(name in columns for name in factor.columns)
            else None
            for factor in self.design.factors
        ]
        return X, labels

    def residual_columns(self, X: Any) -> ResidualColumns | None:
        """Return the columns that a residual structure reads, None if they are not all there."""
        there = column_names(X)
        if not self.residual or not all(name in there for name in self.residual):
            return None
        return ResidualColumns.of({name: find_column(X, name) for name in self.residual})

    def extra_columns(self, X: Any) -> tuple[FloatArray | None, ...]:
        """Return the columns of further predictors but for intercepts, None for constant ones."""
        return side_columns(self.sides, X)

    def observed(self, X: Any, y: Any) -> Any:
        """Return the response of rows: y, or what the formula finds in the data."""
        if y is not None:
            return y
        if self.responses is not None:
            return self.responses.observed(X)
        return self.design.recipe.evaluate_response(X)

    def response(self, X: Any, y: Any) -> FloatArray:
        """Return the checked response of new rows."""
        found = self.observed(X, y)
        if y is None:
            assert_all_finite(found, input_name="y")
            return found
        _without_response(self.design.recipe.parsed)
        return checked_response(found)

    def with_levels(self, levels: Sequence[Levels]) -> FormulaInput:
        """Return the same with other levels of each factor."""
        factors = tuple(
            replace(factor, levels=its)
            for factor, its in zip(self.design.factors, levels, strict=True)
        )
        return replace(self, design=replace(self.design, factors=factors))

    def new_rows(
        self, data: Any, labels: Sequence[Labels], unseen: str, missing: str = "error"
    ) -> NewRows:
        """Return the columns of rows to predict."""
        rows = self.design.new_rows(data, labels, unseen=unseen, missing=missing)
        assert_all_finite(rows.fixed, input_name="X")
        for block in rows.blocks:
            assert_all_finite(block.columns, input_name="X")
        return rows


def train_data(
    parsed: ParsedFormula,
    data: Any,
    y: Any = None,
    environment: Mapping[str, Any] | None = None,
    residual: ResidualStructure | None = None,
) -> tuple[Design, FormulaInput]:
    """Make the design of a formula and data; y is the response if the formula has or names none."""
    check_data(data)
    if not n_rows(data):
        raise ValueError(
            "The data have 0 rows: expected one at least. Look at how they were read or selected."
        )
    if y is None:
        parsed.require_response()
    else:
        parsed = _without_response(parsed)
    form, matrices, factors = train_formula_design(parsed, data, environment)
    response = checked_response(y) if matrices.response is None else matrices.response
    check_consistent_length(matrices.fixed, response)
    _check_finite(matrices)
    return (
        Design(
            response,
            form.fixed_columns(matrices),
            form.fixed_names,
            form.recipe.has_intercept,
            form.blocks(matrices, factors),
            offset=matrices.offset,
            residual=columns_of_data(residual, partial(_residual_column, data)),
        ),
        FormulaInput(form, residual_columns(residual)),
    )


def _residual_column(data: Any, name: Any) -> Any:
    """Return a column that a residual structure reads."""
    names = column_names(data)
    if name not in names:
        raise ValueError(f"In residual=, {unknown_name(str(name), names, 'a column of the data')}")
    return find_column(data, name)


def check_data(data: Any, argument: str = "data") -> None:
    """Raise TypeError unless data are a table whose columns have names."""
    require_table(data, argument)
    if not (isinstance(data, Mapping) or hasattr(data, "columns")):
        raise TypeError(
            f"A formula needs a data frame, whose columns have names, got {type(data).__name__}. "
            'In a pipeline call set_output(transform="pandas") on the transformers.'
        )


def _without_response(parsed: ParsedFormula) -> ParsedFormula:
    """Return the formula without its response, whose place y takes; it must be a mere name."""
    response = parsed.response
    if response is not None and not response.strip("`").isidentifier():
        raise ValueError(
            f"The formula has the response {response!r}, and y was given too. Leave the response "
            "out of the formula ('~ ...') or do not give y."
        )
    return replace(parsed, response=None)


def _check_finite(matrices: FormulaMatrices) -> None:
    """Raise ValueError in scikit-learn's words if a column holds NaN or infinity."""
    if matrices.response is not None:
        assert_all_finite(matrices.response, input_name="y")
    for columns in (matrices.fixed, *matrices.effects):
        assert_all_finite(np.asarray(columns), input_name="X")
    if matrices.offset is not None:
        assert_all_finite(matrices.offset, input_name="offset")
