"""Likelihood-ratio tests: R's anova tables, refits that are told, and models that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case

from inference.comparison_cases import COMPARISON
from skmixed import mixedlm
from skmixed.datasets import load_pastes, load_sleepstudy
from skmixed.inference import anova_models, likelihood_ratio_test

TABLES = ("pigs_anova", "gpa_anova", "sleep_anova", "pastes_anova", "orth_anova")
# Of ML fits: the slopes dropped.
COMPARED = COMPARISON["models"]["sleep_slopes_ml"]["ranova"]
COLUMNS = {
    "n_parameters": "npar",
    "aic": "AIC",
    "bic": "BIC",
    "log_likelihood": "loglik",
    "deviance": "deviance",
    "statistic": "chisq",
    "df": "df",
}


@pytest.fixture
def sleepstudy():
    return load_sleepstudy()


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_r(name: str, shared: Path) -> None:
    figures = shared_case_figures(shared, name)
    models = {one: fit_case(shared_case(shared, one)).results for one in figures["models"]}
    table = anova_models(models)
    assert table["model"].tolist() == figures["models"]
    assert not table["refitted"].any()
    for ours, theirs in COLUMNS.items():
        expected = [figures["table"][one][theirs] for one in figures["models"]]
        numbers = np.array([np.nan if one is None else one for one in expected])
        assert_allclose(table[ours], numbers, rtol=1e-9 if ours != "statistic" else 1e-8)
    p_values = [figures["table"][one]["p"] for one in figures["models"][1:]]
    assert_allclose(table["p_value"][1:], p_values, rtol=1e-6)


def shared_case_figures(shared: Path, name: str) -> dict:
    """Return the figures of a table, which is no model of its own."""
    text = (shared / "reference" / "reference.json").read_text(encoding="utf-8")
    return json.loads(text)["cases"][name]


def test_half_of_r_s_p_value_for_one_variance_component(shared: Path) -> None:
    figures = shared_case_figures(shared, "pastes_anova")
    models = [fit_case(shared_case(shared, one)).results for one in figures["models"]]
    table = anova_models(*models)
    assert table["reference"][1] == "1/2 chi2(0) + 1/2 chi2(1)"
    assert_allclose(table["p_value_mixture"][1], figures["chibar_p_half"], rtol=1e-6)


def test_row_24_reml_fits_are_refitted_by_ml_where_fixed_effects_differ(sleepstudy) -> None:
    formulas = ("Reaction ~ 1 + (Days | Subject)", "Reaction ~ Days + (Days | Subject)")
    by_reml = likelihood_ratio_test(*(mixedlm(one, sleepstudy) for one in formulas))
    by_ml = likelihood_ratio_test(*(mixedlm(one, sleepstudy, method="ml") for one in formulas))
    assert by_reml["refitted"].all()
    assert not by_ml["refitted"].any()
    assert set(by_reml["method"]) == {"ML"}
    assert_allclose(by_reml["statistic"], by_ml["statistic"], rtol=1e-9)
    assert by_reml["reference"][1] == "chi2(1)"


def test_reml_fits_of_the_same_fixed_effects_are_kept(sleepstudy) -> None:
    formulas = ("Reaction ~ Days + (1 | Subject)", "Reaction ~ Days + (Days | Subject)")
    small, large = (mixedlm(one, sleepstudy) for one in formulas)
    kept = likelihood_ratio_test(small, large)
    assert set(kept["method"]) == {"REML"}
    assert not kept["refitted"].any()
    assert_allclose(kept["statistic"][1], 2.0 * (large.llf - small.llf), rtol=1e-12)
    asked = likelihood_ratio_test(small, large, refit="ml")
    assert asked["refitted"].all()
    assert set(asked["method"]) == {"ML"}


def test_row_59_reduced_against_full_model(shared: Path) -> None:
    figures = shared_case_figures(shared, "gpa_anova")
    small, large = (fit_case(shared_case(shared, one)).results for one in figures["models"][1:])
    row = likelihood_ratio_test(small, large).iloc[1]
    theirs = figures["table"]["gpa_rs_sex_ml"]
    assert_allclose([row["statistic"], row["df"]], [theirs["chisq"], theirs["df"]], rtol=1e-8)
    assert_allclose(row["p_value"], theirs["p"], rtol=1e-6)


def test_row_61_intercepts_against_slopes(sleepstudy) -> None:
    small = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy, method="ml")
    large = mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy, method="ml")
    row = likelihood_ratio_test(large, small).iloc[1]  # In any order.
    assert row["df"] == 2
    assert_allclose(row["p_value"], COMPARED["p_value"][1], rtol=1e-6)
    assert row["reference"] == "1/2 chi2(1) + 1/2 chi2(2)"
    assert row["p_value_mixture"] < row["p_value"]


def test_recoded_fixed_effects_count_as_different_under_reml(sleepstudy) -> None:
    small = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    large = mixedlm("Reaction ~ I(2 * Days) + (Days | Subject)", sleepstudy)
    table = likelihood_ratio_test(small, large)
    assert set(table["method"]) == {"ML"}


def test_different_rows_are_refused(sleepstudy) -> None:
    formula = "Reaction ~ Days + (1 | Subject)"
    whole = mixedlm(formula, sleepstudy)
    with pytest.raises(ValueError, match="180 and 170 rows"):
        likelihood_ratio_test(whole, mixedlm(formula, sleepstudy.iloc[:170]))
    with pytest.raises(ValueError, match="responses differ"):
        likelihood_ratio_test(whole, mixedlm("np.log(Reaction) ~ Days + (1 | Subject)", sleepstudy))
    with pytest.raises(ValueError, match="another order"):
        likelihood_ratio_test(whole, mixedlm(formula, sleepstudy.iloc[::-1]))
    with pytest.raises(ValueError, match="weights differ"):
        likelihood_ratio_test(whole, mixedlm(formula, sleepstudy, weights=sleepstudy["Days"] + 1.0))


def test_models_that_are_not_nested_are_refused(sleepstudy) -> None:
    one = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    other = mixedlm("Reaction ~ np.sqrt(Days) + np.log(Days + 1) + (1 | Subject)", sleepstudy)
    with pytest.raises(ValueError, match="not nested"):
        likelihood_ratio_test(one, other)


def test_what_cannot_be_asked(sleepstudy) -> None:
    one = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    other = mixedlm("Reaction ~ 1 + (1 | Subject)", sleepstudy)
    with pytest.raises(ValueError, match="at least 2"):
        anova_models(one)
    with pytest.raises(ValueError, match="other contrasts"):
        likelihood_ratio_test(other, one, refit="reml")
    with pytest.raises(ValueError, match="refit must be one of"):
        likelihood_ratio_test(other, one, refit="yes")
    with pytest.raises(TypeError, match="training_model"):
        likelihood_ratio_test(other.fit, one.fit)


def test_names() -> None:
    pastes = load_pastes()
    models = [
        mixedlm("strength ~ 1 + (1 | sample)", pastes),
        mixedlm("strength ~ 1 + (1 | batch) + (1 | sample)", pastes),
    ]
    assert anova_models(*models, names=["a", "b"])["model"].tolist() == ["a", "b"]
    assert anova_models(*models)["model"][0] == "strength ~ 1 + (1 | sample)"
    same = anova_models(models[0], models[0])
    assert same["model"].tolist() == ["model 1", "model 2"]
    assert same["df"][1] == 0
    assert np.isnan(same["p_value"][1])
