"""The random terms of a model: what they are called, and which columns make them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skmixed.design.design import RandomBlock
from skmixed.formula import FormulaRecipe

__all__ = ["NamedTerm", "named_terms"]

INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True)
class NamedTerm:
    """Hold where one random term is in a model, and its effects in the words of the formula.

    Attributes
    ----------
    block, term : int
        Position of its grouping factor, and of the term within the factor.
    group : str
        Name of the grouping factor.
    effects : tuple of str
        One for each column; all columns of one categorical variable have the same.
    """

    block: int
    term: int
    group: str
    effects: tuple[str, ...]

    @property
    def distinct_effects(self) -> tuple[str, ...]:
        """Return each effect once."""
        return tuple(dict.fromkeys(self.effects))

    @property
    def label(self) -> str:
        """Write the term as in a formula."""
        written = ["1" if effect == INTERCEPT else effect for effect in self.distinct_effects]
        if "1" not in written:
            written.insert(0, "0")
        return f"({' + '.join(written)} | {self.group})"


def named_terms(
    blocks: Sequence[RandomBlock] | Sequence[Any], recipe: FormulaRecipe | None = None
) -> list[NamedTerm]:
    """Return the random terms of a model, factor by factor.

    Parameters
    ----------
    recipe : FormulaRecipe, optional
        Tells the columns of one categorical variable; without it each column is an effect.
    """
    written = _effects_of_formula(recipe)
    found = []
    for i, block in enumerate(blocks):
        group = block.factor.levels.name if isinstance(block, RandomBlock) else block.name
        in_formula = written.get(group, [])
        for j, term in enumerate(block.terms):
            known = j < len(in_formula) and len(in_formula[j]) == len(term.effect_names)
            effects = in_formula[j] if known else term.effect_names
            found.append(NamedTerm(i, j, group, effects))
    return found


def _effects_of_formula(recipe: FormulaRecipe | None) -> dict[str, list[tuple[str, ...]]]:
    """Return for each grouping factor the effects of the columns of its terms."""
    effects: dict[str, list[tuple[str, ...]]] = {}
    if recipe is None:
        return effects
    for term, columns in zip(recipe.parsed.random, recipe.effect_terms, strict=True):
        own = tuple(INTERCEPT if column == "1" else column for column in columns)
        effects.setdefault(term.name, []).append(own)
    return effects
