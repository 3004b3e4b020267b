"""Tests of linear hypotheses: against lmerTest's contest, and statsmodels' ways to write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.names import matching
from parity.reference import fit_case, shared_case

from skmixed import MixedLM, NoGroupsWarning, mixedlm
from skmixed.inference.coefficients.linear_tests import t_test, wald_test

FIXTURES = Path(__file__).parent / "fixtures"
FIGURES = json.loads((FIXTURES / "linear_tests.json").read_text(encoding="utf-8"))["figures"]
FORMULA = "y ~ a + x + z + (x | subject)"
EQUATIONS = "a[T.a2] = a[T.a3], 2 * x - z = 0.25, Intercept + a[T.a3] + z / 2 = 1"
COLUMNS = ["estimate", "se", "df", "statistic", "p_value", "lower", "upper"]


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(FIXTURES / "anova.csv")


@pytest.fixture(scope="module")
def results(data):
    return mixedlm(FORMULA, data)


@pytest.fixture(scope="module")
def least_squares(data):
    sm = pytest.importorskip("statsmodels.formula.api")
    with pytest.warns(NoGroupsWarning):
        ours = mixedlm("y ~ a + x + z", data)
    return ours, sm.ols("y ~ a + x + z", data).fit()


@pytest.mark.parametrize("figures", FIGURES, ids=lambda one: one["df_method"])
def test_contest_of_lmertest(results, figures):
    found = t_test(results, EQUATIONS, df_method=figures["df_method"])
    assert_allclose(found[COLUMNS], pd.DataFrame(figures["one_by_one"])[COLUMNS], rtol=1e-5)
    joint = wald_test(results, EQUATIONS, df_method=figures["df_method"])
    for column, value in figures["together"].items():
        assert_allclose(joint[column], value, rtol=1e-5)


@pytest.mark.parametrize("name", ["pigs_rs", "sleep_rs", "cake", "nurses_slash"])
def test_row_35_satterthwaite_tests_of_coefficients(shared, name):
    case = shared_case(shared, name)
    fitted = fit_case(case).results
    for method in ("satterthwaite", "kenward_roger"):
        theirs = pd.DataFrame(case.figures[method]["coef"]).T
        found = t_test(fitted, np.eye(len(theirs)), df_method=method.replace("_", "-"))
        found = found.iloc[matching(fitted.params.index, theirs.index)]
        assert_allclose(found["df"], theirs["df"], rtol=1e-4)
        assert_allclose(found["p_value"], theirs["p"], atol=1e-6)


@pytest.mark.parametrize(
    "hypotheses",
    [
        "x = 0, z = 1",
        "a[T.a2] - 3 * x, z + 2 = x",
        ["x = z", "a[T.a2] = 0.5"],
        np.eye(5)[1:],
        np.arange(5.0),
        (np.eye(5)[[1, 3]], [0.5, -1.0]),
        (np.eye(5)[1:4], [0.25, 0.0, 1.0]),
    ],
)
def test_statsmodels_syntax(least_squares, hypotheses):
    ours, theirs = least_squares
    found, expected = t_test(ours, hypotheses, df_method="residual"), theirs.t_test(hypotheses)
    assert_allclose(found["estimate"], np.ravel(expected.effect))
    assert_allclose(found["se"], np.ravel(expected.sd))
    assert_allclose(found["statistic"], np.ravel(expected.statistic))
    assert_allclose(found["p_value"], np.ravel(expected.pvalue))
    assert_allclose(found[["lower", "upper"]], expected.conf_int())
    joint, expected = wald_test(ours, hypotheses), theirs.f_test(hypotheses)
    assert_allclose(joint["statistic"], expected.fvalue)
    assert_allclose(joint["p_value"], expected.pvalue)
    chi2 = theirs.wald_test(hypotheses, use_f=False, scalar=True)
    assert_allclose(wald_test(ours, hypotheses, df_method="normal")["p_value"], chi2.pvalue)


def test_values_by_name_and_contrasts_by_name(results):
    by_text = t_test(results, "x = 1")
    pd.testing.assert_frame_equal(t_test(results, {"x": 1.0}), by_text)
    frame = pd.DataFrame({"z": [1.0, 0.0], "x": [-1.0, 2.0]})
    pd.testing.assert_frame_equal(t_test(results, frame), t_test(results, "z = x, 2 * x = 0"))
    pd.testing.assert_frame_equal(t_test(results, frame.iloc[0]), t_test(results, "z = x"))


def test_labels_say_the_hypotheses(results):
    texts = ["a[T.a2] - a[T.a3] = 0", "2 * x - z = 0.25", "-x = 3"]
    assert list(t_test(results, texts)["term"]) == texts
    assert wald_test(results, texts)["term"].item() == ", ".join(texts)


def test_limits_have_their_level(results):
    narrow, wide = (t_test(results, "x = 0", conf_level=level) for level in (0.5, 0.99))
    assert wide["lower"].item() < narrow["lower"].item() < narrow["upper"].item()
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_test(results, "x = 0", conf_level=95)


def test_a_redundant_hypothesis_adds_nothing(results):
    pd.testing.assert_frame_equal(
        wald_test(results, "x = 1, z = 2, x + z = 3").drop(columns="term"),
        wald_test(results, "x = 1, z = 2").drop(columns="term"),
    )


def test_one_hypothesis_is_the_square_of_its_t_test(results):
    for method in ("satterthwaite", "kenward-roger", "residual", "normal"):
        single = t_test(results, "x = z", df_method=method)
        joint = wald_test(results, "x = z", df_method=method)
        assert_allclose(joint["statistic"], single["statistic"] ** 2)
        assert_allclose(joint["p_value"], single["p_value"])


def test_estimators_are_taken_too(data, results):
    estimator = MixedLM(formula=FORMULA).fit(data)
    pd.testing.assert_frame_equal(
        wald_test(estimator, EQUATIONS), wald_test(results, EQUATIONS), rtol=1e-8
    )


@pytest.mark.parametrize(
    ("hypotheses", "message"),
    [
        ("week = 0", r"'week = 0' cannot be read.*these are \['Intercept', 'a\[T.a2\]'"),
        ({"week": 0.0}, "cannot be read"),
        ("x * z = 0", "Can't multiply"),
        ("", "it is empty"),
        ([], "shape"),
        ("x = x", "no variables appear"),
        (np.zeros(5), "no coefficient in it"),
        (np.eye(4), r"shape \(n, 5\).*got shape \(4, 4\)"),
        (np.full(5, np.nan), "finite numbers"),
        ((np.eye(5), [1.0, 2.0]), "one finite value for each of the 5 contrasts"),
        (pd.DataFrame({"week": [1.0]}), r"\['week'\], which are no coefficients"),
    ],
)
def test_what_is_no_hypothesis(results, hypotheses, message):
    for test in (t_test, wald_test):
        with pytest.raises(ValueError, match=f"(?s){message}"):
            test(results, hypotheses)


def test_hypotheses_that_contradict_each_other(results):
    with pytest.raises(ValueError, match=r"contradict each other: x = 0, x = 1\."):
        wald_test(results, "x = 0, x = 1")
    assert len(t_test(results, "x = 0, x = 1")) == 2


def test_aliased_coefficients_have_no_test(data):
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm("y ~ x + w + (1 | subject)", data.assign(w=2.0 * data["x"]))
    for test in (t_test, wald_test):
        with pytest.raises(ValueError, match=r"uses \['w'\], aliased with columns before"):
            test(results, "x = w")
    assert np.isfinite(t_test(results, "x = 0")["p_value"].item())
