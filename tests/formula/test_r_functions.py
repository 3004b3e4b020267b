"""Functions shared with R give R's numbers, on training rows and on new rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skmixed.formula import FormulaRecipe, parse_formula, train_formula

REFERENCE = json.loads((Path(__file__).parent / "reference" / "r_functions.json").read_text())
DATA = {name: np.array(REFERENCE[name]) for name in ("x", "dose", "flavour")}
DATA["far"] = DATA["x"] + 1e6


def recipe_of(expression: str) -> FormulaRecipe:
    return train_formula(parse_formula(f"~ {expression}"), DATA)[0]


@pytest.mark.parametrize(
    ("expression", "entry"),
    [
        ("poly(x, 3)", "poly_3"),
        ("poly(x, degree=3)", "poly_3"),
        ("poly(x, 2, raw=TRUE)", "poly_2_raw"),
        ("scale(x)", "scale"),
        ("scale(x, center=FALSE)", "scale_no_center"),
        ("scale(x, scale=FALSE)", "scale_no_scale"),
        ("center(x)", "scale_no_scale"),
        ("scale(x, center=2, scale=4)", "scale_numbers"),
        ("log(x, base=3)", "log_base_3"),
        ("log(x, 3)", "log_base_3"),
        ("I(x^2)", "power"),
    ],
)
def test_function_equals_r(expression: str, entry: str) -> None:
    matrix = recipe_of(f"0 + {expression}").evaluate(DATA).fixed
    expected = np.array(REFERENCE[entry]).reshape(len(matrix), -1)
    np.testing.assert_allclose(matrix, expected, rtol=1e-12, atol=1e-14)


def test_poly_far_from_the_origin_equals_r() -> None:
    matrix = recipe_of("0 + poly(far, 2)").evaluate(DATA).fixed
    np.testing.assert_allclose(matrix, REFERENCE["poly_2_far"], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("variable", "degree", "entry", "shift", "rtol"),
    [("x", 3, "poly_3_new", 0.0, 1e-12), ("far", 2, "poly_2_far_new", 1e6, 1e-8)],
)
def test_poly_on_new_rows_equals_predict_poly(
    variable: str, degree: int, entry: str, shift: float, rtol: float
) -> None:
    recipe = recipe_of(f"0 + poly({variable}, {degree})")
    new = {variable: np.array(REFERENCE["x_new"]) + shift}
    np.testing.assert_allclose(recipe.evaluate(new).fixed, REFERENCE[entry], rtol=rtol)


@pytest.mark.parametrize(
    ("expression", "entry"),
    [
        ("factor(dose)", "factor"),
        ("C(dose)", "factor"),
        ("flavour * x", "interaction"),
        ("(x + dose + factor(flavour))^2", "square"),
    ],
)
def test_model_matrix_has_the_columns_of_r(expression: str, entry: str) -> None:
    matrix = recipe_of(expression).evaluate(DATA).fixed
    np.testing.assert_allclose(sorted_columns(matrix), sorted_columns(REFERENCE[entry]))


def sorted_columns(matrix: Any) -> np.ndarray:
    array = np.asarray(matrix)
    return array[:, np.lexsort(array)]


def test_levels_of_whole_numbers_have_no_decimals() -> None:
    assert recipe_of("factor(dose)").fixed_names == (
        "Intercept",
        "factor(dose)[T.2]",
        "factor(dose)[T.4]",
    )


def test_poly_columns_are_named_by_patsy() -> None:
    assert recipe_of("poly(x, 2)").fixed_names[1:] == ("poly(x, 2)[0]", "poly(x, 2)[1]")


def test_missing_values_are_left_out_of_training_and_stay_missing() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0, 9.0])
    present = x[~np.isnan(x)]
    parsed = parse_formula("~ scale(x) + poly(x, 2)")
    matrix = train_formula(parsed, {"x": x})[1].fixed
    without = train_formula(parsed, {"x": present})[1].fixed
    np.testing.assert_allclose(matrix[~np.isnan(x)], without)
    assert np.isnan(matrix[2, 1:]).all()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("poly(dose, 3)", "only 3 different values"),
        ("poly(x, 0)", "expected a whole number from 1"),
        ("scale(x * 0)", "cannot be scaled"),
    ],
)
def test_messages(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe_of(expression)


def test_a_spline_says_where_it_ends() -> None:
    recipe = recipe_of("bs(x, df=4)")
    with pytest.raises(ValueError, match=r"bs\(x, df=4\).*outside of those that were fitted.*cr"):
        recipe.evaluate({"x": DATA["x"] + 10.0 * np.ptp(DATA["x"])})
