"""Read the grouping side of a bar: a column, an interaction ``a:b`` or a nesting ``a/b``."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from skmixed.formula.tokens import Token, is_enclosed, split

__all__ = ["is_name", "parse_grouping"]

_WRAPPERS = ("factor", "C", "Q")
# Each colon between nestings in brackets multiplies them.
MOST_FACTORS = 1_000


def parse_grouping(tokens: Sequence[Token], written: str) -> list[tuple[str, ...]]:
    """Parse a grouping side into the factors that it stands for, outermost first."""
    factors: list[tuple[str, ...]] = []
    for part in split(tokens, ("/",)):
        nested = _interaction(part, written)
        outer = factors[-1] if factors else ()
        factors += [_union(outer, inner) for inner in nested]
    return factors


def _interaction(tokens: Sequence[Token], written: str) -> list[tuple[str, ...]]:
    """Parse columns joined by colons; colons distribute over a nesting in brackets."""
    factors: list[tuple[str, ...]] = [()]
    for part in split(tokens, (":",)):
        if is_enclosed(part):
            choices = parse_grouping(part[1:-1], written)
        else:
            choices = [(_column(part, written),)]
        if len(factors) * len(choices) > MOST_FACTORS:
            raise ValueError(
                f"The grouping side of ({written}) has more than {MOST_FACTORS:,} factors when it "
                "is written out: expected a few. Name each combination as a column of the data."
            )
        factors = [_union(left, right) for left in factors for right in choices]
    return factors


def _union(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    """Join columns, keeping each once."""
    return left + tuple(column for column in right if column not in left)


def is_name(tokens: Sequence[Token]) -> bool:
    """Tell whether the tokens are one name, which may have dots as in R."""
    return len(tokens) % 2 == 1 and all(
        token.text == "." if position % 2 else token.kind == "name"
        for position, token in enumerate(tokens)
    )


def _column(tokens: Sequence[Token], written: str) -> str:
    """Return the column that a name, or ``factor(name)``, means."""
    if is_name(tokens):
        return "".join(token.text for token in tokens)
    if len(tokens) >= 4 and tokens[0].text in _WRAPPERS and is_enclosed(tokens[1:]):
        inner = tokens[2:-1]
        if tokens[0].text != "Q":
            return _column(inner, written)
        if len(inner) == 1 and inner[0].kind == "string":
            literal = inner[0].text
            try:
                return str(ast.literal_eval(literal))
            except SyntaxError as error:
                raise ValueError(
                    f"{literal} in the formula is not valid Python ({error.msg})."
                ) from error
    got = " ".join(token.text for token in tokens)
    raise ValueError(
        f"The grouping side of ({written}) is no column: got {got!r}, expected a column name, or "
        "names joined by ':' (interaction) or '/' (nesting). For two factors write two terms, "
        "(1 | a) + (1 | b); compute other factors as a column of the data first."
    )
