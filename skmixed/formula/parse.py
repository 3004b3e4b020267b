"""Turn the text of an lme4 formula into its response, fixed part, random terms and offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from skmixed.formula.algebra import expand_terms
from skmixed.formula.grouping import parse_grouping
from skmixed.formula.program import names_in
from skmixed.formula.terms import ParsedFormula, RandomTerm
from skmixed.formula.tokens import (
    Token,
    is_enclosed,
    quoted,
    source,
    split,
    tokenize,
    translate,
)

__all__ = ["parse_formula", "random_term", "with_random_term"]

_STRUCTURES = {
    "us": "unstructured",
    "diag": "diagonal",
    "cs": "compound_symmetry",
    "ar1": "ar1",
}
_OPERATORS = frozenset("+-*/:~|") | {"**", "||"}
_EXAMPLE = "y ~ x + (1 + x | group)"


@lru_cache(maxsize=512)
def parse_formula(text: str) -> ParsedFormula:
    """Parse a mixed-model formula in lme4's language.

    It is ``response ~ fixed part + (effects | factor) + ...``; the response may be left out.
    Besides plain bars, ``||`` and nesting ``a/b``, the structures of glmmTMB are understood:
    ``us(...)``, ``diag(...)``, ``cs(...)``, ``ar1(...)``; and ``offset(...)``.
    """
    if not isinstance(text, str):
        raise TypeError(
            f"A formula is a string such as {_EXAMPLE!r}; got {type(text).__name__}: {text!r}."
        )
    try:
        return _parsed(text)
    except RecursionError as error:
        raise ValueError(
            f"The brackets of the formula {text[:60]!r}... are nested too deeply. Remove those "
            "that are not needed."
        ) from error


@lru_cache(maxsize=512)
def random_term(expression: str, factor: tuple[str, ...] | str) -> RandomTerm:
    """Build a random term from effects and factor given apart, as statsmodels does."""
    text = translate(expression).strip().removeprefix("~").strip()
    if _has_bar(tokenize(text)):
        raise ValueError(
            f"The random effects {expression!r} have a bar, but their factor is given apart: "
            "expected effects alone, such as '~x'."
        )
    columns = (factor,) if isinstance(factor, str) else tuple(factor)
    return RandomTerm(_written_out(_effects(text, expression)), columns)


def with_random_term(text: str, effects: str | None, groups: str, *, is_column: bool) -> str:
    """Add a random term to a formula whose groups are given apart, as in statsmodels.

    ``is_column``: whether ``groups`` is the name of a column, whatever it looks like.
    """
    written = "1" if effects is None else translate(effects).strip().removeprefix("~").strip()
    if not is_column:
        groups = translate(groups)
        parse_grouping(tokenize(groups), f"{written} | {groups}")
    random_term(written, groups)
    return f"{text} + ({written} | {quoted(groups) if is_column else groups})"


def _parsed(text: str) -> ParsedFormula:
    """Take a formula apart."""
    response, right = _split_response(text, translate(text))
    pieces = list(_additive_pieces(right, tokenize(right, _STRUCTURES)))
    random = [term for sign, tokens in pieces for term in _random_terms(right, sign, tokens)]
    offsets = [_offset(right, tokens) for sign, tokens in pieces if _is_offset(sign, tokens)]
    fixed = _join(right, [p for p in pieces if not (_has_bar(p[1]) or _is_offset(*p))])
    expand_terms(fixed)
    for code in (*offsets, *([] if response is None else [response])):
        names_in(code)
    return ParsedFormula(text, response, fixed, tuple(random), tuple(offsets))


def _split_response(text: str, translated: str) -> tuple[str | None, str]:
    """Split a formula at its tilde into response and right-hand side."""
    sides = split(tokenize(translated), ("~",))
    if len(sides) != 2:
        fault = "has no '~'" if len(sides) == 1 else "has more than one '~'"
        remedy = f"'~ {text.strip()}'" if len(sides) == 1 else f"{_EXAMPLE!r}"
        raise ValueError(
            f"The formula {text!r} {fault}: expected 'response ~ terms', or '~ terms' where the "
            f"response is given apart. Write for instance {remedy}."
        )
    left, right = sides
    if _has_bar(left):
        raise ValueError(
            f"The response {source(translated, left)!r} has a bar: random effects stand on the "
            f"right of '~', as in {_EXAMPLE!r}."
        )
    return source(translated, left) or None, source(translated, right)


def _additive_pieces(text: str, tokens: Sequence[Token]) -> Iterator[tuple[str, Sequence[Token]]]:
    """Yield the signed summands of a right-hand side, opening brackets around random terms."""
    if not tokens:
        return
    if tokens[-1].text in ("+", "-"):
        raise ValueError(
            f"{source(text, tokens)!r} ends with {tokens[-1].text!r}: expected a term after it. "
            "Write the term, or remove the sign."
        )
    depth = min(token.depth for token in tokens)
    sign, start = "+", 0
    for position in range(len(tokens) + 1):
        at_end = position == len(tokens)
        if not at_end and not _is_sign(tokens, position, depth):
            continue
        piece = tokens[start:position]
        if is_enclosed(piece) and _has_bar(piece) and len(split(piece[1:-1], ("|", "||"))) == 1:
            if sign == "-":
                raise ValueError(_not_a_summand(source(text, piece)))
            yield from _additive_pieces(text, piece[1:-1])
        elif piece:
            yield sign, piece
        if not at_end:
            sign, start = tokens[position].text, position + 1


def _is_sign(tokens: Sequence[Token], position: int, depth: int) -> bool:
    """Tell whether a token is a plus or minus between summands."""
    token = tokens[position]
    if token.depth != depth or token.text not in ("+", "-"):
        return False
    return position == 0 or tokens[position - 1].text not in _OPERATORS - {"+", "-"}


def _has_bar(tokens: Sequence[Token]) -> bool:
    """Tell whether the tokens hold a bar that no function call hides."""
    return any(token.text in ("|", "||") and not token.in_call for token in tokens)


def _is_offset(sign: str, tokens: Sequence[Token]) -> bool:
    """Tell whether a summand is ``offset(...)``."""
    return sign == "+" and tokens[0].text == "offset" and is_enclosed(tokens[1:])


def _offset(text: str, tokens: Sequence[Token]) -> str:
    """Return the expression inside ``offset(...)``."""
    inner = source(text, tokens[2:-1])
    if not inner:
        raise ValueError("'offset()' is empty: expected an expression, as in offset(log(time)).")
    return inner


def _join(text: str, pieces: Sequence[tuple[str, Sequence[Token]]]) -> str:
    """Write the summands of the fixed part as one text."""
    joined = " ".join(f"{sign} {source(text, tokens)}" for sign, tokens in pieces)
    if joined.startswith("- "):
        return "-" + joined[2:]
    return joined.removeprefix("+ ") or "1"


def _random_terms(text: str, sign: str, tokens: Sequence[Token]) -> tuple[RandomTerm, ...]:
    """Parse one summand with a bar into its random terms; none if it has no bar."""
    if not _has_bar(tokens):
        return ()
    written = source(text, tokens)
    structure = _STRUCTURES.get(tokens[0].text) if is_enclosed(tokens[1:]) else None
    bracketed = tokens if structure is None else tokens[1:]
    if len(split(bracketed, ("|", "||"))) > 1:
        raise ValueError(
            f"The bar in {written!r} is outside brackets: random effects are written in "
            f"brackets, as in ({written})."
        )
    if sign == "-" or not is_enclosed(bracketed):
        raise ValueError(_not_a_summand(written))
    return _terms_of_bar(text, bracketed[1:-1], structure or "unstructured")


def _terms_of_bar(text: str, tokens: Sequence[Token], covariance: str) -> tuple[RandomTerm, ...]:
    """Parse ``effects | factor`` into random terms, innermost nesting last."""
    written = source(text, tokens)
    sides = split(tokens, ("|", "||"))
    if len(sides) != 2:
        raise ValueError(
            f"The random term ({written}) needs exactly one bar, got {len(sides) - 1}: expected "
            "(effects | factor), with one pair of brackets per factor."
        )
    left, right = sides
    if not left or not right:
        missing = "effects before" if not left else "grouping factor after"
        raise ValueError(
            f"The random term ({written}) has no {missing} the bar: expected (effects | factor), "
            "as in (1 | group)."
        )
    effects = _effects(source(text, left), written)
    is_split = tokens[len(left)].text == "||"
    expressions = [_written_out((effect,)) for effect in effects] if is_split else []
    return tuple(
        RandomTerm(expression, factor, covariance)
        for factor in parse_grouping(right, written)
        for expression in expressions or [_written_out(effects)]
    )


def _effects(expression: str, written: str) -> tuple[str, ...]:
    """Expand an expression into its effects, at least one."""
    effects = expand_terms(expression)
    if not effects:
        raise ValueError(
            f"The random term ({written}) has no effect at all: expected at least one, as in "
            "(1 | group) or (0 + x | group)."
        )
    return effects


def _written_out(effects: tuple[str, ...]) -> str:
    """Write effects so that equal terms have equal texts: the intercept is always explicit."""
    return " + ".join(effects if "1" in effects else ("0", *effects))


def _not_a_summand(written: str) -> str:
    """Say that a random term is combined by something else than plus."""
    return (
        f"The random term in {written!r} is not added to the formula: expected '+ (effects | "
        f"factor)', as in {_EXAMPLE!r}."
    )
