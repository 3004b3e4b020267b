"""A parsed formula and a data frame to a design, and the recipe that repeats it for new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.arrays import encode_labels
from skmixed.design.design import NewBlock, NewRows, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor, Levels, factorise_interaction
from skmixed.formula import FormulaMatrices, FormulaRecipe, ParsedFormula, train_formula
from skmixed.formula.columns import column_names, unknown_name

__all__ = ["FormulaDesign", "grouping_columns", "train_formula_design"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaDesign:
    """Hold what training learned of a formula: how to make its columns, and the factor's levels.

    Attributes
    ----------
    recipe : FormulaRecipe
    columns : tuple of str
        Columns of the data that make up the grouping factor; empty without one.
    levels : Levels or None
    """

    recipe: FormulaRecipe
    columns: tuple[str, ...]
    levels: Levels | None

    @property
    def terms(self) -> tuple[TermLayout, ...]:
        """Name the effects of each random term."""
        return tuple(TermLayout(names) for names in self.recipe.effect_names)

    @property
    def fixed_names(self) -> tuple[str, ...]:
        """Name the fixed effects but for the intercept."""
        return self.recipe.fixed_names[int(self.recipe.has_intercept) :]

    def fixed_columns(self, matrices: FormulaMatrices) -> FloatArray:
        """Return the columns of X but for the intercept, shape (n, n_features)."""
        return matrices.fixed[:, int(self.recipe.has_intercept) :]

    def blocks(
        self, matrices: FormulaMatrices, factor: GroupingFactor | None
    ) -> tuple[RandomBlock, ...]:
        """Return the random effects of the training rows."""
        if factor is None:
            return ()
        return (RandomBlock(factor, _joined(matrices.effects), self.terms),)

    def new_rows(
        self, data: Any, labels: Sequence[Any] | None, *, unseen: str = "population"
    ) -> NewRows:
        """Return the columns of rows to predict.

        Parameters
        ----------
        data : DataFrame or mapping of columns
        labels : sequence of array-like of shape (n,), or None
            The label columns of the factor; None where they are not known.
        unseen : {"population", "error"}
            Whether a label that was not fitted is an error.
        """
        matrices = self.recipe.evaluate(data)
        fixed = self.fixed_columns(matrices)
        if self.levels is None:
            return NewRows(fixed, (), matrices.offset)
        codes = encode_labels(self.levels, labels, unseen=unseen)
        return NewRows(fixed, (NewBlock(_joined(matrices.effects), codes),), matrices.offset)


def grouping_columns(parsed: ParsedFormula) -> tuple[str, ...]:
    """Return the columns of the one grouping factor that all random terms share.

    Raises
    ------
    NotImplementedError
        If the terms have several factors.
    """
    factors = list(dict.fromkeys(term.factor for term in parsed.random))
    if len(factors) > 1:
        names = [":".join(factor) for factor in factors]
        raise NotImplementedError(
            f"The formula {parsed.text!r} has several grouping factors, {names}: one is supported "
            "so far. Keep the terms of one factor."
        )
    return factors[0] if factors else ()


def train_formula_design(
    parsed: ParsedFormula, data: Any, environment: Mapping[str, Any] | None = None
) -> tuple[FormulaDesign, FormulaMatrices, GroupingFactor | None]:
    """Train a formula on data.

    Parameters
    ----------
    parsed : ParsedFormula
    data : DataFrame or mapping of columns
    environment : mapping or None
        Functions and constants that the formula may use besides its own.

    Returns
    -------
    design : FormulaDesign
    matrices : FormulaMatrices
        The columns of the training rows, and their response.
    factor : GroupingFactor or None
    """
    columns = grouping_columns(parsed)
    for column in columns:
        if column not in column_names(data):
            problem = unknown_name(column, column_names(data), "a column of the data")
            raise ValueError(f"In the random effects of the formula, {problem}")
    recipe, matrices = train_formula(parsed, data, environment=environment)
    factor = factorise_interaction([data[c] for c in columns], columns) if columns else None
    design = FormulaDesign(recipe, columns, factor.levels if factor else None)
    return design, matrices, factor


def _joined(effects: Sequence[FloatArray]) -> FloatArray:
    """Return the columns of all terms side by side."""
    return effects[0] if len(effects) == 1 else np.concatenate(effects, axis=1)
