"""A parsed formula and a data frame to a design, and the recipe that repeats it for new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.arrays import Labels, encode_labels
from skmixed.design.design import NewBlock, NewRows, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor, Levels, factorise_interaction
from skmixed.design.reversed_terms import require_sides
from skmixed.formula import FormulaMatrices, FormulaRecipe, ParsedFormula, train_formula
from skmixed.formula.columns import column_names, find_column, unknown_name

__all__ = ["FormulaDesign", "FormulaFactor", "train_formula_design"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaFactor:
    """Hold one grouping factor of a formula.

    Attributes
    ----------
    terms : tuple of int
        Positions of its terms in the formula.
    """

    columns: tuple[str, ...]
    terms: tuple[int, ...]
    levels: Levels


@dataclass(frozen=True, slots=True, eq=False)
class FormulaDesign:
    """Hold what training learned of a formula: how to make its columns, and the factors' levels.

    Attributes
    ----------
    factors : tuple of FormulaFactor
        The one of most levels first.
    """

    recipe: FormulaRecipe
    factors: tuple[FormulaFactor, ...]

    @property
    def variables(self) -> list[str]:
        """Name the columns of data that a prediction reads, those of the factors last."""
        labels = [column for factor in self.factors for column in factor.columns]
        return list(dict.fromkeys([*self.recipe.variables, *labels]))

    @property
    def fixed_names(self) -> tuple[str, ...]:
        """Name the fixed effects but for the intercept."""
        return self.recipe.fixed_names[int(self.recipe.has_intercept) :]

    def fixed_columns(self, matrices: FormulaMatrices) -> FloatArray:
        """Return the columns of X but for the intercept, shape (n, n_features)."""
        return matrices.fixed[:, int(self.recipe.has_intercept) :]

    def blocks(
        self, matrices: FormulaMatrices, factors: Sequence[GroupingFactor]
    ) -> tuple[RandomBlock, ...]:
        """Return the random effects of the training rows."""
        names = self.recipe.effect_names
        return tuple(
            RandomBlock(
                factor,
                _joined(matrices.effects, part.terms),
                tuple(TermLayout(names[i]) for i in part.terms),
            )
            for part, factor in zip(self.factors, factors, strict=True)
        )

    def new_rows(
        self,
        data: Any,
        labels: Sequence[Labels],
        *,
        unseen: str = "population",
        missing: str = "error",
    ) -> NewRows:
        """Return the columns of rows to predict.

        Parameters
        ----------
        unseen : {"population", "error"}
            Whether a label that was not fitted is an error.
        missing : {"population", "error"}
            Whether a label that is missing is an error, or as one that was not fitted.
        """
        matrices = self.recipe.evaluate(data)
        blocks = tuple(
            NewBlock(
                _joined(matrices.effects, part.terms),
                encode_labels(part.levels, columns, unseen=unseen, missing=missing),
            )
            for part, columns in zip(self.factors, labels, strict=True)
        )
        return NewRows(self.fixed_columns(matrices), blocks, matrices.offset)


def train_formula_design(
    parsed: ParsedFormula, data: Any, environment: Mapping[str, Any] | None = None
) -> tuple[FormulaDesign, FormulaMatrices, tuple[GroupingFactor, ...]]:
    """Train a formula on data."""
    terms: dict[tuple[str, ...], list[int]] = {}
    for position, term in enumerate(parsed.random):
        terms.setdefault(term.factor, []).append(position)
    names = column_names(data) if terms else []
    for column in (column for columns in terms for column in columns):
        if column not in names:
            problem = unknown_name(column, names, "a column of the data")
            raise ValueError(f"In the random effects of the formula, {problem}")
    recipe, matrices = train_formula(parsed, data, environment=environment)
    trained = [
        (columns, factorise_interaction([find_column(data, c) for c in columns], columns))
        for columns in terms
    ]
    for columns, factor in trained:
        for position in terms[columns]:
            require_sides(recipe, position, factor, data)
    trained.sort(key=lambda pair: -len(pair[1].levels))
    design = FormulaDesign(
        recipe,
        tuple(
            FormulaFactor(columns, tuple(terms[columns]), factor.levels)
            for columns, factor in trained
        ),
    )
    return design, matrices, tuple(factor for _, factor in trained)


def _joined(effects: Sequence[FloatArray], terms: Sequence[int]) -> FloatArray:
    """Return the columns of some terms side by side."""
    if len(terms) == 1:
        return effects[terms[0]]
    return np.concatenate([effects[i] for i in terms], axis=1)
