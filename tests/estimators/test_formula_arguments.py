"""Arguments of mixedlm that name columns, and data without a row to fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm
from skmixed.estimators.formula_arguments import incomplete_rows
from skmixed.formula import parse_formula

FORMULA = "y ~ x + (1 | g)"
RNG = np.random.default_rng(3)
DATA = pd.DataFrame({"x": RNG.normal(size=60), "g": np.arange(60) // 6, "weight": 1.0})
DATA["y"] = DATA["x"] + RNG.normal(scale=2.0, size=10)[DATA["g"]] + RNG.normal(size=60)


@pytest.mark.parametrize("argument", ["weights", "group_weights"])
@pytest.mark.parametrize("data", [DATA, dict(DATA)], ids=["frame", "mapping"])
def test_weights_that_name_no_column_are_told_the_columns(argument, data):
    message = rf"{argument}='weigth' is not a column of the data; .*'g', .*Did you mean 'weight'\?"
    with pytest.raises(ValueError, match=message):
        mixedlm(FORMULA, data, **{argument: "weigth"})


@pytest.mark.parametrize("missing", ["raise", "drop"])
@pytest.mark.parametrize("argument", ["weights", "group_weights"])
def test_weights_are_as_many_as_the_rows(argument, missing):
    message = rf"{argument} must name a column .* each of its 60 rows; got 59 values"
    with pytest.raises(ValueError, match=message):
        mixedlm(FORMULA, DATA, missing=missing, **{argument: np.ones(59)})


@pytest.mark.parametrize("groups", ["gg", "my g", ""])
def test_groups_that_name_no_column_are_told_the_columns(groups):
    with pytest.raises(ValueError, match=rf"groups='{groups}' is not a column of the data; .*'x'"):
        mixedlm("y ~ x", DATA, groups=groups)


@pytest.mark.parametrize("name", ["my g", "my.g", "a:b", "2nd", "class"])
def test_groups_name_any_column(name):
    renamed = DATA.rename(columns={"g": name})
    results = mixedlm("y ~ x", renamed, groups=name)
    assert results.llf == mixedlm(FORMULA, DATA).llf
    assert list(results.random_effects) == [name]


def test_groups_may_be_nested_still():
    nested = DATA.assign(h=DATA["g"] // 5 + 10)
    expected = mixedlm("y ~ x + (1 | h:g)", nested)
    assert mixedlm("y ~ x", nested, groups="h:g").llf == expected.llf
    with pytest.raises(ValueError, match="'k' is not a column of the data"):
        mixedlm("y ~ x", nested, groups="h/k")


@pytest.mark.parametrize(("groups", "got"), [(3, "got 3"), (["x", "g"], "got 2 values")])
def test_groups_are_a_name_or_one_label_per_row(groups, got):
    message = rf"groups must name a column .* each of its 60 rows; {got}"
    with pytest.raises(ValueError, match=message):
        mixedlm("y ~ x", DATA, groups=groups)


@pytest.mark.parametrize("missing", ["raise", "drop"])
@pytest.mark.parametrize("data", [DATA.iloc[:0], {name: [] for name in DATA}])
def test_data_without_rows(data, missing):
    with pytest.raises(ValueError, match="data have 0 rows: expected one at least"):
        mixedlm(FORMULA, data, missing=missing)
    with pytest.raises(ValueError, match="data have 0 rows: expected one at least"):
        MixedLM(formula=FORMULA).fit(data)


def test_dropping_every_row_names_what_is_missing():
    gaps = DATA.assign(x=np.nan, y=DATA["y"].where(DATA.index > 4))
    message = r"missing='drop' leaves none of the 60 rows: .*\{'x': 60, 'y': 5\}"
    with pytest.raises(ValueError, match=message):
        mixedlm(FORMULA, gaps, missing="drop")
    with pytest.raises(ValueError, match=r"\{'weights': 60\}"):
        mixedlm(FORMULA, DATA, missing="drop", weights=np.full(60, np.nan))


def test_rows_without_weight_are_incomplete_beside_a_column_of_that_name():
    data = DATA.rename(columns={"x": "weights"})
    data.loc[3, "weights"] = np.nan
    weights = np.where(np.arange(60) == 5, np.nan, 1.0)
    results = mixedlm("y ~ weights + (1 | g)", data, weights=weights, missing="drop")
    assert results.nobs == 58


@pytest.mark.parametrize("response", ["cbind(s, f)", "cbind(s, s + f)", "s / f"])
def test_rows_are_incomplete_without_their_response_or_what_stands_beside_it(response):
    data = pd.DataFrame({"s": [1.0, np.nan, 1, 1, 1], "f": [1.0, 1, 1, 1, np.nan], "g": 1})
    given = {"offset": [0.0, 0, np.nan, 0, 0], "exposure": None}
    parsed = parse_formula(f"{response} ~ (1 | g)")
    found = incomplete_rows(parsed, data, {}, given)
    assert found.tolist() == [False, True, True, False, True]


def test_two_counts_are_no_response_of_a_linear_model():
    with pytest.raises(ValueError, match=r"'cbind\(y, x\)' has two columns.*family='binomial'"):
        mixedlm("cbind(y, x) ~ (1 | g)", DATA)


def test_a_quotient_stays_arithmetic_in_a_linear_model():
    results = mixedlm("I(y / weight) ~ x + (1 | g)", DATA)
    assert results.llf == mixedlm(FORMULA, DATA).llf
