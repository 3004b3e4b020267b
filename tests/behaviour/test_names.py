"""Names of columns that Python or the model itself would take for another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm

MICRO, GREEK = "\N{MICRO SIGN}g", "\N{GREEK SMALL LETTER MU}g"


@pytest.mark.parametrize(
    "formula",
    ["y ~ {} + (1 | school)", "y ~ x2 + log({} + 9) + ({} | school)", "y ~ `{}` + (1 | school)"],
)
def test_a_column_whose_name_python_reads_differently(data, formula):
    results = mixedlm(formula.replace("{}", MICRO), data.rename(columns={"x1": MICRO}))
    expected = mixedlm(formula.replace("{}", "x1"), data)
    assert results.llf == expected.llf
    assert list(results.params.index) == [
        name.replace("x1", MICRO) for name in expected.params.index
    ]
    new = data.rename(columns={"x1": MICRO}).iloc[::-1]
    np.testing.assert_array_equal(results.predict(new), expected.predict(data.iloc[::-1]))


def test_such_a_column_as_response_or_labels(data):
    response = data.rename(columns={"y": MICRO})
    assert mixedlm(f"{MICRO} ~ x1 + (1 | school)", response).model.design.n_rows == 120
    labels = data.rename(columns={"school": MICRO})
    assert list(mixedlm(f"y ~ x1 + (1 | {MICRO})", labels).random_effects) == [MICRO]


@pytest.mark.parametrize(("written", "named"), [(MICRO, GREEK), (GREEK, MICRO)])
def test_letters_that_look_alike_name_one_column(data, written, named):
    results = mixedlm(f"y ~ {written} + (1 | school)", data.rename(columns={"x1": named}))
    assert results.llf == mixedlm("y ~ x1 + (1 | school)", data).llf


def test_variables_of_the_user_are_found_as_python_names_them(data):
    results = mixedlm(
        f"y ~ I(x1 * {MICRO}) + (1 | school)", data, environment={GREEK: 2.0, "unused": 1.0}
    )
    assert results.llf == mixedlm("y ~ I(x1 * 2.0) + (1 | school)", data).llf


@pytest.mark.parametrize(
    "formula", ["y ~ Intercept + (1 | school)", "y ~ 1 + (0 + Intercept | school)"]
)
def test_a_column_called_like_the_intercept_in_a_formula(data, formula):
    renamed = data.rename(columns={"x1": "Intercept"})
    with pytest.raises(
        ValueError, match=r"column named 'Intercept'.*intercept, written 1\. Rename"
    ):
        mixedlm(formula, renamed)
    assert mixedlm("y ~ x2 + (1 | school)", renamed).nobs == 120


@pytest.mark.parametrize("slopes", [None, "Intercept"])
def test_a_column_called_like_the_intercept_among_the_columns(X, y, slopes):
    for column in (X["x1"], 1.0):
        columns = X.drop(columns="x1").assign(Intercept=column)
        with pytest.raises(ValueError, match=r"column named 'Intercept'.*fit_intercept=True"):
            MixedLM("school", random_slopes=slopes).fit(columns, y)


def test_a_column_that_is_the_intercept(X, y):
    ones = X.assign(Intercept=1.0)
    model = MixedLM("school", fit_intercept=False).fit(ones, y)
    expected = MixedLM("school").fit(X, y)
    np.testing.assert_allclose(model.log_likelihood_, expected.log_likelihood_, rtol=1e-10)
    with pytest.raises(ValueError, match="column named 'Intercept'"):
        MixedLM("school", random_slopes="Intercept", fit_intercept=False).fit(ones, y)
    with pytest.raises(ValueError, match="column named 'Intercept'"):
        MixedLM("school", fit_intercept=False).fit(X.rename(columns={"x2": "Intercept"}), y)
    varying = MixedLM(
        "school", random_slopes="Intercept", random_intercept=False, fit_intercept=False
    ).fit(ones, y)
    assert isinstance(varying.group_coef_["school"], pd.DataFrame)
