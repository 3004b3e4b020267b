"""Expand the operators of a formula into its terms, with work in proportion to the terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from patsy import PatsyError
from patsy.parse_formula import parse_formula as parse_tree

__all__ = ["MOST_TERMS", "expand"]

_Terms: TypeAlias = dict[int, tuple[int, ...]]

ONE_TILDE = "~ can only be used once, and only at the top level"
# A design of more terms has more columns than any fit can use.
MOST_TERMS = 10_000
# Pairs of terms that may be multiplied to find the different ones among their products.
MOST_PAIRS = 100 * MOST_TERMS


@dataclass(slots=True)
class _Sum:
    """Terms by their set of factors, the bits of a number; whether they have an intercept.

    ``intercept`` is None where the text says nothing about it.
    """

    terms: _Terms = field(default_factory=dict)
    intercept: bool | None = None


def expand(text: str) -> list[tuple[str, ...]]:
    """Return the terms of a right-hand side, each as the expressions that it multiplies.

    The rules are patsy's; the intercept, if it is not removed, is the empty term and comes first.
    """
    try:
        tree = parse_tree(f"~ {text}")
        if len(tree.args) > 1:
            raise PatsyError(ONE_TILDE, tree)
        factors: dict[str, int] = {}
        total = _evaluated(tree.args[0], factors)
    except PatsyError as error:
        raise ValueError(f"The formula cannot be read: {error}") from error
    codes = list(factors)
    intercept: list[tuple[str, ...]] = [] if total.intercept is False else [()]
    return intercept + [tuple(codes[i] for i in order) for order in total.terms.values()]


def _evaluated(root: Any, factors: dict[str, int]) -> _Sum:
    """Return the terms of a tree, and number its factors; a loop, for a long sum is a deep tree."""
    nodes, ahead = [], [root]
    while ahead:
        nodes.append(ahead.pop())
        ahead.extend(_operands(nodes[-1]))
    values: list[_Sum] = []
    for node in reversed(nodes):
        first = len(values) - len(_operands(node))
        values[first:] = [_value(node, values[first:], factors)]
    return values[0]


def _operands(node: Any) -> list[Any]:
    """Return the sums that a node is made of; an exponent is none."""
    return list(node.args[:1] if node.type == "**" else node.args)


def _value(node: Any, operands: list[_Sum], factors: dict[str, int]) -> _Sum:
    """Return the terms of a node from those of its operands."""
    if node.type == "PYTHON_EXPR":
        i = factors.setdefault(node.token.extra, len(factors))
        return _Sum({1 << i: (i,)})
    if node.type in ("ZERO", "ONE"):
        return _Sum(intercept=node.type == "ONE")
    if node.type == "NUMBER":
        raise PatsyError("numbers besides '0' and '1' are only allowed with **", node)
    if node.type == "~":
        raise PatsyError(ONE_TILDE, node)
    total = _OPERATORS[node.type, len(operands)](node, *operands)
    if len(total.terms) > MOST_TERMS:
        raise _too_many()
    return total


def _plus(node: Any, left: _Sum, right: _Sum) -> _Sum:
    """Add the terms of the right side; a 0 there removes the intercept."""
    if node.args[1].type == "ZERO":
        return _Sum(left.terms, intercept=False)
    return _Sum(_joined(left.terms, right.terms), right.intercept or left.intercept)


def _minus(node: Any, left: _Sum, right: _Sum) -> _Sum:
    """Remove the terms of the right side; minus 0 adds the intercept."""
    if node.args[1].type == "ZERO":
        return _Sum(left.terms, intercept=True)
    terms = {key: order for key, order in left.terms.items() if key not in right.terms}
    return _Sum(terms, False if right.intercept else left.intercept)


def _times(node: Any, left: _Sum, right: _Sum) -> _Sum:
    """Return both sides and their interaction."""
    products = _interaction(node, left, right).terms
    return _Sum(_joined(_joined(left.terms, right.terms), products))


def _nesting(node: Any, left: _Sum, right: _Sum) -> _Sum:
    """Return the left side, and the right side within all factors of the left."""
    factors = dict.fromkeys(i for order in left.terms.values() for i in order)
    outer = _Sum({sum(1 << i for i in factors): tuple(factors)}, left.intercept)
    products = _interaction(node, outer, right).terms
    return _Sum(_joined(left.terms, products))


def _interaction(node: Any, left: _Sum, right: _Sum) -> _Sum:
    """Multiply each term of the left side with each of the right."""
    for argument, side in zip(node.args, (left, right), strict=True):
        _check_no_intercept(argument, side)
    return _Sum(_products(left.terms, right.terms))


def _power(node: Any, base: _Sum) -> _Sum:
    """Return all products of up to so many terms."""
    _check_no_intercept(node.args[0], base)
    exponent = node.args[1]
    try:
        power = int(exponent.token.extra) if exponent.type in ("ONE", "NUMBER") else 0
    except ValueError:
        power = 0
    if power < 1:
        raise PatsyError("'**' requires a positive integer", exponent)
    terms, products = dict(base.terms), base.terms
    for _ in range(1, min(power, len(base.terms))):
        before, products = len(terms), _products(base.terms, products)
        if not before < len(_joined(terms, products)) <= MOST_TERMS:
            break
    return _Sum(terms)


def _check_no_intercept(node: Any, total: _Sum) -> None:
    """Raise if a sum that is multiplied has an intercept."""
    if total.intercept:
        raise PatsyError("intercept term cannot interact with anything else", node)


def _joined(terms: _Terms, more: _Terms) -> _Terms:
    """Add terms to others in place: an operand is used once."""
    for key, order in more.items():
        terms.setdefault(key, order)
    return terms


def _products(left: _Terms, right: _Terms) -> _Terms:
    """Multiply each term with each, keeping the different ones."""
    if len(left) * len(right) > MOST_PAIRS:
        raise _too_many()
    products: _Terms = {}
    for key, order in left.items():
        if len(products) > MOST_TERMS:
            raise _too_many()
        for other, more in right.items():
            if key | other not in products:
                new = tuple(i for i in more if not key >> i & 1) if key & other else more
                products[key | other] = order + new
    return products


def _too_many() -> ValueError:
    """Say that a formula has more terms than a fit can use."""
    return ValueError(
        f"Written out, the formula has more than {MOST_TERMS:,} terms, or multiplies more than "
        f"{MOST_PAIRS:,} pairs of them: every further factor of a * b * c doubles their number. "
        "Write the interactions that are needed, such as (a + b + c)**2."
    )


def _unary_minus(node: Any, _only: _Sum) -> _Sum:
    """Remove the intercept, or add it for -0."""
    if node.args[0].type not in ("ZERO", "ONE"):
        raise PatsyError("Unary minus can only be applied to 1 or 0", node)
    return _Sum(intercept=node.args[0].type == "ZERO")


_OPERATORS: dict[tuple[str, int], Callable[..., _Sum]] = {
    ("+", 2): _plus,
    ("-", 2): _minus,
    ("*", 2): _times,
    ("/", 2): _nesting,
    (":", 2): _interaction,
    ("**", 1): _power,
    ("+", 1): lambda _node, only: only,
    ("-", 1): _unary_minus,
}
