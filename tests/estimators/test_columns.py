"""How names, positions and callables find columns, in arrays and in frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed.estimators.columns import fixed_columns, label_column, resolve_columns

FRAME = pd.DataFrame(np.zeros((2, 4)), columns=["a", "num__b", "c", "rest__c"])


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("a", [0]),
        ("b", [1]),
        ("c", [2]),
        ("num__b", [1]),
        (-1, [3]),
        ([0, "b"], [0, 1]),
        (lambda _: ["a", "c"], [0, 2]),
        (lambda _: "c", [2]),
        (lambda _: 3, [3]),
    ],
)
def test_columns_of_a_frame(specification, expected):
    assert resolve_columns(specification, FRAME, "groups") == expected


def test_an_exact_name_goes_before_a_suffix():
    assert resolve_columns("c", FRAME, "groups") == [2]
    assert resolve_columns("c", FRAME.drop(columns="c"), "groups") == [2]


def test_names_that_are_numbers():
    frame = pd.DataFrame(np.zeros((2, 3)))
    assert resolve_columns("1", frame, "groups") == [1]
    assert resolve_columns(1, frame, "groups") == [1]


@pytest.mark.parametrize("one", [4, -5])
def test_positions_outside_x(one):
    with pytest.raises(ValueError, match=r"4 columns.*'a'.*between -4 and 3"):
        resolve_columns(one, FRAME, "random_slopes")


def test_a_wide_frame_is_not_listed_in_full():
    wide = pd.DataFrame(np.zeros((1, 500)), columns=[f"column{j}" for j in range(500)])
    with pytest.raises(ValueError, match=r"\.\.\., 'column499'") as error:
        resolve_columns("subject", wide, "groups")
    assert len(str(error.value)) < 600


def test_a_column_keeps_its_type():
    frame = pd.DataFrame({"g": pd.Categorical(["a", "b"]), "x": [1.0, 2.0]})
    assert isinstance(label_column(frame, 0).dtype, pd.CategoricalDtype)
    assert list(fixed_columns(frame, [0]).columns) == ["x"]
    assert fixed_columns(frame, []) is frame


def test_columns_with_the_same_name_are_found_by_position():
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    assert label_column(frame, 1).tolist() == [2]
    assert fixed_columns(frame, [1]).to_numpy().tolist() == [[1]]
