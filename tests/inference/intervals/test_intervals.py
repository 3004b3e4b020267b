"""Wald intervals against R, and on the boundary."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from parity.names import matching
from parity.reference import fit_case, shared_case
from scipy import stats

from skmixed import MixedLM, datasets, mixedlm
from skmixed.covariance import AR1, CompoundSymmetry, Identity
from skmixed.inference import bootstrap, confint
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results import MixedLMResults

REFERENCE = json.loads(
    (Path(__file__).parent / "fixtures" / "intervals.json").read_text(encoding="utf-8")
)["log_errors"]
QUANTILE = stats.norm.isf(0.025)
LIMITS = ["lower", "upper"]


def quietly(formula: str, data: pd.DataFrame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixedlm(formula, data, **options)


@pytest.mark.parametrize("name", ["sleep_rs", "pupils", "machines_nested", "weights_sim"])
def test_row_43_wald_intervals_of_the_reference(name, shared):
    case = shared_case(shared, name)
    table = confint(fit_case(case).results, df_method="normal")
    theirs = case.figures["confint"]["wald"]
    rows = table.iloc[matching(table["parameter"], theirs)]
    assert_allclose(rows[LIMITS], list(theirs.values()), rtol=1e-5)


def test_row_43_intervals_of_the_results_are_the_default():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy())
    assert_allclose(confint(results)[LIMITS], results.conf_int(), rtol=1e-12)
    other = confint(results, df_method="kenward-roger", level=0.9)
    tidy = mixedlm(
        "Reaction ~ Days + (Days | Subject)",
        datasets.load_sleepstudy(),
    ).tidy(conf_level=0.9)
    assert_allclose(other[LIMITS], tidy[LIMITS], rtol=1e-2)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_standard_errors_on_the_scale_are_those_of_glmmtmb(method):
    formula = "Reaction ~ Days + (Days | Subject)"
    results = mixedlm(formula, datasets.load_sleepstudy(), method=method)
    table = confint(results, "wald", "random").set_index("parameter")
    names = {
        "sd_Intercept": "sd_Intercept|Subject",
        "sd_Days": "sd_Days|Subject",
        "sigma": "sigma",
        "z": "cor_Days.Intercept|Subject",
    }
    for short, name in names.items():
        scale = np.arctanh if short == "z" else np.log
        ends = scale(table.loc[name, LIMITS].to_numpy(dtype=float))
        # glmmTMB stops its search early, and takes differences of gradients.
        assert_allclose((ends[1] - ends[0]) / (2 * QUANTILE), REFERENCE[method][short], rtol=1e-4)
        assert_allclose(ends.mean(), scale(table.loc[name, "estimate"]), rtol=1e-8)


def test_estimates_are_those_of_the_variance_components():
    results = mixedlm("strength ~ 1 + (1 | batch / cask)", datasets.load_pastes())
    table = confint(results, "wald", "random")
    assert_allclose(table["estimate"], results.variance_components["sdcor"], rtol=1e-12)
    assert list(table["group"]) == list(results.variance_components["group"])


def test_variance_of_zero_has_limits():
    """Where the deviance is a parabola of the deviation, the upper limit is the Wald one."""
    results = quietly("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff2(), method="ml")
    wald = confint(results, "wald", "random", level=0.2).iloc[0]
    profiled = confint(results, "profile", "random", level=0.2).iloc[0]
    assert wald.lower == 0.0
    assert_allclose(wald.upper, profiled.upper, rtol=1e-2)


@pytest.mark.parametrize("name", ["sim757_full", "dyestuff2", "dyestuff2_ml"])
def test_nothing_is_missing_on_the_boundary(name, shared):
    results = fit_case(shared_case(shared, name)).results
    for method in ("wald", "profile"):
        table = confint(results, method, "all")
        assert not table[LIMITS].isna().any(axis=None)
        assert (table["lower"] <= table["estimate"]).all()
        assert (table["estimate"] <= table["upper"]).all()


def test_a_correlation_of_one_has_a_limit_on_one_side(shared):
    results = fit_case(shared_case(shared, "sim757_full")).results
    row = confint(results, "wald", "cor_X.Intercept|Group").iloc[0]
    assert row.estimate == pytest.approx(1.0)
    assert row.upper == 1.0
    assert -1.0 <= row.lower < 1.0


@pytest.mark.parametrize("method", ["wald", "profile"])
@pytest.mark.parametrize(
    ("structure", "deviations", "correlations"),
    [
        (Identity(), ["a..c"], []),
        (AR1(), ["a..c"], ["a..c"]),
        (CompoundSymmetry(), ["a", "b", "c"], ["a..c"]),
        (CompoundSymmetry(equal_variances=True), ["a..c"], ["a..c"]),
    ],
)
def test_a_shared_parameter_has_one_row(structure, deviations, correlations, method):
    rng = np.random.default_rng(5)
    effects = rng.normal(size=(40, 3)) + rng.normal(size=(40, 1))
    which, group = rng.integers(3, size=480), np.arange(480) % 40
    data = pd.DataFrame(np.eye(3)[which], columns=list("abc")).assign(g=group)
    model = MixedLM(
        "g", random_slopes=list("abc"), random_intercept=False, covariance=structure
    ).set_params(fit_intercept=False)
    model.fit(data, effects[group, which] + rng.normal(size=480))
    table = confint(model, method, "random")
    is_sd = table["parameter"].str.startswith("sd_")
    assert list(table.loc[is_sd, "name1"]) == deviations
    assert list(table["name1"][table["name2"].notna()]) == correlations
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()
    # Simulated with standard deviations of 1.41 and correlations of 0.5.
    assert table.loc[is_sd, "lower"].max() < np.sqrt(2.0) < table.loc[is_sd, "upper"].min() + 0.3


def test_a_groups_weight_counts_the_group_so_often():
    data = datasets.load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    twice = pd.concat([data, data.assign(Subject=data["Subject"].astype(str) + "again")])
    weighted = MixedLM("Subject", random_slopes=["Days"]).fit(X, y, group_weight=np.full(180, 2.0))
    repeated = MixedLM("Subject", random_slopes=["Days"]).fit(
        twice[["Days", "Subject"]], twice["Reaction"]
    )
    assert_allclose(
        confint(weighted, "wald", "all")[LIMITS],
        confint(repeated, "wald", "all")[LIMITS],
        rtol=1e-6,
    )


def test_what_is_asked_for_must_exist():
    results = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff())
    with pytest.raises(ValueError, match="method must be"):
        confint(results, "bayes")
    with pytest.raises(ValueError, match="df_method must be"):
        confint(results, df_method="none")
    with pytest.raises(ValueError, match="between 0 and 1"):
        confint(results, level=1.0)
    with pytest.raises(ValueError, match="has no parameter"):
        confint(results, which=["Intercept", "Days"])


@pytest.mark.parametrize("ratio", [1e5, 1e6])
def test_limits_of_a_variance_ratio_far_from_1(ratio):
    """Where sigma hardly counts, log sd has the variance 1 / (2 J) of J normal deviations."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 6)
    y = ratio * rng.normal(size=30)[groups] + rng.normal(size=180)
    results = mixedlm("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": groups}), method="ml")
    deviation, sigma = confint(results, "wald", "random")[LIMITS].to_numpy()
    reach = 2.0 * stats.norm.isf(0.025)
    assert_allclose(np.log(deviation[1] / deviation[0]), reach / np.sqrt(60), rtol=1e-5)
    assert_allclose(np.log(sigma[1] / sigma[0]), reach / np.sqrt(300), rtol=1e-5)


def test_an_aliased_coefficient_has_no_limits():
    data = datasets.load_sleepstudy().assign(twice=lambda frame: 2 * frame["Days"])
    results = quietly("Reaction ~ Days + twice + (1 | Subject)", data)
    for method in ("wald", "profile"):
        table = confint(results, method).set_index("parameter")
        assert table.loc["twice", LIMITS].isna().all()
        assert table.loc["Days", LIMITS].notna().all()


def test_a_factor_with_one_row_a_level_has_no_limits():
    data = datasets.load_sleepstudy().assign(row=np.arange(180))
    results = quietly("Reaction ~ Days + (1 | Subject) + (1 | row)", data)
    for method in ("wald", "profile"):
        table = confint(results, method, "random").set_index("parameter")
        assert table.loc["sd_Intercept|row", LIMITS].isna().all()
        assert table.loc["sd_Intercept|Subject", LIMITS].notna().all()


@pytest.mark.parametrize(
    ("structure", "shared"),
    [
        (Identity(), {"sd_a..c|g": "sd_a|g"}),
        (AR1(), {"sd_a..c|g": "sd_a|g", "cor_a..c.a..c|g": "cor_b.a|g"}),
        (CompoundSymmetry(), {"cor_a..c.a..c|g": "cor_b.a|g"}),
    ],
)
@pytest.mark.exhaustive(5)
def test_row_43_bootstrap_intervals_are_those_of_the_draws(structure, shared):
    rng = np.random.default_rng(5)
    effects = rng.normal(size=(40, 3)) + rng.normal(size=(40, 1))
    which, group = rng.integers(3, size=480), np.arange(480) % 40
    data = pd.DataFrame(np.eye(3)[which], columns=list("abc")).assign(g=group)
    estimator = MixedLM(
        "g", random_slopes=list("abc"), random_intercept=False, covariance=structure
    ).set_params(fit_intercept=False)
    model = estimator.training_model(data, effects[group, which] + rng.normal(size=480))
    results = MixedLMResults(FittedModel(model.fit(), rows=KeptRows(model)))
    table = confint(results, "bootstrap", "all", level=0.8, n=50, random_state=1)
    draws = bootstrap(results, 50, random_state=1).conf_int(level=0.8).set_index("parameter")
    names = [shared.get(name, name) for name in table["parameter"]]
    assert set(shared) <= set(table["parameter"])
    assert_allclose(table[LIMITS], draws.loc[names, LIMITS], rtol=1e-12)
    assert_allclose(table["estimate"], draws.loc[names, "estimate"], rtol=1e-9)


def test_bootstrap_intervals_have_the_columns_of_the_others():
    data = datasets.load_sleepstudy().assign(Hours=lambda one: 24 * one["Days"])
    results = quietly("Reaction ~ Days + Hours + (Days | Subject)", data)
    table = confint(results, "bootstrap", "all", n=100, random_state=0)
    wald = confint(results, "wald", "all")
    assert_frame_equal(
        table.drop(columns=[*LIMITS, "method"]), wald.drop(columns=[*LIMITS, "method"])
    )
    assert set(table["method"]) == {"bootstrap"}
    assert wald["lower"].isna().sum() == 1
    assert_array_equal(table["lower"].isna(), wald["lower"].isna())
    # A narrower interval lies within.
    narrow = confint(results, "bootstrap", ["sigma"], level=0.5, n=100, random_state=0).iloc[0]
    wide = table.iloc[-1]
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_bootstrap_intervals_need_the_rows():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", datasets.load_sleepstudy())
    with pytest.raises(TypeError, match=r"rows of the data, which LMMFit does not keep"):
        confint(results.fit, "bootstrap")
    with pytest.raises(ValueError, match=r"'bootstrap'.*'boot'"):
        confint(results, "boot")
