"""Numbers keep their significant digits and stand under each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skmixed.results.numbers import (
    align,
    format_column,
    format_estimates,
    format_p_values,
    format_statistics,
    whole,
)

# The same examples on every machine, however busy it is.
repeatable = settings(derandomize=True, deadline=None)
sizes = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: x == 0.0 or 1e-300 < abs(x) < 1e300
)


@repeatable
@given(st.lists(sizes, min_size=1, max_size=6))
def test_columns_keep_five_digits(values):
    texts = format_column(values)
    assert [float(text) for text in texts] == pytest.approx(values, rel=1e-4, abs=0.0)
    assert len({len(text) for text in texts}) == 1


@repeatable
@given(st.lists(sizes, min_size=1, max_size=6))
def test_points_stand_under_each_other(values):
    places = {text.index(".") for text in format_column(values) if "." in text}
    assert len(places) <= 1


def test_one_number_of_decimals_where_sizes_are_alike():
    assert format_column([251.405105, 10.467286]) == ["251.405", " 10.467"]


def test_rounding_up_to_another_digit():
    assert format_column([9.99996]) == ["10.000"]


def test_estimates_have_the_decimals_of_their_error():
    values = np.array([[251.405105, 6.824557], [0.00012, 1.545789]])
    assert format_estimates(values, values[:, 1]) == [
        ["251.405", "  0.000"],
        ["6.825", "1.546"],
    ]


def test_missing_and_infinite():
    assert format_column([np.nan, 1.0]) == ["-     ", "1.0000"]
    assert [text.strip() for text in format_statistics([np.inf, np.nan, 1.0])] == [
        "inf",
        "-",
        "1.000",
    ]


def test_p_values():
    texts = [text.strip() for text in format_p_values([1e-300, 0.0, 0.0001, 0.5, np.nan])]
    assert texts == ["<0.0001", "<0.0001", "0.0001", "0.5000", "-"]


def test_align():
    assert align(["1.5", "10", "-2.25"]) == [" 1.5 ", "10   ", "-2.25"]


def test_whole():
    assert whole(180.0) == 180
    assert isinstance(whole(180.0), int)
    assert whole(1.5) == 1.5
