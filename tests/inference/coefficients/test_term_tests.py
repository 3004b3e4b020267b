"""F tests of the terms of a formula: against lmerTest, and what must hold for any of them."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from parity.cases import LARGE, ONE_FACTOR, SEVERAL_FACTORS
from parity.names import matching
from parity.reference import fit_case, shared_case
from scipy import stats

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference.coefficients.degrees_of_freedom import DF_METHODS, Satterthwaite
from skmixed.inference.coefficients.term_tests import anova_terms

pytestmark = pytest.mark.exhaustive(3)

FIXTURES = Path(__file__).parent / "fixtures"
FIGURES = json.loads((FIXTURES / "anova.json").read_text(encoding="utf-8"))["cases"]
CODINGS = {"contr.sum": "Sum", "contr.helmert": "Helmert"}
NAMES = {
    "sum_sq": "sumsq",
    "mean_sq": "meansq",
    "df_num": "numdf",
    "df_denom": "dendf",
    "statistic": "F",
}
REFERENCE = (
    *ONE_FACTOR,
    *SEVERAL_FACTORS,
    *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE),
)


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(FIXTURES / "anova.csv")


@pytest.mark.parametrize("name", REFERENCE)
def test_every_case_of_the_reference(shared, name):
    case = shared_case(shared, name)
    tables = [
        (method, int(key[-1]), table)
        for method in ("satterthwaite", "kenward_roger")
        for key, table in (case.figures.get(method) or {}).items()
        if key.startswith("anova")
    ]
    if not tables:
        pytest.skip("R gives no tests by term for this case")
    results = fit_case(case).results
    for method, kind, expected in tables:
        found = anova_terms(results, type=kind, df_method=method.replace("_", "-"))
        assert len(found) == len(expected)
        if not expected:
            continue
        assert_array_equal(matching(found["term"], expected), np.arange(len(expected)))
        theirs = pd.DataFrame(expected.values())
        assert_allclose(found[[*NAMES]], theirs[[*NAMES.values()]], rtol=1e-5)
        assert_allclose(found["p_value"], theirs["p"], atol=1e-6)


@pytest.mark.parametrize(
    "figures", FIGURES, ids=lambda one: f"{one['name']}-{one['type']}-{one['df_method']}"
)
@pytest.mark.filterwarnings("ignore:X is rank deficient")
def test_designs_out_of_balance(data, figures):
    formula, rows = figures["formula"], data if figures["rows"] == "all" else data[data["empty"]]
    if figures["coding"]:
        coding = CODINGS[figures["coding"]]
        formula = formula.replace("a * b", f"C(a, {coding}) * C(b, {coding})")
    found = anova_terms(
        mixedlm(formula, rows), type=figures["type"], df_method=figures["df_method"]
    )
    terms = [re.sub(r"C\((\w), \w+\)", r"\1", term) for term in found["term"]]
    expected = pd.DataFrame(figures["table"])
    found = found.iloc[matching(terms, expected["term"])]
    assert_array_equal(found["df_num"], expected["df_num"])
    for column in ("sum_sq", "mean_sq", "statistic"):
        assert_allclose(found[column], expected[column], rtol=1e-5, atol=1e-7)
    # Satterthwaite's degrees of freedom of several contrasts depend on which span the hypothesis:
    # without main effects R and patsy choose others.
    rtol = 3e-4 if figures["name"] == "cells_alone" else 1e-5
    assert_allclose(found["df_denom"], expected["df_denom"], rtol=rtol)
    assert_allclose(found["p_value"], expected["p_value"], atol=1e-6, rtol=rtol)


@pytest.mark.parametrize(
    "coding", ["Sum", "Helmert", "Diff", "Treatment('a3')", "levels=['a2', 'a3', 'a1']"]
)
def test_type_3_does_not_depend_on_the_coding(data, coding):
    formula = "y ~ {0} * b * x + (1 | subject)"
    one = anova_terms(mixedlm(formula.format("a"), data), df_method="kenward-roger")
    other = anova_terms(mixedlm(formula.format(f"C(a, {coding})"), data), df_method="kenward-roger")
    assert_allclose(other.drop(columns="term"), one.drop(columns="term"), rtol=1e-6)


def test_type_3_does_not_depend_on_units(data):
    moved = data.assign(x=1e5 + data["x"], y=1e-8 * data["y"])
    formula = "y ~ a * b + x + (1 | subject)"
    one, other = (anova_terms(mixedlm(formula, rows)) for rows in (data, moved))
    columns = ["df_num", "df_denom", "statistic", "p_value"]
    assert_allclose(other[columns], one[columns], rtol=1e-7)
    assert_allclose(other["sum_sq"], 1e-16 * one["sum_sq"], rtol=1e-7)


def test_a_large_origin_hides_no_column(data):
    far = data.assign(x=1e9 + data["x"])
    formula = "y ~ a + b + x + (1 | subject)"
    for kind in (1, 2, 3):
        one, other = (anova_terms(mixedlm(formula, rows), type=kind) for rows in (data, far))
        assert_allclose(other["statistic"], one["statistic"], rtol=1e-5)


def test_terms_of_one_column_are_the_t_tests(data):
    results = mixedlm("y ~ x + z + b + (x | subject)", data)
    table, tests = anova_terms(results), results.tidy().set_index("term")
    expected = tests.loc[["x", "z", "b[T.b2]"]]
    assert_allclose(table["statistic"], expected["statistic"] ** 2)
    assert_allclose(table["df_denom"], expected["df"])
    assert_allclose(table["p_value"], expected["p_value"])


def test_without_random_effects_it_is_the_table_of_least_squares(data):
    sm = pytest.importorskip("statsmodels.formula.api")
    anova_lm = pytest.importorskip("statsmodels.stats.anova").anova_lm
    formula = "y ~ C(a, Sum) * C(b, Sum) * C(c, Sum)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = mixedlm(formula, data)
    reference = sm.ols(formula, data).fit()
    for kind in (1, 2, 3):
        expected = anova_lm(reference, typ=kind).drop(["Intercept", "Residual"], errors="ignore")
        found = anova_terms(results, type=kind).set_index("term").loc[expected.index]
        assert_allclose(found["sum_sq"], expected["sum_sq"], rtol=1e-8)
        assert_allclose(found["p_value"], expected["PR(>F)"], rtol=1e-6)
        assert_allclose(found["df_denom"], reference.df_resid, rtol=1e-8)


def test_reference_distributions(data):
    results = mixedlm("y ~ a + x + (1 | subject)", data)
    normal = anova_terms(results, df_method="normal")
    residual = anova_terms(results, df_method="residual")
    assert_allclose(residual["statistic"], normal["statistic"])
    assert (residual["df_denom"] == len(data) - 4).all()
    assert np.isinf(normal["df_denom"]).all()
    chi2 = stats.chi2.sf(normal["statistic"] * normal["df_num"], normal["df_num"])
    assert_allclose(normal["p_value"], chi2)


def test_the_results_say_which_degrees_of_freedom(data):
    results = mixedlm("y ~ a + x + (1 | subject)", data)
    pd.testing.assert_frame_equal(
        anova_terms(results), anova_terms(results, type="III", df_method="satterthwaite")
    )


def test_theory_is_computed_once(data, monkeypatch):
    calls = []

    class Counted(Satterthwaite):
        def at(self, fit):
            calls.append(fit)
            return super().at(fit)

    monkeypatch.setattr(
        "skmixed.inference.coefficients.degrees_of_freedom.DF_METHODS",
        {**DF_METHODS, "satterthwaite": Counted()},
    )
    assert len(anova_terms(mixedlm("y ~ a * b * x + (1 | subject)", data))) == 7
    assert len(calls) == 1


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_rows_of_weight_0_are_no_rows(data, kind):
    formula = "y ~ a * b + (1 | subject)"
    weights = data["empty"].astype(float) * (1.0 + data["z"])
    with pytest.warns(UserWarning, match="rank deficient"):
        weighted = mixedlm(formula, data, weights=weights)
    with pytest.warns(UserWarning, match="rank deficient"):
        dropped = mixedlm(formula, data[data["empty"]], weights=weights[data["empty"]])
    found, expected = anova_terms(weighted, type=kind), anova_terms(dropped, type=kind)
    assert_allclose(found.drop(columns="term"), expected.drop(columns="term"), rtol=1e-6)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_many_rows(data, kind, monkeypatch):
    results = mixedlm("y ~ a * b + z + I(x / np.max(x)) + (1 | subject)", data)
    results_of_trained = mixedlm("y ~ a * b + z + scale(x) + (1 | subject)", data)
    found = anova_terms(results, type=kind), anova_terms(results_of_trained, type=kind)
    monkeypatch.setattr("skmixed.inference.coefficients.term_space.ROWS_PER_COLUMN", 6)
    assert len(data) > 2 * 6 * len(results.params)
    again = anova_terms(results, type=kind), anova_terms(results_of_trained, type=kind)
    for one, other in zip(found, again, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-9)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_frequencies_repeat_rows(data, kind):
    counts = 1 + np.arange(len(data)) % 3
    formula = "y ~ a * b + x + (1 | subject)"
    counted = mixedlm(formula, data, weights=counts, weight_type="frequency")
    repeated = mixedlm(formula, data.loc[data.index.repeat(counts)])
    found, expected = anova_terms(counted, type=kind), anova_terms(repeated, type=kind)
    assert_allclose(found.drop(columns="term"), expected.drop(columns="term"), rtol=1e-6)


def test_a_term_that_others_explain_is_not_tested(data):
    twice = data.assign(w=2.0 * data["x"])
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm("y ~ x + w + b + (1 | subject)", twice)
    for kind in (1, 2, 3):
        table = anova_terms(results, type=kind).set_index("term")
        assert table.loc["w", "df_num"] == 0
        assert table.loc["w"].drop("df_num").isna().all()
        assert table.loc[["x", "b"]].notna().all(axis=None)


@pytest.mark.parametrize("fixed", [0, 1])
def test_a_model_without_terms_has_an_empty_table(fixed):
    table = anova_terms(mixedlm(f"Reaction ~ {fixed} + (1 | Subject)", load_sleepstudy()))
    assert list(table.columns) == [
        "term",
        "sum_sq",
        "mean_sq",
        "df_num",
        "df_denom",
        "statistic",
        "p_value",
    ]
    assert len(table) == 0


def test_what_cannot_be_tested(data):
    results = mixedlm("y ~ a + (1 | subject)", data)
    with pytest.raises(ValueError, match="type must be 1, 2 or 3"):
        anova_terms(results, type=4)
    with pytest.raises(ValueError, match="df_method must be one of"):
        anova_terms(results, df_method="exact")
    with pytest.raises(ValueError, match="for REML fits"):
        anova_terms(mixedlm("y ~ a + (1 | subject)", data, method="ml"), df_method="kenward-roger")
    estimator = MixedLM(formula="y ~ a + (1 | subject)").fit(data)
    with pytest.raises(TypeError, match="expected the results of mixedlm or mixedglm, got MixedLM"):
        anova_terms(estimator)
    with pytest.raises(TypeError, match="Expected a fitted mixed model, got str"):
        anova_terms("y ~ a")
