"""Rows of BEHAVIOUR.md on formulas that somebody else wrote: nothing but arithmetic runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm
from skmixed.formula import parse_formula, train_formula
from skmixed.formula.expression import Expression
from skmixed.formula.parse import with_random_term
from skmixed.inference import marginal_means, marginal_slopes, t_test, wald_test

N = 60
RNG = np.random.default_rng(3)
X = RNG.normal(size=N)
DATA = pd.DataFrame(
    {
        "x": X,
        "z": RNG.normal(size=N),
        "f": np.array(["a", "b", "c"])[np.arange(N) % 3],
        "g": np.repeat(np.arange(12), 5),
        "_merge": RNG.normal(size=N),
    }
)
DATA["y"] = X + RNG.normal(size=12)[DATA["g"]] + RNG.normal(size=N)

# An expression, and the piece of it that the error names.
ATTACKS = [
    ("I(x + 0*np.__builtins__['__import__']('os').system('touch canary'))", "__builtins__"),
    ("log.__globals__['__builtins__']['open']('canary', 'w')", "__"),
    ("log.__class__", "__class__"),
    ("I.__code__", "__code__"),
    ("C.__init__.__globals__", "__"),
    ("bs.__class__(x)", "__class__"),
    ("().__class__.__bases__[0].__subclasses__()", "__"),
    ("x.__class__", "__class__"),
    ("x.__array_interface__", "__array_interface__"),
    ("log(x).__reduce__()", "__reduce__"),
    ("'{0.__class__}'.format(x)", "format"),
    ("str.format('{0.__class__}', x)", "format"),
    ("str.join('', x)", "join"),
    ("f'{x.__class__}'", "f-string"),
    ("f'{x}'", "f-string"),
    ("np.save('canary', x)", "save"),
    ("np.savetxt('canary', x)", "savetxt"),
    ("np.savez('canary', x)", "savez"),
    ("np.load('canary')", "load"),
    ("np.loadtxt('canary')", "loadtxt"),
    ("np.fromfile('canary')", "fromfile"),
    ("np.genfromtxt('canary')", "genfromtxt"),
    ("np.memmap('canary', mode='w+', shape=3)", "memmap"),
    ("np.DataSource('.').open('canary', 'w')", "DataSource"),
    ("np.ctypeslib.load_library('libc', '.')", "ctypeslib"),
    ("np.lib.npyio.np.save('canary', x)", "lib"),
    ("np.testing.measure('1')", "testing"),
    ("np.f2py.compile(b'')", "f2py"),
    ("np.random.seed(1)", "random"),
    ("np.seterr(all='ignore')", "seterr"),
    ("np.frompyfunc(str, 1, 1)(x)", "frompyfunc"),
    ("np.log.reduce(x)", "reduce"),
    ("x.tofile('canary')", "tofile"),
    ("x.dump('canary')", "dump"),
    ("x.values.tofile('canary')", "values"),
    ("x.to_csv('canary')", "to_csv"),
    ("x.str.len()", "str"),
    ("x.setflags(write=True)", "setflags"),
    ("x.fill(0)", "fill"),
    ("(x + 1).tofile('canary')", "tofile"),
    ("x[:2].tofile('canary')", "tofile"),
    ("log(x).tofile('canary')", "tofile"),
    ("np.log(x).dump('canary')", "dump"),
    ("x.astype('O').dump('canary')", "dump"),
    ("[x][0].tofile('canary')", "tofile"),
    ("(x if True else z).tofile('canary')", "tofile"),
    ("Q('x').tofile('canary')", "tofile"),
    ("center(x.tofile('canary'))", "tofile"),
    ("log['__globals__']", "__globals__"),
    ("x['__class__']", "__class__"),
    ("__import__('os').system('touch canary')", "__import__"),
    ("__builtins__", "__builtins__"),
    ("__builtins__['open']('canary', 'w')", "__builtins__"),
    ("open('canary', 'w')", "open"),
    ('eval(\'open("canary", "w")\')', "eval"),
    ('exec(\'open("canary", "w")\')', "exec"),
    ("compile('1', '', 'eval')", "compile"),
    ("getattr(x, 'tofile')('canary')", "getattr"),
    ("globals()", "globals"),
    ("vars(x)", "vars"),
    ("type(x)", "type"),
    ("object.mro()", "object"),
    ("print(x)", "print"),
    ("breakpoint()", "breakpoint"),
    ("os.system('touch canary')", "os"),
    ("subprocess.run(['touch', 'canary'])", "subprocess"),
    ("pd.read_pickle('canary')", "pd"),
    ("Path('canary').touch()", "Path"),
    ("pickle.loads(b'')", "pickle"),
    ("(lambda: 1)()", "lambda"),
    ("[k for k in x]", "comprehension"),
    ("I({k for k in x})", "comprehension"),
    ("I({k: 1 for k in x})", "comprehension"),
    ("list(k for k in x)", "comprehension"),
    ("I((k := x))", "assignment"),
    ("log(*x)", "starred"),
    ("log(**x)", "**"),
    ("C(f, Treatment.__class__)", "__class__"),
    ("C(f, Treatment(x.tofile('canary')))", "tofile"),
    ("C(f, levels=np.load('canary'))", "load"),
    ("bs(x, df=open('canary', 'w'))", "open"),
    ("bs(x, knots=np.fromfile('canary'))", "fromfile"),
    ("poly(x, __import__('os').getpid())", "__import__"),
    ("cr(x, df=4, constraints=np.load('canary'))", "load"),
    ("ContrastMatrix.mro()", "mro"),
    # Python reads these letters as those of ASCII.
    ("np.\uff53ave('canary', x)", "save"),
    ("x._\uff3fclass__", "class"),
]
PLACES = [
    "y ~ x + {} + (1 | g)",
    "y ~ x:{} + (1 | g)",
    "y ~ x + ({} | g)",
    "y ~ x + (0 + {} || g)",
    "y ~ x + offset({}) + (1 | g)",
    "{} ~ x + (1 | g)",
]


@pytest.fixture(autouse=True)
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail if anything was written to the working folder, or to the data."""
    before = DATA.copy()
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []
    pd.testing.assert_frame_equal(DATA, before)


def refuse(piece: str, use: Any) -> None:
    """Check that a use raises ValueError, and that the message has the offending piece."""
    with pytest.raises(ValueError, match=re.escape(piece)):
        use()


@pytest.mark.parametrize("place", PLACES)
def test_code_is_refused_in_every_part_of_a_formula(place: str) -> None:
    for attack, piece in ATTACKS:
        formula = place.format(attack)
        refuse(piece, lambda f=formula: MixedLM(formula=f).fit(DATA))
        refuse(piece, lambda f=formula: mixedlm(f, DATA, environment={}))


def test_code_is_refused_as_a_grouping_factor() -> None:
    for attack, _ in ATTACKS:
        formula = f"y ~ x + (1 | {attack})"
        refuse("column", lambda f=formula: MixedLM(formula=f).fit(DATA))


@pytest.mark.parametrize(("attack", "piece"), [a for a in ATTACKS if a[1].startswith("__")])
def test_underscored_names_are_refused_with_the_callers_names_too(attack: str, piece: str) -> None:
    refuse(piece, lambda: mixedlm(f"y ~ x + {attack} + (1 | g)", DATA))


@pytest.mark.parametrize("attack", ["np.save('canary', x)", "x.tofile('canary')"])
def test_numpy_and_columns_are_the_same_with_the_callers_names(attack: str) -> None:
    refuse("np.save" if "save" in attack else "tofile", lambda: mixedlm(f"y ~ {attack}", DATA))


def _underscored(x: Any) -> Any:
    return x


def test_functions_of_the_environment_get_no_underscored_texts() -> None:
    for environment in (None, {"getattr": getattr, "_underscored": _underscored}):
        refuse(
            "_underscored",
            lambda e=environment: mixedlm("y ~ _underscored(x) + (1 | g)", DATA, environment=e),
        )
    given = {"getattr": getattr}
    refuse(
        "'__class__'",
        lambda: mixedlm("y ~ getattr(x, '__class__') + (1 | g)", DATA, environment=given),
    )


@pytest.mark.parametrize("formula", ["y ~ x + _merge", "y ~ x + Q('_merge')", "y ~ x + `_merge`"])
def test_a_column_may_have_a_leading_underscore(formula: str) -> None:
    assert "_merge" in mixedlm(f"{formula} + (1 | g)", DATA).params.index[-1]


@pytest.mark.parametrize(
    ("arguments", "piece"),
    [
        ({"groups": "g) + np.save('canary', x"}, "closing bracket"),
        ({"groups": "g) + (1 | f"}, "closing bracket"),
        ({"groups": "g + x"}, "g + x"),
        ({"groups": "np.save('canary', x)"}, "save"),
        ({"groups": "__import__('os')"}, "__import__"),
        ({"groups": "g", "re_formula": "~x) + np.save('canary', x) + (z"}, "closing bracket"),
        ({"groups": "g", "re_formula": "~x | f) + (1"}, "closing bracket"),
        ({"groups": "g", "re_formula": "~x | f"}, "bar"),
        ({"groups": "g", "re_formula": "np.save('canary', x)"}, "save"),
        ({"groups": "g", "re_formula": "x.__class__"}, "__class__"),
        ({"groups": "g", "weights": "__class__"}, "__class__"),
        ({"groups": "g", "weights": "np.save('canary', x)"}, "save"),
        ({"groups": "g", "group_weights": "x.__class__"}, "x.__class__"),
    ],
)
def test_arguments_are_no_way_into_a_formula(arguments: dict[str, str], piece: str) -> None:
    refuse(piece, lambda: mixedlm("y ~ x", DATA, environment={}, **arguments))


@pytest.fixture(scope="module")
def results() -> Any:
    return mixedlm("y ~ x + f + (1 | g)", DATA)


@pytest.mark.parametrize(
    "hypothesis",
    [
        "x = __import__('os').system('touch canary')",
        "x = 2 * z",
        "np.save('canary', x) = 0",
        "x.__class__ = 0",
        "open('canary', 'w')",
        "x = 0; import os",
        "(lambda: x)() = 0",
        "x ** 9 ** 9 = 0",
    ],
)
@pytest.mark.parametrize("test", [t_test, wald_test])
def test_hypotheses_are_linear_equations(test: Any, hypothesis: str, results: Any) -> None:
    refuse(hypothesis, lambda: test(results, hypothesis))


@pytest.mark.parametrize("attack", ["np.save('canary', x)", "x.__class__", "__import__('os')"])
def test_arguments_of_marginal_means_are_names(attack: str, results: Any) -> None:
    refuse(attack, lambda: marginal_means(results, attack))
    refuse(attack, lambda: marginal_means(results, "f", by=attack))
    refuse(attack, lambda: marginal_means(results, "f", at={attack: [1.0]}))
    refuse(attack, lambda: marginal_slopes(results, attack))


NAMES = [
    "x) + np.save('canary', x) + (z",
    "__import__('os').system('touch canary')",
    'x") + np.save("canary", x) + Q("z',
    "x') + np.save('canary', x) + Q('z",
    "x\\",
    'x\\"); np.save("canary", x) #',
    "x ~ z",
    "(1 | f)",
    "x`",
    "two\nlines\tand\r\x00",
    "TRUE",
    "lambda",
    "a/b",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_columns_are_nothing_but_names(name: str) -> None:
    data = DATA.rename(columns={"x": name})
    quoted = f"Q({name!r})" if "`" in name else f"`{name}`"
    plain = mixedlm("y ~ x + (1 | g)", DATA)
    for formula in (f"y ~ {quoted} + (1 | g)", f"y ~ I(1 * {quoted}) + (1 | g)"):
        assert mixedlm(formula, data, environment={}).llf == pytest.approx(plain.llf)
    data = DATA.rename(columns={"g": name})
    for use in (
        lambda: mixedlm("y ~ x", data, groups=name, environment={}),
        lambda: mixedlm(f"y ~ x + (1 | {quoted})", data, environment={}),
    ):
        assert use().llf == pytest.approx(plain.llf)


def test_groups_are_columns_joined_as_in_a_formula() -> None:
    text = with_random_term("y ~ x", "~ x + z", "g/f", is_column=False)
    assert text == "y ~ x + (x + z | g/f)"
    assert [term.name for term in parse_formula(text).random] == ["g", "g:f"]


def write_into(x: Any) -> Any:
    x[0] = 100.0
    return x


@pytest.mark.parametrize(
    "code",
    [
        "np.log(z, x)",
        "np.exp(z, out=x)",
        "np.nan_to_num(x, copy=False)",
        "x.clip(0, 1, x)",
        "write_into(x)",
    ],
)
def test_columns_cannot_be_written_to(code: str) -> None:
    environment = {"write_into": write_into}
    parsed = parse_formula(f"y ~ {code}")
    refuse("read-only", lambda: train_formula(parsed, DATA, environment=environment))


@pytest.mark.parametrize(
    ("code", "piece"),
    [
        ("np.save('canary', x)", "save"),
        ("x.tofile('canary')", "tofile"),
        ("np.__builtins__", "__builtins__"),
        ("open('canary', 'w')", "open"),
        ("log.save('canary', x)", "log"),
        ("[k for k in x]", "comprehension"),
    ],
)
def test_the_state_of_a_loaded_model_is_checked_as_a_formula_is(code: str, piece: str) -> None:
    state = {"constants": {"np.": np}, "stateful": frozenset(), "transforms": {}}
    refuse(piece, lambda: Expression(code).eval(state, {"x": X}))


@pytest.mark.parametrize(
    "code", ["-" * 3000 + "x", "(" * 3000 + "x" + ")" * 3000, "~" * 9000 + "x"]
)
def test_deep_nesting_is_an_error_of_the_formula(code: str) -> None:
    refuse("formula", lambda: train_formula(parse_formula(f"y ~ I({code})"), DATA))


LEGITIMATE = [
    "np.log(x**2) + np.where(x > 0, 1, z) + np.maximum(x, 0)",
    "I((x > 0) & (z < 1)) + I(-x // 2) + I(x % 2)",
    "x.clip(-1, 1) + I((x - x.mean()) / x.std()) + I(x - np.mean(x))",
    "C(f, Treatment('b')) + bs(z, df=4) + cr(x, df=3)",
    "C(f, levels=['c', 'b', 'a']) + poly(x, 2) + scale(z)",
    "bs(x, knots=np.quantile(x, [0.3, 0.6]))",
    "I(np.sin(2 * np.pi * x)) + (f == 'a') + I(x if True else z)",
]


@pytest.mark.parametrize("terms", LEGITIMATE)
def test_arithmetic_and_known_functions_pass(terms: str) -> None:
    recipe, _ = train_formula(parse_formula(f"y ~ {terms} + (1 | g)"), DATA)
    assert np.isfinite(recipe.evaluate(DATA).fixed).all()


def halve(x: Any) -> Any:
    return pd.Series(x) / 2


def test_the_callers_functions_and_modules_are_the_callers() -> None:
    results = mixedlm("y ~ halve(x).abs() + pd.Series(z).rank() + (1 | g)", DATA)
    assert len(results.params) == 3
    refuse("halve", lambda: mixedlm("y ~ halve(x) + (1 | g)", DATA, environment={}))
    refuse("halve", lambda: MixedLM(formula="y ~ halve(x) + (1 | g)").fit(DATA))
