"""Columns of every kind of data frame and of every type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skmixed.formula import parse_formula, rows_with_missing, train_formula

X = [1.0, 2.0, 4.0, 8.0]
F = ["b", "a", "c", "a"]
NUMBERS = np.column_stack([np.ones(4), X])
DUMMIES = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 0]])


def fixed(text: str, data: Any) -> np.ndarray:
    return train_formula(parse_formula(text), data)[1].fixed


def of_mapping(columns: dict[str, Any]) -> Any:
    return columns


def of_pandas(columns: dict[str, Any]) -> Any:
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=pd.Index([3] * n))


def of_polars(columns: dict[str, Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(columns)


FRAMES = [of_mapping, of_pandas, of_polars]


@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_gives_the_same_arrays(frame: Callable[[dict[str, Any]], Any]) -> None:
    data = frame({"y": X, "x": X, "f": F, "k": [1, 2, 2, 3], "flag": [True, False, True, True]})
    recipe, _ = train_formula(parse_formula("y ~ f + x + C(k) + flag + (f | g)"), data)
    matrices = recipe.evaluate(data)
    k2, k3, flag = [0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 1, 1]
    expected = np.column_stack([DUMMIES, k2, k3, flag, X])
    np.testing.assert_array_equal(matrices.fixed, expected)
    np.testing.assert_array_equal(matrices.effects[0], DUMMIES)
    np.testing.assert_array_equal(recipe.evaluate_response(data), X)


@pytest.mark.parametrize(
    "column",
    [
        X,
        tuple(X),
        np.array(X),
        np.array(X, dtype="float32"),
        np.array(X, dtype="uint8"),
        np.array(X, dtype=">f8"),
        np.array(X, dtype=object),
        np.repeat(X, 2)[::2],
        pd.Series(X, dtype="int8"),
        pd.Series(X, dtype="Int64"),
        pd.Series(X, dtype="Float32"),
        pd.Series(X, dtype=object),
        pd.Series([Decimal(int(x)) for x in X]),
        pd.Series(X, index=[9, 9, 8, 7]),
    ],
)
def test_numbers_of_every_type_become_floats(column: Any) -> None:
    matrix = fixed("~ x", {"x": column})
    np.testing.assert_array_equal(matrix, NUMBERS)
    assert matrix.dtype == np.float64


@pytest.mark.parametrize("dtype", ["int64[pyarrow]", "double[pyarrow]"])
def test_numbers_of_arrow(dtype: str) -> None:
    pytest.importorskip("pyarrow")
    np.testing.assert_array_equal(fixed("~ x", {"x": pd.Series(X, dtype=dtype)}), NUMBERS)


@pytest.mark.parametrize(
    "column",
    [
        F,
        np.array(F),
        np.array(F, dtype=object),
        pd.Series(F),
        pd.Series(F, dtype=object),
        pd.Series(F, dtype="string"),
        pd.Series(F, dtype="category"),
        pd.Categorical(F, categories=["a", "b", "unused", "c"]),
    ],
)
def test_labels_of_every_type_become_categories(column: Any) -> None:
    np.testing.assert_array_equal(fixed("~ f", {"f": column}), DUMMIES)


def test_small_integers_do_not_overflow() -> None:
    data = {"x": np.array([200, 100], dtype="uint8")}
    np.testing.assert_array_equal(fixed("~ 0 + I(x * x - 300)", data), [[39700.0], [9700.0]])


def test_categories_keep_the_order_of_pandas() -> None:
    data = pd.DataFrame({"f": pd.Categorical(F, categories=["c", "b", "a"])})
    recipe, _ = train_formula(parse_formula("~ f + C(f)"), data)
    assert recipe.fixed_names == ("Intercept", "f[T.b]", "f[T.a]", "C(f)[T.b]", "C(f)[T.a]")


def test_new_rows_need_not_have_the_categories_of_training() -> None:
    recipe, _ = train_formula(parse_formula("~ f"), {"f": pd.Categorical(F, list("cab"))})
    for column in [["a", "c"], pd.Categorical(["a", "c"]), pd.Series(["a", "c"], dtype=object)]:
        np.testing.assert_array_equal(recipe.evaluate({"f": column}).fixed, [[1, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize("kind", ["Enum", "Categorical", "String"])
def test_categories_of_polars(kind: str) -> None:
    polars = pytest.importorskip("polars")
    dtype = polars.Enum(["c", "b", "a"]) if kind == "Enum" else getattr(polars, kind)
    data = polars.DataFrame({"f": polars.Series(F, dtype=dtype)})
    names = train_formula(parse_formula("~ f"), data)[0].fixed_names
    expected = ("f[T.b]", "f[T.a]") if kind == "Enum" else ("f[T.b]", "f[T.c]")
    assert names == ("Intercept", *expected)


def test_numbers_of_polars() -> None:
    polars = pytest.importorskip("polars")
    for dtype in (polars.Int16, polars.Float32, polars.UInt64):
        data = polars.DataFrame({"x": polars.Series([1, 2, 4, 8], dtype=dtype)})
        np.testing.assert_array_equal(fixed("~ x", data), NUMBERS)


def test_arrays_are_neither_written_nor_copied_into_the_recipe() -> None:
    x = np.array(X)
    x.flags.writeable = False
    np.testing.assert_array_equal(fixed("~ x + center(x)", {"x": x})[:, 1], X)


@pytest.mark.parametrize("frame", FRAMES)
def test_rows_with_missing(frame: Callable[[dict[str, Any]], Any]) -> None:
    data = frame(
        {
            "x": [1.0, float("nan"), 3.0, 4.0, 5.0],
            "f": ["a", "b", None, "a", "b"],
            "t": [datetime(2020, 1, 1)] * 3 + [None, datetime(2020, 1, 2)],
            "k": [1, 2, 3, 4, 5],
        }
    )
    np.testing.assert_array_equal(rows_with_missing(data, ["x"]), [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(rows_with_missing(data, ("k", "f", "t")), [0, 0, 1, 1, 0])
    np.testing.assert_array_equal(rows_with_missing(data, []), np.zeros(5))
    with pytest.raises(ValueError, match="'nope' is not a column"):
        rows_with_missing(data, ["nope"])


def test_rows_with_missing_of_nullable_types() -> None:
    data = pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([True, False, None], dtype="boolean"),
            "c": pd.Categorical(["a", "b", None]),
        }
    )
    np.testing.assert_array_equal(rows_with_missing(data, ["i"]), [0, 1, 0])
    np.testing.assert_array_equal(rows_with_missing(data, ["b"]), [0, 0, 1])
    np.testing.assert_array_equal(rows_with_missing(data, ["c"]), [0, 0, 1])


@pytest.mark.parametrize(
    "column",
    [
        [1.0, np.nan, 3.0],
        [1.0, None, 3.0],
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1.0, None, 3.0], dtype="Float64"),
    ],
)
def test_missing_numbers_stay_nan_in_their_row(column: Any) -> None:
    data = {"x": column, "y": column, "z": [1.0, 2.0, 3.0]}
    recipe, _ = train_formula(parse_formula("y ~ np.log(x) + z + (x | g)"), data)
    matrices = recipe.evaluate(data)
    assert np.isnan(matrices.fixed[:, 1]).tolist() == [False, True, False]
    assert np.isnan(matrices.effects[0][:, 1]).tolist() == [False, True, False]
    assert np.isnan(recipe.evaluate_response(data)).tolist() == [False, True, False]
    np.testing.assert_array_equal(matrices.fixed[:, 2], [1, 2, 3])


def test_all_numbers_missing_in_new_rows() -> None:
    recipe, _ = train_formula(parse_formula("~ x"), {"x": X})
    assert np.isnan(recipe.evaluate({"x": [None, None]}).fixed[:, 1]).all()


@pytest.mark.parametrize("spline", ["bs(x, df=4)", "cr(x, df=4)", "poly(x, 2)", "scale(x)"])
def test_transforms_let_missing_numbers_of_new_rows_pass(spline: str) -> None:
    x = np.linspace(0, 1, 30)
    recipe, _ = train_formula(parse_formula(f"~ 0 + {spline}"), {"x": x})
    matrix = recipe.evaluate({"x": np.array([x[4], np.nan, x[9]])}).fixed
    np.testing.assert_allclose(matrix[[0, 2]], recipe.evaluate({"x": x[[4, 9]]}).fixed)
    assert np.isnan(matrix[1]).all()


@pytest.mark.parametrize("text", ["~ f", "~ C(f)", "~ I(x * (f == 'a'))"])
@pytest.mark.parametrize(
    "column",
    [
        ["a", None, "b"],
        ["a", np.nan, "b"],
        pd.Categorical(["a", None, "b"]),
        pd.Series(["a", pd.NA, "b"]),
    ],
)
def test_missing_categories_are_named(text: str, column: Any) -> None:
    with pytest.raises(ValueError, match=r"'f' .*missing categories \(1 of 3 rows\)"):
        train_formula(parse_formula(text), {"f": column, "x": [1.0, 2.0, 3.0]})


def test_missing_truth_values_of_new_rows_are_named() -> None:
    recipe, _ = train_formula(parse_formula("~ flag"), {"flag": [True, False]})
    with pytest.raises(ValueError, match=r"'flag' .*missing categories"):
        recipe.evaluate({"flag": np.array([True, None], dtype=object)})


def test_missing_truth_values_are_named() -> None:
    with pytest.raises(ValueError, match=r"'flag' .*missing categories"):
        fixed("~ flag", {"flag": pd.Series([True, None], dtype="boolean")})


@pytest.mark.parametrize(
    "column", [pd.date_range("2020-01-01", periods=3), pd.to_timedelta([1, 2, 3], unit="D")]
)
def test_times_need_a_unit(column: Any) -> None:
    data = pd.DataFrame({"t": column})
    with pytest.raises(ValueError, match=r"'t' .* dates or times"):
        fixed("~ t", data)
    days = fixed("~ 0 + I((t - t.min()) / np.timedelta64(1, 'D'))", data)
    np.testing.assert_array_equal(days, [[0.0], [1.0], [2.0]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame([[1.0, 2.0]], columns=["x", "x"]), "2 columns named 'x'"),
        ({"x": np.array([1 + 2j])}, "'x' .*complex128"),
        ({"x": [1.0, 2.0], "z": [1.0]}, "differ in length"),
    ],
)
def test_messages(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixed("~ x", data)


def test_what_was_numeric_must_stay_numeric() -> None:
    recipe, _ = train_formula(parse_formula("~ x"), {"x": X})
    with pytest.raises(ValueError, match=r"'x' .*was numeric in training"):
        recipe.evaluate({"x": ["1", "2"]})


def test_data_must_have_columns() -> None:
    with pytest.raises(TypeError, match="got ndarray"):
        fixed("~ x", np.ones((3, 2)))
