"""Labels to codes, interactions of columns, and the levels that some rows keep."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed.design.groups import factorise, factorise_interaction


def test_levels_are_sorted_and_codes_point_at_them():
    factor = factorise(["b", "c", "a", "c"], "g")
    assert list(factor.levels.labels) == ["a", "b", "c"]
    assert factor.codes.tolist() == [1, 2, 0, 2]
    assert factor.sizes.tolist() == [1, 1, 2]


def test_labels_of_several_types_sort_within_each_type():
    factor = factorise(np.array(["b", 2, "a", 1], dtype=object), "g")
    labels = list(factor.levels.labels)
    assert [label for label in labels if isinstance(label, int)] == [1, 2]
    assert [label for label in labels if isinstance(label, str)] == ["a", "b"]
    assert [labels[code] for code in factor.codes] == ["b", 2, "a", 1]


def test_encode_numbers_new_labels_behind_the_levels():
    levels = factorise(["a", "b"], "g").levels
    assert levels.encode([["z", "b", "y", "z", "a"]]).tolist() == [2, 1, 3, 2, 0]


def test_select_keeps_the_levels_that_occur():
    factor = factorise(["a", "b", "c", "b"], "g").select(np.array([False, True, False, True]))
    assert list(factor.levels.labels) == ["b"]
    assert factor.codes.tolist() == [0, 0]


def test_interaction_has_the_combinations_that_occur():
    a, b = np.array(["x", "y", "x", "y"]), np.array([2, 1, 1, 1])
    factor = factorise_interaction([a, b], ["a", "b"])
    assert factor.levels.name == "a:b"
    assert list(factor.levels.labels) == [("x", 1), ("x", 2), ("y", 1)]
    assert factor.codes.tolist() == [1, 2, 0, 2]
    assert factor.levels.columns == 2
    assert factor.levels.encode([["y", "y", "y"], [1, 2, 2]]).tolist() == [2, 3, 3]


def test_interaction_of_many_levels_does_not_overflow():
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 100, 500) for _ in range(12)]
    factor = factorise_interaction(columns, [f"c{i}" for i in range(12)])
    assert len(factor.levels) == len(set(zip(*(c.tolist() for c in columns), strict=True)))


def test_unknown_combinations_are_named_as_pairs():
    levels = factorise_interaction([["x", "y"], [1, 2]], ["a", "b"]).levels
    columns = [["x", "x"], [2, 1]]
    codes = levels.encode(columns)
    with pytest.raises(ValueError, match=r"\('x', 2\).*1 of 2 rows.*'a:b'"):
        levels.check_seen(codes, columns)


def test_a_missing_label_of_an_interaction_names_its_column():
    with pytest.raises(ValueError, match=r"NaN in 'b' \(1 of 2 rows\)"):
        factorise_interaction([["x", "y"], [1.0, np.nan]], ["a", "b"])


@pytest.mark.parametrize(
    "labels", [np.zeros((3, 2)), pd.DataFrame({"a": [1], "b": [2]}).to_numpy()]
)
def test_two_dimensional_labels_are_refused(labels):
    with pytest.raises(ValueError, match=r"one label per row, got an array of shape"):
        factorise(labels, "g")


def test_a_column_vector_is_one_label_per_row():
    assert factorise(np.array([[2], [1]]), "g").codes.tolist() == [1, 0]


def test_labels_without_a_hash_are_refused():
    with pytest.raises(TypeError, match=r"'g' cannot be labels"):
        factorise(pd.Series([[1], [2]]), "g")


def test_not_a_number_among_text_is_missing_but_its_name_is_not():
    assert len(factorise(["nan", "None", "NA"], "g").levels) == 3


def test_equal_text_of_several_types_is_one_label():
    labels = [np.str_("a"), "a"]
    assert len(factorise(labels, "g").levels) == 1
