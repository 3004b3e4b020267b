"""What the names of the columns say: predictors, categories and interactions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from skmixed.formula import FormulaRecipe
from skmixed.formula.variables import columns_by_expression

__all__ = ["NamedTerms", "TermPart", "named_terms", "parts_of"]

# Patsy names an indicator "x[T.a]" beside a reference category, and "x[a]" where all have one.
# Other codings have other marks, such as "x[S.a]".
INDICATOR = re.compile(r"(?P<variable>.+?)\[(?P<reduced>T\.)?(?P<level>.*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TermPart:
    """Hold one factor of an interaction, or a whole term that is none.

    The variable is a column or an expression, such as ``"np.log(x)"``; the level is the category
    that an indicator stands for, reduced if it is compared with one that has no indicator.
    """

    variable: str
    level: str | None = None
    reduced: bool = False


def parts_of(name: str, recipe: FormulaRecipe | None) -> tuple[TermPart, ...]:
    """Take the name of a column apart; without a formula it is one part, whatever it is made of."""
    if recipe is None:
        return (TermPart(name),)
    return tuple(_part(text, recipe) for text in _split(name))


@dataclass(frozen=True, slots=True, eq=False)
class NamedTerms:
    """Hold the names of the fixed effects, taken apart, and where their parts are found again.

    Attributes
    ----------
    partners : dict of str to dict
        For each variable those that it interacts with, each with its last part.
    numeric : dict of str to set of str
        The numeric variables that use a column of the data.
    references : dict of str to (str or None)
        The category that the indicators of a variable leave out, None if it is not known.
    """

    recipe: FormulaRecipe | None
    names: tuple[str, ...]
    parts: tuple[tuple[TermPart, ...], ...]
    partners: dict[str, dict[str, TermPart]]
    numeric: dict[str, set[str]]
    references: dict[str, str | None]
    _expressions: dict[str, frozenset[str]]

    def sharing(self, part: TermPart) -> list[str]:
        """Name the columns of a part that other numeric terms use too, such as in a square."""
        return sorted(
            column
            for column in _columns(part.variable, self._expressions)
            if self.numeric.get(column, set()) - {part.variable}
        )


def named_terms(names: Sequence[str], recipe: FormulaRecipe | None) -> NamedTerms:
    """Take the names of the fixed effects apart."""
    parts = tuple(parts_of(name, recipe) for name in names)
    expressions = {} if recipe is None else columns_by_expression(recipe)
    partners: dict[str, dict[str, TermPart]] = defaultdict(dict)
    numeric: dict[str, set[str]] = defaultdict(set)
    levels: dict[str, set[str]] = defaultdict(set)
    for own in parts:
        for part, other in permutations(own, 2):
            if other.variable != part.variable:
                partners[part.variable][other.variable] = other
        for part in own:
            if part.level is None:
                for column in _columns(part.variable, expressions):
                    numeric[column].add(part.variable)
            elif part.reduced:
                levels[part.variable].add(part.level)
    references = {
        variable: _reference_level(own, _columns(variable, expressions), recipe)
        for variable, own in levels.items()
    }
    return NamedTerms(recipe, tuple(names), parts, partners, numeric, references, expressions)


def _reference_level(
    own: set[str], columns: frozenset[str], recipe: FormulaRecipe | None
) -> str | None:
    """Return the category that some levels leave out of those of the only factor in a variable."""
    factors = [] if recipe is None else [name for name in recipe.levels if name in columns]
    if recipe is not None and len(factors) == 1:
        left = [str(level) for level in recipe.levels[factors[0]] if str(level) not in own]
        return left[0] if len(left) == 1 else None
    return "False" if own == {"True"} else None


def _columns(variable: str, expressions: dict[str, frozenset[str]]) -> frozenset[str]:
    """Return the columns of the data in a variable: an expression, or one of its columns."""
    while variable not in expressions and "[" in variable:
        variable = variable.rpartition("[")[0]
    return expressions.get(variable, frozenset())


def _part(text: str, recipe: FormulaRecipe) -> TermPart:
    """Read one part."""
    found = INDICATOR.fullmatch(text)
    if found is None:
        return TermPart(text)
    variable, reduced = found["variable"], found["reduced"] is not None
    if not reduced and found["level"] not in _levels(variable, recipe):
        return TermPart(text)
    return TermPart(variable, found["level"], reduced)


def _levels(variable: str, recipe: FormulaRecipe) -> list[str]:
    """Return the categories of the only column with categories in an expression."""
    used = [
        levels
        for name, levels in recipe.levels.items()
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", variable)
    ]
    return [str(level) for level in used[0]] if len(used) == 1 else []


def _split(name: str) -> list[str]:
    """Split at the colons that are in no bracket."""
    parts, depth = [""], 0
    for character in name:
        depth += (character in "([{") - (character in ")]}")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
