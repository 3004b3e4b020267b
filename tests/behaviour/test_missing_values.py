"""Rows of BEHAVIOUR.md on missing and infinite values, in columns and in labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm

FORMULA = "y ~ x1 + x2 + (1 | school)"


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_nan_or_inf_in_x_is_reported_in_scikit_learns_words(X, y, value, word):
    X.loc[7, "x2"] = value
    for model in (RandomInterceptRegressor("school"), MixedLM("school", random_slopes="x1")):
        with pytest.raises(ValueError, match=f"Input X contains {word}"):
            model.fit(X, y)
    with pytest.raises(ValueError, match=f"Input X contains {word}"):
        RandomInterceptRegressor().fit(X[["x1", "x2"]].to_numpy(), y, groups=X["school"])


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_nan_or_inf_in_y_is_reported_in_scikit_learns_words(X, y, value, word):
    y[3] = value
    with pytest.raises(ValueError, match=f"Input y contains {word}"):
        RandomInterceptRegressor("school").fit(X, y)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_or_inf_at_predict(X, y, value):
    model = RandomInterceptRegressor("school").fit(X, y)
    X.loc[7, "x2"] = value
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(X)


@pytest.mark.parametrize("column", ["x1", "y"])
def test_mixedlm_raises_on_missing_values_by_default(data, column):
    data.loc[[3, 5], column] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        mixedlm(FORMULA, data)


def test_mixedlm_raises_on_missing_labels_by_default(data):
    data.loc[[3, 5, 6], "school"] = None
    with pytest.raises(ValueError, match=r"NaN in 'school' \(3 of 120 rows\)"):
        mixedlm(FORMULA, data)


def test_missing_drop_fits_the_complete_rows_and_says_how_many(data):
    data.loc[3, "x1"] = np.nan
    data.loc[5, "y"] = np.nan
    data.loc[[6, 7], "school"] = None
    results = mixedlm(FORMULA, data, missing="drop")
    complete = mixedlm(FORMULA, data.dropna())
    assert results.llf == complete.llf
    assert results.nobs == 116
    assert "116 (4 dropped: missing values)" in str(results.summary())


def test_missing_drop_drops_rows_without_a_weight(data):
    weights = np.linspace(0.5, 2.0, 120)
    weights[4] = np.nan
    results = mixedlm(FORMULA, data, weights=weights, missing="drop")
    kept = np.arange(120) != 4
    complete = mixedlm(FORMULA, data[kept], weights=weights[kept])
    assert results.nobs == 119
    assert results.llf == complete.llf


def test_missing_drop_predicts_in_full_length(data):
    results = mixedlm(FORMULA, data, missing="drop")
    expected = results.predict(data)
    new = data.copy()
    new.loc[10, "x1"] = np.nan
    new.loc[11, "school"] = None
    new.loc[12, "y"] = np.nan
    predicted = np.asarray(results.predict(new))
    assert predicted.shape == (120,)
    assert np.isnan(predicted[[10, 11]]).all()
    kept = np.setdiff1d(np.arange(120), [10, 11])
    assert_allclose(predicted[kept], np.asarray(expected)[kept])


def test_missing_drop_predicts_rows_without_response_or_labels(data):
    """Only columns that a prediction reads are looked at; functions are the caller's, as in fit."""

    def halved(column):
        return 0.5 * column

    results = mixedlm("y ~ halved(x1) + x2 + (1 | school)", data, missing="drop")
    new = data.copy()
    new.loc[10, "x1"] = np.nan
    expected = np.asarray(results.predict(new))
    assert np.isnan(expected[10])
    assert_allclose(np.asarray(results.predict(new.drop(columns="y"))), expected)
    population = results.predict(new, include_random_effects=False)
    without = new.drop(columns=["y", "school"])
    assert_allclose(results.predict(without, include_random_effects=False), population)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(["a", "b", None, "a"], dtype=object),
        pd.Series(["a", "b", np.nan, "a"], dtype=object),
        pd.Series([1.0, 2.0, np.nan, 1.0]),
        pd.Series([1, 2, None, 1], dtype="Int64"),
        pd.Series(["a", "b", None, "a"], dtype="category"),
        pd.Series(["a", "b", None, "a"], dtype="string"),
        pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-01"])),
        pd.Series([True, False, None, True], dtype="boolean"),
    ],
    ids=["None", "NaN", "float", "Int64", "category", "string", "NaT", "boolean"],
)
def test_missing_label_is_an_error_with_its_column_and_count(labels):
    message = r"groups contains NaN in 'school' \(30 of 120 rows\)"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=120), "school": pd.concat([labels] * 30).array})
    y = rng.normal(size=120) + 3.0 * pd.factorize(frame["school"])[0]
    with pytest.raises(ValueError, match=message):
        RandomInterceptRegressor("school").fit(frame, y)
    complete = frame["school"].notna().to_numpy()
    model = RandomInterceptRegressor("school").fit(frame[complete], y[complete])
    with pytest.raises(ValueError, match=message):
        model.predict(frame)


def test_missing_labels_in_an_array_are_named_groups(X, y):
    labels = X["school"].to_numpy(copy=True)
    labels[:3] = None
    with pytest.raises(ValueError, match=r"NaN in 'groups' \(3 of 120 rows\).*Drop these rows"):
        RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=labels)


def test_infinite_label_is_an_error(X, y):
    labels = np.arange(120) % 10 + 0.0
    labels[5] = np.inf
    with pytest.raises(ValueError, match="groups contains infinity in 'groups'"):
        RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=labels)


def masked(values, rows):
    mask = np.zeros(np.shape(values), dtype=bool)
    mask[rows] = True
    return np.ma.array(values, mask=mask)


@pytest.mark.parametrize("dtype", [int, float, object, "U3", "datetime64[D]"])
def test_masked_labels_are_missing(data, X, y, dtype):
    numbers, labels = X[["x1", "x2"]], data["school"].str[1:].astype(int).to_numpy()
    labels = labels.astype(dtype)
    model = RandomInterceptRegressor().fit(numbers, y, groups=masked(labels, []))
    for method in (
        lambda: RandomInterceptRegressor().fit(numbers, y, groups=masked(labels, [3, 5])),
        lambda: model.predict(numbers, groups=masked(labels, [3, 5])),
        lambda: mixedlm(FORMULA, {**data, "school": masked(labels, [3, 5])}),
    ):
        with pytest.raises(ValueError, match=r"contains NaN in '\w+' \(2 of 120 rows\)"):
            method()


@pytest.mark.parametrize("dtype", [int, float, object])
def test_masked_numbers_are_missing(data, X, y, dtype):
    numbers = (100 * X[["x1", "x2"]].to_numpy()).astype(dtype)
    masked_X, masked_y = masked(numbers, (3, 0)), masked((10 * y).astype(dtype), 5)
    model = RandomInterceptRegressor().fit(numbers, y, groups=X["school"])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        RandomInterceptRegressor().fit(masked_X, y, groups=X["school"])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(masked_X, groups=X["school"])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        RandomInterceptRegressor().fit(numbers, masked_y, groups=X["school"])
    with pytest.raises(ValueError, match="contains NaN"):
        model.score(numbers, masked_y, groups=X["school"])
    for name, values in {"x1": masked_X[:, 0], "y": masked_y}.items():
        with pytest.raises(ValueError, match="contains NaN"):
            mixedlm(FORMULA, {**data, name: values})
        assert mixedlm(FORMULA, {**data, name: values}, missing="drop").n_dropped == 1


def test_masked_weights_are_missing(data, X, y):
    weights = masked(np.ones(120), 7)
    with pytest.raises(ValueError, match="Input sample_weight contains NaN"):
        RandomInterceptRegressor("school").fit(X, y, sample_weight=weights)
    with pytest.raises(ValueError, match="group_weight must be finite"):
        RandomInterceptRegressor("school").fit(X, y, group_weight=weights)
    assert mixedlm(FORMULA, data, weights=weights, missing="drop").n_dropped == 1


def test_masked_labels_among_the_columns_are_missing(X, y):
    columns = X.assign(school=X["school"].str[1:].astype(int)).to_numpy()
    with pytest.raises(ValueError, match=r"contains NaN in 'x2' \(1 of 120 rows\)"):
        RandomInterceptRegressor(-1).fit(masked(columns, (4, 2)), y)
