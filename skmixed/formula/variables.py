"""The columns of the data behind the fixed effects: which they are, and which are factors."""

from __future__ import annotations

from typing import Any

from skmixed.formula.columns import Columns, read_columns
from skmixed.formula.expression import Expression
from skmixed.formula.program import names_in
from skmixed.formula.recipe import FormulaRecipe

__all__ = [
    "columns_by_expression",
    "effect_variables",
    "factors_of",
    "mean_variables",
    "training_columns",
]


def columns_by_expression(recipe: FormulaRecipe) -> dict[str, frozenset[str]]:
    """Return for each expression in the terms of a formula the columns of the data in it."""
    columns = frozenset(recipe.variables)
    return {
        expression.code: columns.intersection(_names(expression))
        for design in recipe._trained.designs
        for expression in design.factor_infos
    }


def mean_variables(recipe: FormulaRecipe) -> tuple[str, ...]:
    """Return the columns that the fixed effects and the offsets use, in the formula's order."""
    expressions = [*recipe._trained.designs[0].factor_infos]
    expressions += [Expression(code) for code in recipe.parsed.offsets]
    used = {name for expression in expressions for name in _names(expression)}
    return tuple(name for name in recipe.variables if name in used)


def effect_variables(recipe: FormulaRecipe) -> tuple[str, ...]:
    """Return the columns that the random effects vary with, in the formula's order."""
    used = {
        name
        for design in recipe._trained.designs[1:]
        for expression in design.factor_infos
        for name in _names(expression)
    }
    return tuple(name for name in recipe.variables if name in used)


def factors_of(recipe: FormulaRecipe, columns: Columns) -> frozenset[str]:
    """Return the columns that are factors: categories, booleans, and numbers in ``C(x)``.

    A comparison such as ``x > 3`` does not make its column a factor.
    """
    held = {name for name, values in columns.items() if values.dtype.kind in "bO"}
    coded = {
        name
        for expression, info in recipe._trained.designs[0].factor_infos.items()
        if info.type == "categorical" and tuple(info.categories) != (False, True)
        for name in _names(expression)
    }
    return frozenset((held | coded) & columns.keys())


def training_columns(recipe: FormulaRecipe, data: Any) -> Columns:
    """Read the columns that ``recipe.evaluate`` needs, without grouping factors."""
    return read_columns(data, recipe.variables, recipe._levels)


def _names(expression: Expression) -> tuple[str, ...]:
    """Return the variables of an expression."""
    names = names_in(expression.code)
    return (*names.variables, *names.attributed)
