"""Spellings of lme4 formulas and the terms they stand for."""

from __future__ import annotations

import pickle

import pytest

from skmixed.formula import RandomTerm, parse_formula, random_term

US, DIAGONAL = "unstructured", "diagonal"

RANDOM_PARTS = [
    ("(1|g)", [("1", "g", US)]),
    ("(x|g)", [("1 + x", "g", US)]),
    ("(1+x|g)", [("1 + x", "g", US)]),
    ("(x + 1 | g)", [("1 + x", "g", US)]),
    ("(0+x|g)", [("0 + x", "g", US)]),
    ("(-1+x|g)", [("0 + x", "g", US)]),
    ("(x-1|g)", [("0 + x", "g", US)]),
    ("(x||g)", [("1", "g", US), ("0 + x", "g", US)]),
    ("(0 + x || g)", [("0 + x", "g", US)]),
    (
        "(x*z || g)",
        [("1", "g", US), ("0 + x", "g", US), ("0 + z", "g", US), ("0 + x:z", "g", US)],
    ),
    ("(1|g) + (0+x|g)", [("1", "g", US), ("0 + x", "g", US)]),
    ("(1|g) + (1|h)", [("1", "g", US), ("1", "h", US)]),
    ("(1|a:b)", [("1", "a:b", US)]),
    ("(1|a/b)", [("1", "a", US), ("1", "a:b", US)]),
    ("(x|a/b)", [("1 + x", "a", US), ("1 + x", "a:b", US)]),
    ("(1|a/b/c)", [("1", "a", US), ("1", "a:b", US), ("1", "a:b:c", US)]),
    ("(1|a/(b:c))", [("1", "a", US), ("1", "a:b:c", US)]),
    ("(1|a:(b/c))", [("1", "a:b", US), ("1", "a:b:c", US)]),
    ("(1|(a/b))", [("1", "a", US), ("1", "a:b", US)]),
    ("(x||a/b)", [("1", "a", US), ("0 + x", "a", US), ("1", "a:b", US), ("0 + x", "a:b", US)]),
    ("(1|factor(g))", [("1", "g", US)]),
    ("(1|C(a):b)", [("1", "a:b", US)]),
    ("(1|school.id/class)", [("1", "school.id", US), ("1", "school.id:class", US)]),
    ("(1|`my group`)", [("1", "my group", US)]),
    ('(1|Q("my group"))', [("1", "my group", US)]),
    ("us(1 + x | g)", [("1 + x", "g", US)]),
    ("diag(1 + x | g)", [("1 + x", "g", DIAGONAL)]),
    ("cs(x | g)", [("1 + x", "g", "compound_symmetry")]),
    ("ar1(0 + f | a:b)", [("0 + f", "a:b", "ar1")]),
    ("diag(x | a/b)", [("1 + x", "a", DIAGONAL), ("1 + x", "a:b", DIAGONAL)]),
    ("((1|g))", [("1", "g", US)]),
    ("((1|g) + (1|h))", [("1", "g", US), ("1", "h", US)]),
    ("(np.log(x) + I(z^2) | g)", [("1 + np.log(x) + I(z ** 2)", "g", US)]),
    ("(poly(x, 2) | g)", [("1 + poly(x, 2)", "g", US)]),
    ("(I(a | b) | g)", [("1 + I(a | b)", "g", US)]),
    ("( f == 'a|b' | g )", [("1 + f == 'a|b'", "g", US)]),
]


@pytest.mark.parametrize(("text", "expected"), RANDOM_PARTS)
def test_random_terms(text: str, expected: list[tuple[str, str, str]]) -> None:
    parsed = parse_formula(f"y ~ w + {text}")
    terms = [(term.expression, term.name, term.covariance) for term in parsed.random]
    assert terms == expected
    assert (parsed.response, parsed.fixed, parsed.offsets) == ("y", "w", ())


def test_factor_keeps_columns_apart() -> None:
    (term,) = parse_formula("y ~ (1 | site:`my block`)").random
    assert term == RandomTerm("1", ("site", "my block"), US)
    assert term.name == "site:my block"


@pytest.mark.parametrize(
    ("text", "response", "fixed", "offsets", "n_random"),
    [
        ("y ~ x", "y", "x", (), 0),
        ("y ~ x + (1|g)", "y", "x", (), 1),
        ("y~(1|g)+x", "y", "x", (), 1),
        ("y ~ (1|g)", "y", "1", (), 1),
        ("y ~ 1 + (1|g)", "y", "1", (), 1),
        ("~ x + (1|g)", None, "x", (), 1),
        ("  ~ (1|g)", None, "1", (), 1),
        ("y ~", "y", "1", (), 0),
        ("y ~ x +\n  (1|g)\n", "y", "x", (), 1),
        ("größe ~ überschuß + (1|g)", "größe", "überschuß", (), 1),
        ("np.log(y) ~ x", "np.log(y)", "x", (), 0),
        ("y/10 ~ x", "y/10", "x", (), 0),
        ("y ~ 0 + x + (1|g)", "y", "0 + x", (), 1),
        ("y ~ x + (1|g) - 1", "y", "x - 1", (), 1),
        ("y ~ -1 + x + (1|g)", "y", "-1 + x", (), 1),
        ("y ~ (1|g) - 1", "y", "-1", (), 1),
        ("y ~ a*b - a:b + (1|g)", "y", "a*b - a:b", (), 1),
        ("y ~ (a + b)^2 + (1|g)", "y", "(a + b)**2", (), 1),
        ("y ~ I(x^2) + poly(x, 2, raw=TRUE)", "y", "I(x**2) + poly(x, 2, raw=True)", (), 0),
        ("y ~ `a b` + `x`", "y", 'Q("a b") + x', (), 0),
        ("y ~ C(f, Treatment('b|(')) + (1|g)", "y", "C(f, Treatment('b|('))", (), 1),
        ("y ~ I(a | b) + (1|g)", "y", "I(a | b)", (), 1),
        ("y ~ offset(z) + x", "y", "x", ("z",), 0),
        ("y ~ x + offset(log(z)) + (1|g) + offset(w + 1)", "y", "x", ("log(z)", "w + 1"), 1),
        ("y ~ offset + (1|g)", "y", "offset", (), 1),
        ("y ~ (x + (1|g))", "y", "x", (), 1),
        ("y ~ us(x) + (1|g)", "y", "us(x)", (), 1),
    ],
)
def test_parts(
    text: str, response: str | None, fixed: str, offsets: tuple[str, ...], n_random: int
) -> None:
    parsed = parse_formula(text)
    assert (parsed.text, parsed.response, parsed.fixed) == (text, response, fixed)
    assert (parsed.offsets, len(parsed.random)) == (offsets, n_random)


def test_parsed_formula_is_cached_comparable_and_picklable() -> None:
    text = "y ~ x + (x | g)"
    parsed = parse_formula(text)
    assert parse_formula(text) is parsed
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert hash(parsed) == hash(parse_formula(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y + x + (1|g)", r"has no '~'.*'~ y \+ x \+ \(1\|g\)'"),
        ("y ~ x ~ z", "more than one '~'"),
        ("y ~ x + (1|g", r"bracket '\(' at position 9 .* never closed"),
        ("y ~ x + 1|g)", r"closing bracket '\)' at position 12 .* matches no open"),
        ("y ~ x + [1|g)", "matches no open"),
        ("y ~ Q('a + (1|g)", 'quote "\'" at position 7'),
        ("y ~ `a + (1|g)", "quote '`' at position 5"),
        ("y ~ x | g", r"outside brackets.*\(x \| g\)"),
        ("y ~ x + 1 | g", r"outside brackets.*\(1 \| g\)"),
        ("y ~ (1|)", "no grouping factor after the bar"),
        ("y ~ (|g)", "no effects before the bar"),
        ("y ~ (1|g|h)", "exactly one bar, got 2"),
        ("y ~ (0|g)", "no effect at all"),
        ("y ~ (1|a + b)", r"grouping side of .* is no column: got 'a \+ b'"),
        ("y ~ (1|log(g))", "got 'log [(] g [)]'"),
        ("y ~ (1|a/)", "is no column"),
        ("y ~ x - (1|g)", "not added"),
        ("y ~ x:(1|g)", "not added"),
        ("y ~ (1|g)^2", "not added"),
        ("y ~ x - (z + (1|g))", "not added"),
        ("(1|g) ~ x", "response .* has a bar"),
        ("y ~ offset() + x", "is empty"),
        ("y ~ x + ", r"ends with '\+'"),
        ("y ~ log(x", "never closed"),
        ("y ~ a b", "not valid Python"),
        ("y ~ f(lambda z: z)", "lambda"),
        ("y ~ 2 + x", "cannot be read"),
        ("y ~ (a b | g)", "not valid Python"),
    ],
)
def test_messages(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_formula(text)


def test_formula_must_be_text() -> None:
    with pytest.raises(TypeError, match="got int"):
        parse_formula(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("~x", "1 + x"),
        ("x", "1 + x"),
        ("~ 0 + x", "0 + x"),
        ("1", "1"),
        ("~I(x^2)", "1 + I(x ** 2)"),
    ],
)
def test_random_term_of_statsmodels(expression: str, expected: str) -> None:
    assert random_term(expression, "g") == RandomTerm(expected, ("g",), US)
    assert random_term(expression, ("a", "b")).factor == ("a", "b")


def test_random_term_equals_the_bar() -> None:
    (term,) = parse_formula("y ~ (x * z | g)").random
    assert random_term("~x*z", "g") == term


@pytest.mark.parametrize(("expression", "message"), [("~x|g", "have a bar"), ("~0", "no effect")])
def test_random_term_messages(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_term(expression, "g")
