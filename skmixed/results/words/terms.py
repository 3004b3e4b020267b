"""What the names of the columns say: predictors, categories and interactions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skmixed.formula import FormulaRecipe

__all__ = ["TermPart", "parts_of", "reference_level"]

# Patsy names an indicator "x[T.a]" beside a reference category, and "x[a]" where all have one.
# Other codings have other marks, such as "x[S.a]".
INDICATOR = re.compile(r"(?P<variable>.+?)\[(?P<reduced>T\.)?(?P<level>.*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TermPart:
    """Hold one factor of an interaction, or a whole term that is none.

    Attributes
    ----------
    variable : str
        Column or expression, such as ``"Days"``, ``"np.log(x)"`` or ``"half"``.
    level : str or None
        The category that an indicator stands for.
    reduced : bool
        Whether the category is compared with one that has no indicator.
    """

    variable: str
    level: str | None = None
    reduced: bool = False


def parts_of(name: str, recipe: FormulaRecipe | None) -> tuple[TermPart, ...]:
    """Take the name of a column apart.

    Parameters
    ----------
    name : str
    recipe : FormulaRecipe or None
        Without a formula a name is one part, whatever it is made of.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.results.words.terms import parts_of
    >>> data = load_sleepstudy().assign(half=lambda d: (d["Days"] > 4).map({True: "b", False: "a"}))
    >>> recipe = mixedlm("Reaction ~ Days * half + (1 | Subject)", data).recipe
    >>> for part in parts_of("Days:half[T.b]", recipe):
    ...     print(part)
    TermPart(variable='Days', level=None, reduced=False)
    TermPart(variable='half', level='b', reduced=True)
    """
    if recipe is None:
        return (TermPart(name),)
    return tuple(_part(text, recipe) for text in _split(name))


def reference_level(part: TermPart, names: tuple[str, ...], recipe: FormulaRecipe) -> str | None:
    """Return the category that the indicators of a variable leave out, None if it is not known.

    Parameters
    ----------
    part : TermPart
        An indicator.
    names : tuple of str
        Of all columns.
    recipe : FormulaRecipe
    """
    own = {
        other.level
        for name in names
        for other in parts_of(name, recipe)
        if other.variable == part.variable and other.reduced
    }
    columns = [
        name for name in recipe.levels if re.search(rf"\b{re.escape(name)}\b", part.variable)
    ]
    if len(columns) == 1:
        left = [str(level) for level in recipe.levels[columns[0]] if str(level) not in own]
        return left[0] if len(left) == 1 else None
    return "False" if own == {"True"} else None


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
