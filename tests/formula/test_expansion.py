"""Terms of a formula: patsy's, but by a loop, and no more of them than a fit can use."""

from __future__ import annotations

import itertools
import string

import patsy
import pytest

from skmixed.formula import parse_formula
from skmixed.formula.expansion import MOST_TERMS, expand

TEXTS = [
    "a",
    "0 + a",
    "a + 0",
    "1 + a + 0",
    "a - 1",
    "a + -1",
    "-0 + a",
    "1 - (a + 1)",
    "a + (b - a)",
    "b:a + a:b",
    "a*b:c",
    "b + b:c + (a - b)*c",
    "(a + b)/c",
    "a/(b + c)",
    "a/b/c",
    "(0 + a)*b",
    "(a + b + c + d)**2 - a:b",
    "(a + b*c)**3",
    "a**2",
    "np.log(a,base=10) - np . log(a , base = 10) + I(b*c)",
]
WRONG = [
    "a:1",
    "(a + 1)*b",
    "2 + a",
    "a**b",
    "a**(1 + 1)",
    "a**1.5",
    "a**0",
    "-a",
    "(a ~ b)",
    "a *",
]


def of_patsy(text: str) -> list[tuple[str, ...]]:
    terms = patsy.ModelDesc.from_formula(f"~ {text}").rhs_termlist
    return [tuple(factor.code for factor in term.factors) for term in terms]


@pytest.mark.parametrize("text", TEXTS)
def test_terms_are_those_of_patsy(text: str) -> None:
    assert expand(text) == of_patsy(text)


def test_terms_of_many_formulas_are_those_of_patsy() -> None:
    for first, second in itertools.product("+-*/:", repeat=2):
        for text in (f"a {first} b {second} (c + a)", f"(a {first} b) {second} c:b"):
            assert expand(text) == of_patsy(text)


@pytest.mark.parametrize("text", WRONG)
def test_what_patsy_refuses_is_refused(text: str) -> None:
    with pytest.raises(patsy.PatsyError):
        of_patsy(text)
    with pytest.raises(ValueError, match="cannot be read"):
        expand(text)


def names(n: int) -> list[str]:
    return [f"x{i}" for i in range(n)]


def test_long_sums_are_no_deep_trees() -> None:
    parsed = parse_formula(f"y ~ {' + '.join(names(1500))} + (1 | g)")
    assert len(expand(parsed.fixed)) == 1501


def test_pairs_of_many_columns() -> None:
    assert len(expand(f"({' + '.join(names(130))})**2")) == 1 + 130 + 130 * 129 // 2
    assert len(expand("*".join(names(13)))) == 2**13


@pytest.mark.parametrize(
    "text",
    [
        "*".join(string.ascii_lowercase),
        f"({'+'.join(string.ascii_lowercase)})**9",
        f"({'+'.join(names(400))})**2",
        f"({'*'.join(names(12))}):({'*'.join(names(13))})",
        f"({'*'.join(names(10))})**{'9' * 50}",
    ],
)
def test_formulas_with_too_many_terms_are_refused_at_once(text: str) -> None:
    for formula in (f"y ~ {text}", f"y ~ x + ({text} | g)", f"y ~ ({text} || g)"):
        with pytest.raises(ValueError, match=f"more than {MOST_TERMS:,} terms"):
            parse_formula(formula)


def test_a_power_stops_where_nothing_is_added() -> None:
    assert expand("(a + b)**999999999") == [(), ("a",), ("b",), ("a", "b")]
    assert len(expand("(a + b + c)**99")) == 8


def test_groups_with_too_many_factors_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="more than 1,000 factors"):
        parse_formula(f"y ~ (1 | {':'.join(f'(a{i}/b{i})' for i in range(30))})")


@pytest.mark.parametrize("inner", ["x", "(1 | g)", "1 | (g)"])
def test_brackets_too_deep_for_python_are_refused(inner: str) -> None:
    with pytest.raises(ValueError, match=r"nested|outside brackets|is no column"):
        parse_formula(f"y ~ {'(' * 600}{inner}{')' * 600} + I({'(' * 900}x{')' * 900})")
