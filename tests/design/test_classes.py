"""Two classes as 0 and 1, and weights of classes as scikit-learn has them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_sample_weight

from skmixed.design.classes import binary_response, class_weighted

CLASSES, CODES = np.array(["no", "yes"]), np.array([1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "y",
    [
        ["yes", "no", "yes"],
        np.array(["b", "a", "b"], dtype=object),
        pd.Series(["b", "a", "b"], dtype="category"),
        pd.Series(["b", "a", "b"], dtype="string"),
        pd.Series([2, 1, 2], index=[5, 1, 0]),
        [True, False, True],
        [3.0, -1.0, 3.0],
    ],
)
def test_classes_are_those_of_label_encoder(y):
    classes, codes = binary_response(y)
    encoder = LabelEncoder().fit(np.asarray(y))
    assert classes.tolist() == encoder.classes_.tolist()
    assert_array_equal(codes, [1.0, 0.0, 1.0])
    assert codes.dtype == np.float64


def test_one_column_is_a_vector_with_a_warning():
    with pytest.warns(DataConversionWarning):
        _, codes = binary_response(np.array([[1], [0]]))
    assert_array_equal(codes, [1, 0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 2], r"Only binary classification is supported\..*OneVsRestClassifier\(Mixed"),
        ([1, 1], r"needs rows of 2 classes, got 1 class \[1\] in 2 rows"),
        ([], r"got 0 rows"),
        ([0.5, 1.5, 2.5], "Unknown label type: continuous"),
        ([[0, 1], [1, 0]], "1d array"),
        (["a", None, "b"], r"Input y contains NaN \(1 of 3 rows\)"),
        (pd.Series([True, None], dtype="boolean"), r"Input y contains NaN \(1 of 2 rows\)"),
        (np.ma.array([0, 1, 0], mask=[0, 0, 1]), r"Input y contains NaN \(1 of 3 rows\)"),
        (np.array(["a", 1], dtype=object), r"mixes labels of the types \['int', 'str'\]"),
    ],
)
def test_there_are_two_classes(y, message):
    with pytest.raises(ValueError, match=message):
        binary_response(y)


@pytest.mark.parametrize("class_weight", ["balanced", {"no": 3.0}, {"no": 1.0, "yes": 5.0}])
def test_weights_of_classes_are_those_of_scikit_learn(class_weight):
    labels = CLASSES[CODES.astype(int)]
    expected = compute_sample_weight(class_weight, labels)
    assert_allclose(class_weighted(class_weight, CLASSES, CODES, None), expected)


@pytest.mark.parametrize("class_weight", ["balanced", {"no": 3.0}])
def test_a_weight_repeats_its_row(class_weight):
    times = np.array([2, 0, 1, 4])
    weighted = class_weighted(class_weight, CLASSES, CODES, times.astype(float))
    repeated = class_weighted(class_weight, CLASSES, np.repeat(CODES, times), None)
    assert_allclose(np.repeat(weighted / np.maximum(times, 1), times), repeated)


def test_a_class_without_weight_leaves_finite_weights():
    weighted = class_weighted("balanced", CLASSES, CODES, np.array([0.0, 1.0, 1.0, 1.0]))
    assert_allclose(weighted, [0.0, 0.5, 0.5, 0.5])


def test_without_weights_of_classes_those_of_rows_stay():
    assert class_weighted(None, CLASSES, CODES, None) is None
    weights = np.ones(4)
    assert class_weighted(None, CLASSES, CODES, weights) is weights


@pytest.mark.parametrize("class_weight", ["equal", 2, {"maybe": 2.0}])
def test_other_weights_of_classes_are_refused(class_weight):
    with pytest.raises(ValueError, match="class_weight"):
        class_weighted(class_weight, CLASSES, CODES, None)
