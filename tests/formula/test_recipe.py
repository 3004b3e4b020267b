"""Arrays made of data frames, against matrices built by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import BSpline

from skmixed.formula import FormulaRecipe, parse_formula, train_formula

N = 24
RNG = np.random.default_rng(7)
X = RNG.uniform(1, 9, N)
Z = RNG.uniform(2, 5, N)
Y = RNG.normal(size=N) + 10
F = np.array(["b", "a", "c", "a"] * (N // 4))
K = np.arange(N) % 3
DATA = {"x": X, "z": Z, "y": Y, "f": F, "k": K, "log": Z, "scale": X, "a b": Z, "b": K == 1}
ONE = np.ones(N)
A, B, C = (np.equal(F, level) for level in "abc")
LINEAR, QUADRATIC = np.array([-1, 0, 1]) / np.sqrt(2), np.array([1, -2, 1]) / np.sqrt(6)


def double(values: Any) -> Any:
    return 2 * values


def as_series(values: Any) -> pd.Series:
    return pd.Series(values, index=np.arange(N)[::-1])


def recipe_of(
    text: str, data: Any = None, environment: Mapping[str, Any] | None = None
) -> FormulaRecipe:
    recipe, _ = train_formula(
        parse_formula(text), DATA if data is None else data, environment=environment
    )
    return recipe


@pytest.mark.parametrize(
    ("fixed", "columns"),
    [
        ("1", [ONE]),
        ("0", []),
        ("x", [ONE, X]),
        ("0 + x", [X]),
        ("x - 1", [X]),
        ("-1 + x + z", [X, Z]),
        ("x + z + x:z", [ONE, X, Z, X * Z]),
        ("x * z", [ONE, X, Z, X * Z]),
        ("x / z", [ONE, X, X * Z]),
        ("(x + z)^2", [ONE, X, Z, X * Z]),
        ("(x + z)**2 - x:z", [ONE, X, Z]),
        ("np.log(x)", [ONE, np.log(X)]),
        ("log(x) + exp(z) + sqrt(x)", [ONE, np.log(X), np.exp(Z), np.sqrt(X)]),
        ("log10(x) + log2(x) + log1p(x)", [ONE, np.log10(X), np.log2(X), np.log1p(X)]),
        ("abs(x - 5)", [ONE, np.abs(X - 5)]),
        ("I(x^2)", [ONE, X**2]),
        ("I(x**2 + z / x)", [ONE, X**2 + Z / X]),
        ("I(k / 2)", [ONE, K / 2]),
        ("I((k + 1)^(-1))", [ONE, 1 / (K + 1)]),
        ("center(x)", [ONE, X - X.mean()]),
        ("scale(x)", [ONE, (X - X.mean()) / X.std(ddof=1)]),
        ("standardize(x)", [ONE, (X - X.mean()) / X.std()]),
        ("center(center(x) * z)", [ONE, (X - X.mean()) * Z - ((X - X.mean()) * Z).mean()]),
        ("f", [ONE, B, C]),
        ("0 + f", [A, B, C]),
        ("f:x", [ONE, A * X, B * X, C * X]),
        ("C(k)", [ONE, K == 1, K == 2]),
        ("factor(k)", [ONE, K == 1, K == 2]),
        ("C(f, Treatment('b'))", [ONE, A, C]),
        ("C(f, levels=['c', 'b', 'a'])", [ONE, B, A]),
        ("C(f, Sum)", [ONE, A * 1.0 - C, B * 1.0 - C]),
        ("C(k, Poly)", [ONE, LINEAR[K], QUADRATIC[K]]),
        ("C(C(k), contrast=Poly)", [ONE, LINEAR[K], QUADRATIC[K]]),
        ("b", [ONE, K == 1]),
        ("I(x > 5)", [ONE, X > 5]),
        ("np.where(x > 5, 'high', 'low')", [ONE, X <= 5]),
        ("(f == 'a') + x.clip(3, 5)", [ONE, A, X.clip(3, 5)]),
        ("scale(z) + scale", [ONE, (Z - Z.mean()) / Z.std(ddof=1), X]),
        ("log(log) + log", [ONE, np.log(Z), Z]),
        ('Q("a b") + x', [ONE, Z, X]),
        ("`a b`:x + log(`a b`)", [ONE, Z * X, np.log(Z)]),
    ],
)
def test_fixed_part_equals_the_matrix_built_by_hand(fixed: str, columns: list[Any]) -> None:
    recipe = recipe_of(f"y ~ {fixed} + (1 | k)")
    matrix = recipe.evaluate(DATA).fixed
    expected = np.column_stack(columns) if columns else np.empty((N, 0))
    np.testing.assert_allclose(matrix, expected, rtol=1e-13, atol=1e-14)
    assert matrix.dtype == np.float64
    assert type(matrix) is np.ndarray
    assert len(recipe.fixed_names) == matrix.shape[1]


def test_b_spline_equals_scipy() -> None:
    knots = np.r_[[X.min()] * 4, np.median(X), [X.max()] * 4]
    expected = BSpline.design_matrix(X, knots, 3).toarray()[:, 1:]
    matrix = recipe_of("y ~ 0 + bs(x, df=4)").evaluate(DATA).fixed
    np.testing.assert_allclose(matrix, expected, atol=1e-13)


@pytest.mark.parametrize("spline", ["cr(x, df=5)", "te(cr(x, df=3), cr(z, df=3))"])
def test_cubic_splines_sum_to_one(spline: str) -> None:
    matrix = recipe_of(f"y ~ 0 + {spline}").evaluate(DATA).fixed
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_cyclic_spline_meets_itself() -> None:
    ends = {"x": np.array([X.min(), X.max()])}
    low, high = recipe_of("y ~ 0 + cc(x, df=4)").evaluate(ends).fixed
    np.testing.assert_allclose(low, high, atol=1e-12)


@pytest.mark.parametrize(
    ("random", "names", "columns"),
    [
        ("(1|g)", ("Intercept",), [ONE]),
        ("(x|g)", ("Intercept", "x"), [ONE, X]),
        ("(0+x|g)", ("x",), [X]),
        ("(f|g)", ("Intercept", "f[T.b]", "f[T.c]"), [ONE, B, C]),
        ("(0+f|g)", ("f[a]", "f[b]", "f[c]"), [A, B, C]),
        ("(np.log(x) + I(z^2)|g)", ("Intercept", "np.log(x)", "I(z ** 2)"), [ONE, np.log(X), Z**2]),
    ],
)
def test_effects(random: str, names: tuple[str, ...], columns: list[Any]) -> None:
    recipe = recipe_of(f"y ~ x + {random}")
    (matrix,) = recipe.evaluate(DATA).effects
    np.testing.assert_allclose(matrix, np.column_stack(columns))
    assert recipe.effect_names == (names,)


def test_names_and_variables() -> None:
    recipe = recipe_of("log(y) ~ f + center(`a b`) + offset(z) + (x | a/b) + (1 | c)")
    assert recipe.fixed_names == ("Intercept", "f[T.b]", "f[T.c]", 'center(Q("a b"))')
    assert recipe.effect_names == (("Intercept", "x"), ("Intercept", "x"), ("Intercept",))
    assert recipe.has_intercept
    assert sorted(recipe.variables) == ["a b", "f", "x", "z"]
    assert recipe.response_variables == ("y",)


@pytest.mark.parametrize(
    ("fixed", "expected"), [("x", True), ("x + 1", True), ("0 + f", False), ("x - 1", False)]
)
def test_has_intercept(fixed: str, expected: bool) -> None:
    recipe = recipe_of(f"y ~ {fixed}")
    assert recipe.has_intercept is expected
    assert ("Intercept" in recipe.fixed_names[:1]) is expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("y", Y),
        ("np.log(y)", np.log(Y)),
        ("log(y)", np.log(Y)),
        ("y / 10", Y / 10),
        ("y + z", Y + Z),
        ("y^2", Y**2),
        ("scale(y)", (Y - Y.mean()) / Y.std(ddof=1)),
        ("k", K),
        ("b", K == 1),
    ],
)
def test_response_is_arithmetic(response: str, expected: Any) -> None:
    values = recipe_of(f"{response} ~ x").evaluate_response(DATA)
    np.testing.assert_allclose(values, expected)
    assert values.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "message"),
    [("f ~ x", "'f' holds categories"), ("first(y) ~ x", r"shape \(3,\) for 24 rows")],
)
def test_response_messages(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe_of(text, environment={"first": lambda y: y[:3]})


def test_formula_without_a_response() -> None:
    recipe, matrices = train_formula(parse_formula("~ x"), DATA)
    assert matrices.response is None
    with pytest.raises(ValueError, match="'~ x' has no response"):
        recipe.evaluate_response(DATA)


def test_training_gives_the_arrays_that_the_recipe_makes_again() -> None:
    formula = "log(y) ~ f + C(k) + b + scale(x) + offset(z) + offset(k) + (f + x || g)"
    recipe, matrices = train_formula(parse_formula(formula), DATA)
    again = recipe.evaluate(DATA)
    np.testing.assert_array_equal(matrices.fixed, again.fixed)
    np.testing.assert_array_equal(np.hstack(matrices.effects), np.hstack(again.effects))
    np.testing.assert_array_equal(matrices.offset, again.offset)
    np.testing.assert_array_equal(matrices.response, recipe.evaluate_response(DATA))


def test_offsets_are_summed() -> None:
    recipe = recipe_of("y ~ x + offset(log(z)) + offset(k)")
    np.testing.assert_allclose(recipe.evaluate(DATA).offset, np.log(Z) + K)
    assert recipe_of("y ~ x").evaluate(DATA).offset is None


def test_stateful_terms_keep_the_state_of_training() -> None:
    terms = "center(x) + scale(z) + poly(x, 2) + bs(x, df=4) + cr(z, df=3) + C(k) + f"
    recipe = recipe_of(f"scale(y) ~ {terms} + (center(x) + f | k)")
    rows = [5, 2, 11]
    new = {name: values[rows] for name, values in DATA.items()}
    whole, part = recipe.evaluate(DATA), recipe.evaluate(new)
    np.testing.assert_allclose(part.fixed, whole.fixed[rows], rtol=1e-12)
    np.testing.assert_allclose(part.effects[0], whole.effects[0][rows], rtol=1e-12)
    np.testing.assert_allclose(recipe.evaluate_response(new), recipe.evaluate_response(DATA)[rows])


@pytest.mark.parametrize("fixed", ["1", "x", "f", "poly(x, 2)", "0"])
@pytest.mark.parametrize("n", [0, 1])
def test_few_rows(fixed: str, n: int) -> None:
    recipe = recipe_of(f"y ~ {fixed} + (1 | g)")
    matrices = recipe.evaluate({name: values[:n] for name, values in DATA.items()})
    assert matrices.fixed.shape == (n, len(recipe.fixed_names))
    assert matrices.effects[0].shape == (n, 1)


def test_environment_gives_functions_and_variables() -> None:
    text = "y ~ double(x) + I(z * factor_of_ten) + np.log(x)"
    recipe = recipe_of(text, environment={"double": double, "factor_of_ten": 10.0, "np": np})
    expected = np.column_stack([ONE, 2 * X, 10 * Z, np.log(X)])
    np.testing.assert_allclose(recipe.evaluate(DATA).fixed, expected)
    assert recipe.variables == ("x", "z")


def test_rows_go_by_position_whatever_index_a_function_returns() -> None:
    recipe = recipe_of("y ~ as_series(x) + z", environment={"as_series": as_series})
    expected = np.column_stack([ONE, X, Z])
    np.testing.assert_allclose(recipe.evaluate(pd.DataFrame(DATA, index=[1] * N)).fixed, expected)


def test_variables_of_the_user_do_not_hide_functions() -> None:
    recipe = recipe_of("y ~ log(x) + I(x * log)", {"x": X, "y": Y}, {"log": 3.0})
    expected = np.column_stack([ONE, np.log(X), 3 * X])
    np.testing.assert_allclose(recipe.evaluate({"x": X}).fixed, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ xx", r"'xx' is not a column of the data .*the columns are \['x', 'z'.*mean 'x'"),
        ("nope ~ x", "'nope' is not a column"),
        ("y ~ (nope | g)", "'nope' is not a column"),
        ("y ~ offset(nope)", "'nope' is not a column"),
        ("y ~ nope(x)", "'nope' is not a known function"),
        ("y ~ nope.log(x)", "'nope' is not a column"),
        ("y ~ np.nope(x)", r"expression 'np.nope\(x\)' .* has no attribute 'nope'"),
        ("y ~ Q('no such')", "'no such' is not a column"),
        ("y ~ bs(x)", r"'bs\(x\)' .*must specify either df or knots"),
        ("y ~ C(f, levels=['a', 'b'])", r"C\(f.*unknown categories \['c'\] \(6 of 24 rows\)"),
        ("y ~ factor(k, labels=['p', 'q', 'r'])", "labels"),
    ],
)
def test_training_messages(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe_of(text)


@pytest.mark.parametrize("text", ["y ~ I(x[:3])", "y ~ z + I(x[:3])"])
def test_expression_must_keep_the_number_of_rows(text: str) -> None:
    with pytest.raises(ValueError, match="rows"):
        recipe_of(text)


def test_name_with_dots_is_pointed_to() -> None:
    data = {"Sepal.Width": X, "y": Y}
    with pytest.raises(ValueError, match=r"written in backticks: `Sepal\.Width`"):
        recipe_of("y ~ Sepal.Width", data)
    np.testing.assert_array_equal(
        recipe_of("y ~ 0 + `Sepal.Width`", data).evaluate(data).fixed, X[:, None]
    )


def test_variable_missing_from_new_rows() -> None:
    recipe = recipe_of("y ~ x + log(z)")
    with pytest.raises(ValueError, match=r"'z' is not a column of the data; .*\['x'\]"):
        recipe.evaluate({"x": X})


@pytest.mark.parametrize("fixed", ["f", "x:f", "I(x * (f == 'a'))", "C(f)"])
def test_unseen_category_is_named(fixed: str) -> None:
    recipe = recipe_of(f"y ~ {fixed}")
    new = {"x": X[:3], "f": np.array(["a", "new", "new"])}
    with pytest.raises(ValueError, match=r"'f' .*unknown categories \['new'\] \(2 of 3 rows\)"):
        recipe.evaluate(new)


def test_unseen_category_of_a_number_is_named() -> None:
    recipe = recipe_of("y ~ C(k)")
    with pytest.raises(ValueError, match=r"'C\(k\)' .*unknown categories \[9"):
        recipe.evaluate({"k": np.array([0, 9])})


def test_columns_named_by_pythons_words():
    data = {"yield": [1.0, 2.0, 4.0], "class": [3.0, 4.0, 5.0], "g": ["a", "b", "b"]}
    recipe, matrices = train_formula(parse_formula("log2(yield) ~ class + (class | g)"), data)
    assert np.array_equal(matrices.response, [0.0, 1.0, 2.0])
    assert np.array_equal(recipe.evaluate(data).fixed, [[1, 3], [1, 4], [1, 5]])
