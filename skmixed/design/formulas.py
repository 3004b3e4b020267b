"""A parsed formula and a data frame to a design, and the recipe that repeats it for new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.arrays import Labels, new_blocks
from skmixed.design.design import NewRows, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor, Levels, factorise_interaction
from skmixed.formula import FormulaMatrices, FormulaRecipe, ParsedFormula, train_formula
from skmixed.formula.columns import column_names, find_column, read_columns, unknown_name

__all__ = ["FormulaDesign", "FormulaFactor", "train_formula_design"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaFactor:
    """Hold one grouping factor of a formula.

    ``terms``: positions of its terms in the formula.
    """

    columns: tuple[str, ...]
    terms: tuple[int, ...]
    levels: Levels


@dataclass(frozen=True, slots=True, eq=False)
class FormulaDesign:
    """Hold what training learned of a formula: how to make its columns, and the factors' levels.

    The factor of most levels comes first.
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
        self, data: Any, labels: Sequence[Labels], *, unseen: str, missing: str
    ) -> NewRows:
        """Return the columns of rows to predict; see ``new_blocks``."""
        matrices = self.recipe.evaluate(data)
        columns = [_joined(matrices.effects, part.terms) for part in self.factors]
        levels = [part.levels for part in self.factors]
        blocks = new_blocks(columns, levels, labels, unseen=unseen, missing=missing)
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
            _require_sides(recipe, position, factor, data)
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


def _require_sides(recipe: FormulaRecipe, position: int, factor: GroupingFactor, data: Any) -> None:
    """Raise ValueError if a random term is clearly reversed.

    That is where categories stand left of the bar and a number stands right of it, no group has
    more rows than there are effects, so that the model could not be fitted either way, and the
    formula treats the number as a slope and the categories as groups: the number is a fixed effect
    or has fewer values than there are categories, and the categories are no fixed effect.
    """
    term = recipe.parsed.random[position]
    by_column = recipe.effect_terms[position]
    effects = [name for name in dict.fromkeys(by_column) if name != "1"]
    if len(effects) != 1 or len(term.factor) != 1 or effects[0] not in recipe.levels:
        return
    if factor.sizes.max(initial=0) > len(by_column):
        return
    (left,), (right,) = effects, term.factor
    fixed = recipe.fixed_terms
    slope = right in fixed or len(recipe.levels[left]) > len(factor.levels)
    if left in fixed or not slope:
        return
    values = read_columns(data, [right])[right]
    if isinstance(values, pd.Categorical) or values.dtype.kind != "f":
        return
    raise ValueError(
        f"The random term ({left} | {right}) has {len(by_column)} effects, one for each category "
        f"of {left!r}, and no value of {right!r} has more rows than that. Did you mean "
        f"({right} | {left}): a slope of {right!r} for each {left!r}? Groups stand right of the "
        f"bar. If neither is a slope, write (1 | {left}) + (1 | {right})."
    )
