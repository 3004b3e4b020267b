"""Offsets of formulas and arguments add up, and exposures are logarithms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed.design.offsets import total_offset
from skmixed.formula import parse_formula, train_formula

TIME = np.array([1.0, 2.0, 4.0])


def test_all_that_is_known_is_added():
    recipe, matrices = train_formula(
        parse_formula("~ offset(log(t)) + offset(x)"), {"t": TIME, "x": TIME}
    )
    known = total_offset(3, matrices.offset, pd.Series([1, 2, 3]), TIME.tolist(), link="log")
    assert_allclose(known, 2 * np.log(TIME) + TIME + [1, 2, 3])
    new = recipe.evaluate({"t": [3.0], "x": [5.0]}).offset
    assert_allclose(total_offset(1, new, None, [2.0], link="log"), [np.log(6.0) + 5.0])


def test_nothing_is_written_to():
    formula, given = TIME.copy(), TIME.copy()
    total_offset(3, formula, given, given, link="log")
    assert_allclose([formula, given], [TIME, TIME])


def test_without_anything_known_there_is_no_offset():
    assert total_offset(3, None, None, None, link="logit") is None


@pytest.mark.parametrize("link", ["logit", "identity", "sqrt"])
def test_an_exposure_needs_the_log_link(link):
    with pytest.raises(ValueError, match=f"needs the log link.*got link='{link}'.*offset="):
        total_offset(3, None, None, TIME, link=link)
    assert_allclose(total_offset(3, None, TIME, None, link=link), TIME)


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_exposures_are_positive(value):
    with pytest.raises(ValueError, match=rf"not positive \(1 of 2 rows, such as {value:g}\)"):
        total_offset(2, None, None, [1.0, value], link="log")


@pytest.mark.parametrize("argument", ["offset", "exposure"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan, 1.0], "Input {} contains NaN"),
        ([1.0, np.inf, 1.0], "Input {} contains infinity"),
        (["a", "b", "c"], r"'{}' holds categories.*expected numbers"),
        ([1.0, 2.0], r"'{}' gives an array of shape \(2,\) for 3 rows"),
        (np.ones((3, 2)), r"'{}' gives an array of shape \(3, 2\)"),
    ],
)
def test_what_is_known_is_one_finite_number_per_row(argument, values, message):
    given = {"offset": None, "exposure": None, argument: values}
    with pytest.raises(ValueError, match=message.format(argument)):
        total_offset(3, TIME, **given, link="log")
