"""Likelihood-ratio tests: R's anova tables, refits that are told, and models that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case
from scipy import stats

from inference.comparison.comparison_cases import COMPARISON
from skmixed import NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff2, load_pastes, load_sleepstudy, make_crossed_regression
from skmixed.inference import anova_models, likelihood_ratio_test, ranova

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


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.slow
def test_bootstrap_of_one_variance_is_the_f_test(method: str) -> None:
    """With groups of one size the likelihood ratio grows with F, which has an exact p-value."""
    rng = np.random.default_rng(4)
    within = rng.normal(size=(6, 5))
    within -= within.mean(axis=1, keepdims=True)
    between = stats.zscore(rng.normal(size=(6, 1)), ddof=1)
    # F = 2.2 of 5 and 24 degrees of freedom.
    y = between * np.sqrt(2.2 * (within**2).sum() / 24 / 5) + within
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(6), 5)})
    with pytest.warns(NoGroupsWarning):
        small = mixedlm("y ~ 1", data, method=method)
    large = mixedlm("y ~ 1 + (1 | g)", data, method=method)
    test = likelihood_ratio_test(small, large, bootstrap=2000, random_state=0).iloc[1]
    expected = stats.f.sf(2.2, 5, 24)
    error = test["p_value_bootstrap_se"]
    assert_allclose(error, np.sqrt(expected * (1.0 - expected) / 2000), rtol=0.1)
    assert abs(test["p_value_bootstrap"] - expected) < 4.0 * error


def test_bootstrap_of_a_fixed_effect_is_its_f_test(sleepstudy) -> None:
    """Balanced rows: the means of the subjects' slopes have an exact t test."""
    data = sleepstudy.assign(half=lambda one: one["Subject"].astype(int) % 2)
    formulas = ("Reaction ~ 1 + (1 | Subject)", "Reaction ~ half + (1 | Subject)")
    small, large = (mixedlm(one, data, method="ml") for one in formulas)
    options = {"bootstrap": 2000, "random_state": 1}
    test = likelihood_ratio_test(small, large, **options).iloc[1]
    means = data.groupby(["half", "Subject"], observed=True)["Reaction"].mean()
    expected = stats.ttest_ind(means.loc[0], means.loc[1]).pvalue
    assert abs(test["p_value_bootstrap"] - expected) < 4.0 * test["p_value_bootstrap_se"]
    again = likelihood_ratio_test(small, large, **options).iloc[1]
    assert again["p_value_bootstrap"] == test["p_value_bootstrap"]


def test_bootstrap_of_several_models_and_factors() -> None:
    pastes = load_pastes()
    formulas = ("1 + (1 | batch)", "1 + (1 | batch) + (1 | sample)")
    table = anova_models(
        *(mixedlm(f"strength ~ {one}", pastes) for one in formulas), bootstrap=19, random_state=0
    )
    assert np.isnan(table["p_value_bootstrap"][0])
    # No replicate comes near a ratio of 55.
    assert table["p_value_bootstrap"][1] == 1 / 20
    assert "p_value_bootstrap" not in anova_models(
        *(mixedlm(f"strength ~ {one}", pastes) for one in formulas)
    )


def test_a_ratio_of_zero_has_a_bootstrap_p_value_of_one() -> None:
    data = load_dyestuff2()
    with pytest.warns(NoGroupsWarning):
        small = mixedlm("Yield ~ 1", data)
    with pytest.warns(SingularFitWarning):
        large = mixedlm("Yield ~ 1 + (1 | Batch)", data)
    test = likelihood_ratio_test(small, large, bootstrap=50, random_state=0).iloc[1]
    assert test["statistic"] == 0.0
    assert test["p_value_bootstrap"] == 1.0


def test_number_of_replicates_is_checked(sleepstudy) -> None:
    formulas = ("Reaction ~ 1 + (1 | Subject)", "Reaction ~ Days + (1 | Subject)")
    models = [mixedlm(one, sleepstudy) for one in formulas]
    with pytest.raises(ValueError, match=r"bootstrap, the number of replicates, .* got -1"):
        likelihood_ratio_test(*models, bootstrap=-1)


def test_an_unknown_mixture_is_simulated_by_itself(sleepstudy) -> None:
    """Two independent variances vanish at once: the weights of the mixture depend on the data."""
    with pytest.warns(NoGroupsWarning):
        small = mixedlm("Reaction ~ Days", sleepstudy)
    large = mixedlm("Reaction ~ Days + (Days || Subject)", sleepstudy)
    test = likelihood_ratio_test(small, large, random_state=0).iloc[1]
    assert test["reference"] is None
    # No replicate of 1,000 comes near a ratio of 146.
    assert test["p_value_bootstrap"] == 1 / 1001
    assert "p_value_bootstrap" not in likelihood_ratio_test(small, large, bootstrap=0)
    dropped = ranova(large, reduce_terms=False)
    assert dropped["reference"].iloc[1:].notna().all()
    assert "p_value_bootstrap" not in dropped


def test_rows_that_count_several_times_are_not_simulated() -> None:
    data = make_crossed_regression(200, (10, 10), as_frame=True, random_state=0)
    options = {"weights": np.full(200, 2.0), "weight_type": "frequency"}
    with pytest.warns(NoGroupsWarning):
        small = mixedlm("y ~ x1", data, **options)
    large = mixedlm("y ~ x1 + (1 | group1) + (1 | group2)", data, **options)
    with pytest.warns(UserWarning, match="repeat them in the data"):
        table = likelihood_ratio_test(small, large)
    assert "p_value_bootstrap" not in table


def test_large_crossed_models_are_not_simulated_unasked() -> None:
    data = make_crossed_regression(6000, (200, 100), as_frame=True, random_state=0)
    with pytest.warns(NoGroupsWarning):
        small = mixedlm("y ~ x1", data)
    large = mixedlm("y ~ x1 + (1 | group1) + (1 | group2)", data)
    with pytest.warns(UserWarning, match="No mixture of chi-squares is known.*bootstrap=1000"):
        table = likelihood_ratio_test(small, large)
    assert "p_value_bootstrap" not in table
