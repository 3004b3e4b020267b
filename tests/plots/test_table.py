"""Rows that stand for a group, and rows along one column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skmixed import MixedLM, mixedlm
from skmixed.plots import GroupFitDisplay
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.reading.table import as_table


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "g": ["b", "a", "b", "b", "a"],
            "x": [1, 2, 3, 8, 4],
            "sex": pd.Categorical(["m", "f", "m", "f", "f"]),
            "old": [True, False, True, False, False],
            "size": [5.0, 7.0, 5.0, 5.0, 7.0],
        },
        index=[9, 9, 3, 1, 0],
    )


def test_typical_rows(frame):
    table = as_table(frame, None)
    rows = table.typical(np.array([1, 0, 1, 1, 0]), np.array([1, 0])).frame
    assert list(rows["g"]) == ["b", "a"]
    assert list(rows["x"]) == [4.0, 3.0]
    assert list(rows["sex"]) == ["m", "f"]
    assert list(rows["old"]) == [True, False]
    assert list(rows["size"]) == [5.0, 7.0]
    assert rows["sex"].dtype == frame["sex"].dtype


def test_rows_along_a_column(frame):
    table = as_table(frame, np.arange(5)).take(np.array([4, 0]))
    along = table.along("x", np.array([[0.0, 1.0], [5.0, 6.0]]))
    assert list(along.frame["x"]) == [0.0, 1.0, 5.0, 6.0]
    assert list(along.frame["g"]) == ["a", "a", "b", "b"]
    assert_array_equal(along.groups, [4, 4, 0, 0])


def test_frames_of_other_kinds_and_arrays(frame):
    assert list(as_table(pl.from_pandas(frame), None).frame.columns) == list(frame.columns)
    assert list(as_table(dict(frame), None).frame["x"]) == list(frame["x"])
    array = np.column_stack([frame["x"], frame["g"]]).astype(object)
    table = as_table(array, None)
    assert table.is_number("x0")
    assert not table.is_number("x1")
    assert_array_equal(table.columns, array)


def test_crossed_factors_are_not_contained(penicillin):
    assert read_estimator(*model_and_rows(penicillin), factor="plate").included == ["plate"]


def test_labels_of_a_second_factor_are_not_averaged_into_labels():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(range(10), 6), "h": np.tile(range(6), 10)})
    data["x"] = rng.normal(size=60)
    data["y"] = data["x"] + rng.normal(size=10)[data["g"]] + rng.normal(size=6)[data["h"]]
    data["y"] += 0.3 * rng.normal(size=60)
    model = MixedLM(groups=["g", "h"], unseen_groups="error").fit(data[["g", "h", "x"]], data["y"])
    source = read_estimator(model, data[["g", "h", "x"]], data["y"])
    assert source.feature(None) == "x"
    rows = source.table.typical(source.codes, np.array([3]))
    assert np.isfinite(source.predict(rows, include=source.included)).all()


def test_combinations_of_values_are_weighted(frame):
    data = pd.concat([frame] * 8, ignore_index=True)
    rng = np.random.default_rng(1)
    data["h"] = np.repeat(range(10), 4)
    data["old"] = np.arange(40) % 3 == 0
    data["y"] = data["x"] + rng.normal(size=10)[data["h"]] + 0.2 * rng.normal(size=40)
    source = read_estimator(*model_and_rows(mixedlm("y ~ x + sex + old + (1 | h)", data)))
    rows, weights = source.population()
    counts = data.groupby(["sex", "old"], observed=True).size() / 40
    assert_array_equal(np.sort(weights), np.sort(counts))
    assert weights.sum() == pytest.approx(1.0)
    assert set(rows.frame["x"]) == {data["x"].mean()}
    assert len(source.population(without="old")[0]) == 2


@pytest.mark.parametrize("groups_as", [None, "string"])
def test_columns_named_by_numbers_and_labels_in_pyarrow(groups_as):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 6
    X = pd.DataFrame({0: rng.normal(size=60), 1: rng.normal(size=60), 2: labels})
    y = X[0] + rng.normal(size=6)[labels] + 0.3 * rng.normal(size=60)
    if groups_as is None:
        display = GroupFitDisplay.from_estimator(MixedLM(2).fit(X, y), X, y)
    else:
        groups = pd.array(labels.astype(str), dtype="string")
        model = MixedLM().fit(X[[0, 1]], y, groups=groups)
        display = GroupFitDisplay.from_estimator(model, X[[0, 1]], y, groups=groups)
    assert display.figure_ is not None
