"""Random terms whose bar has its sides exchanged: (Subject | Days) for (Days | Subject)."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.design.groups import GroupingFactor
from skmixed.formula import FormulaRecipe
from skmixed.formula.columns import read_columns

__all__ = ["require_sides"]


def require_sides(recipe: FormulaRecipe, position: int, factor: GroupingFactor, data: Any) -> None:
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
    if left in fixed or not slope or not _is_number(data, right):
        return
    raise ValueError(
        f"The random term ({left} | {right}) has {len(by_column)} effects, one for each category "
        f"of {left!r}, and no value of {right!r} has more rows than that. Did you mean "
        f"({right} | {left}): a slope of {right!r} for each {left!r}? Groups stand right of the "
        f"bar. If neither is a slope, write (1 | {left}) + (1 | {right})."
    )


def _is_number(data: Any, name: str) -> bool:
    """Tell whether a column holds numbers."""
    values = read_columns(data, [name])[name]
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"
