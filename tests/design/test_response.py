"""The response of generalised models: proportions and trials, counts, and what they refuse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import FractionalResponseWarning
from skmixed.design.response import ReadResponse, response_of_values, train_response
from skmixed.formula import parse_formula

DATA = pd.DataFrame({"s": [1, 2, 0, 3], "t": [4, 2, 3, 3]})
DATA["f"], DATA["p"] = DATA["t"] - DATA["s"], DATA["s"] / DATA["t"]
DATA["text"] = ["N", "Y", "N", "N"]
TRIALS = DATA["t"].to_numpy(dtype=float)


def read(response: str, outcome: str = "proportions", weights: Any = None, data: Any = DATA):
    parsed = parse_formula(f"{response} ~ 1")
    return train_response(parsed, data, outcome=outcome, weights=weights)[1]


@pytest.mark.parametrize(
    ("response", "weights"),
    [
        ("s / t", None),
        ("s / t", TRIALS),
        ("I(s / t)", None),
        ("cbind(s, f)", None),
        ("cbind(s, t - s)", None),
        ("p", TRIALS),
        ("I(p + 0)", TRIALS),
    ],
)
def test_ways_to_write_successes_out_of_trials(response, weights):
    found = read(response, weights=weights)
    assert_allclose(found.values, DATA["p"])
    assert_array_equal(found.trials, TRIALS)
    assert_array_equal(found.row_weights, TRIALS)
    assert found.weights is None


def test_weights_of_counts_multiply_their_trials():
    weights = np.array([1.0, 0.5, 2.0, 1.0])
    found = read("cbind(s, f)", weights=weights)
    assert_array_equal(found.trials, TRIALS)
    assert_array_equal(found.row_weights, weights * TRIALS)


@pytest.mark.parametrize("response", ["s / t", "cbind(s, t - s)"])
def test_a_row_without_trials_has_no_weight(response):
    data = pd.DataFrame({"s": [1, 0], "t": [2, 0]})
    found = read(response, data=data)
    assert_array_equal(found.values, [0.5, 0.0])
    assert_array_equal(found.row_weights, [2.0, 0.0])
    assert_array_equal(read("s / t", weights=np.array([2.0, 5.0]), data=data).row_weights, [2, 0])


def test_zeros_and_ones_keep_weights_that_are_no_trials():
    weights = np.array([0.5, 1.0, 2.0, 1.0])
    found = response_of_values(np.array([0.0, 1, 1, 0]), outcome="proportions", weights=weights)
    assert found.trials is None
    assert_array_equal(found.row_weights, weights)


def test_labels_are_zeros_and_ones():
    found = read("text", weights=TRIALS)
    assert found.labels == ("N", "Y")
    assert found.name == "text"
    assert_array_equal(found.values, [0, 1, 0, 0])
    assert_array_equal(found.row_weights, TRIALS)
    assert read("s > 1").labels == (False, True)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "b", "c", "d"], r"'y' has 4 labels \('a', 'b', .*OneVsRestClassifier\(Mixed"),
        (["a", "a", "a", "a"], r"'y' has 1 labels \('a'\): expected 2"),
        (list("abcdefg"), r"has 7 labels \('a', .*'e', \.\.\.\)"),
    ],
)
def test_there_are_two_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        read("y", data={"y": labels})


def test_booleans_may_be_all_equal():
    assert_array_equal(read("y", data={"y": [True, True]}).values, [1, 1])


@pytest.mark.parametrize("outcome", ["counts", "numbers"])
def test_only_proportions_take_two_columns_or_labels(outcome):
    with pytest.raises(ValueError, match=r"two columns.*only family='binomial'"):
        read("cbind(s, f)", outcome)
    with pytest.raises(ValueError, match=r"'text' holds labels such as 'N'.*family='binomial'"):
        read("text", outcome)


def test_a_quotient_is_arithmetic_where_there_are_no_proportions():
    found = read("s / t", "numbers", weights=TRIALS)
    assert_array_equal(found.values, DATA["p"])
    assert found.trials is None
    assert_array_equal(found.row_weights, TRIALS)
    assert_array_equal(read("s > 1", "counts").values, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="Input y contains infinity"):
        read("t / s", "numbers")


@pytest.mark.parametrize(
    ("response", "data", "message"),
    [
        ("s / t", {"s": [1, 5], "t": [2, 3]}, r"1 of 2 rows, such as 5 successes in 3 trials"),
        ("cbind(s, t)", {"s": [1, 5], "t": [2, -3]}, r"5 successes in 2 trials"),
        ("s / t", {"s": [-1, 5], "t": [2, 9]}, r"-1 successes in 2 trials"),
        ("s / t", {"s": [0, 1], "t": [-2, 9]}, r"0 successes in -2 trials"),
        ("s", {"s": [0.0, 1, 2, 7]}, r"outside of \[0, 1\] \(2 of 4 rows, such as 2\).*cbind"),
        ("s", {"s": [0.0, -0.25]}, r"outside of \[0, 1\] \(1 of 2 rows, such as -0.25\)"),
    ],
)
def test_impossible_proportions(response, data, message):
    with pytest.raises(ValueError, match=message):
        read(response, data=data)


def test_negative_counts():
    with pytest.raises(ValueError, match=r"'y' has negative values \(2 of 3 rows, such as -1\)"):
        read("y", "counts", data={"y": [3, -1, -2]})
    assert_array_equal(read("y", "numbers", data={"y": [3, -1, -2]}).values, [3, -1, -2])


def test_fractions_are_counts_with_a_warning():
    with pytest.warns(FractionalResponseWarning, match=r"1 of 2 rows, such as 0.5.*exposure="):
        found = read("y", "counts", data={"y": [3, 0.5]})
    assert_array_equal(found.values, [3, 0.5])


def test_proportions_without_trials_ask_for_them():
    with pytest.warns(FractionalResponseWarning, match=r"'p' has proportions \(1 of 4.*weights="):
        found = read("p")
    assert found.row_weights is None


@pytest.mark.parametrize(
    ("response", "weights"),
    [("p", [2.0, 1, 1, 1]), ("p", [4, 2.5, 3, 3]), ("s / I(t)", [5] * 4), ("s / t", [5] * 4)],
)
def test_trials_that_cannot_be_are_told(response, weights):
    with pytest.warns(FractionalResponseWarning, match="not whole numbers"):
        read(response, weights=np.array(weights, dtype=float))


def test_fractions_of_successes_are_told():
    with pytest.warns(FractionalResponseWarning, match=r"\(1 of 2 rows, row 1 first\)"):
        read("s / t", data={"s": [1.0, 1.5], "t": [2, 3]})


def test_rounded_proportions_are_whole_numbers_of_trials():
    trials = np.arange(1.0, 1001.0)
    proportions = np.round(np.floor(trials / 3) / trials, 7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = response_of_values(proportions, outcome="proportions", weights=trials)
    assert_array_equal(found.trials, trials)


@pytest.mark.parametrize("response", ["s", "s / t", "cbind(s, t)", "t / s"])
def test_missing_values_are_reported_in_scikit_learns_words(response):
    with pytest.raises(ValueError, match="Input y contains NaN"):
        read(response, data={"s": [1, np.nan], "t": [2, 2]})
    with pytest.raises(ValueError, match="Input y contains infinity"):
        read(response, data={"s": [1, np.inf], "t": [2, 2]})


def test_missing_labels_are_counted():
    with pytest.raises(ValueError, match=r"'y' of the data has missing categories \(1 of 3 rows\)"):
        read("y", data={"y": ["a", None, "b"]})


def test_new_rows_are_read_as_those_of_training():
    reader, _ = train_response(parse_formula("text ~ 1"), DATA, outcome="proportions")
    assert_array_equal(reader.read({"text": ["Y"]}).values, [1])
    reader, _ = train_response(parse_formula("s / t ~ 1"), DATA, outcome="proportions")
    found = reader.read({"s": [1], "t": [2]})
    assert isinstance(found, ReadResponse)
    assert_array_equal(found.row_weights, [2])
