"""Intraclass correlations, R2 and shares of variance: the R package performance, and boundaries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case

from inference.comparison.comparison_cases import COMPARISON, comparison_fit
from skmixed import MixedLM, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_dyestuff2, load_penicillin, load_sleepstudy
from skmixed.inference import icc, r2, variance_decomposition

SHARED = (
    "ogorek_cross",
    "pigs_ri",
    "pigs_rs",
    "gpa_ri",
    "gpa_rs",
    "pupils",
    "nurses_slash",
    "popularity_ri",
    "form_rs_crossed",
    "sleep_rs",
    "sleep_ri",
    "dyestuff",
    "penicillin",
    "oxboys",
    "exam_rs",
    "math_null",
    "math_ses",
    "math_cross_ri",
    "orth_rs",
)


@pytest.mark.parametrize("name", SHARED)
def test_figures_of_performance(name: str, shared: Path) -> None:
    case = shared_case(shared, name)
    results = fit_case(case).results
    correlation, determined = icc(results).iloc[-1], r2(results)
    theirs, explained = case.figures["icc"], case.figures["r2_nakagawa"]
    assert_allclose(correlation["adjusted"], theirs["ICC_adjusted"], rtol=1e-7)
    assert_allclose(correlation["unadjusted"], theirs["ICC_unadjusted"], rtol=1e-7)
    assert_allclose(
        determined,
        [explained["R2_marginal.Marginal R2"], explained["R2_conditional.Conditional R2"]],
        rtol=1e-7,
        atol=1e-12,
    )


def test_performance_leaves_out_uncorrelated_slopes(shared: Path) -> None:
    # Version 0.10 takes the first of the two terms of (Days || Subject) only; Johnson's mean
    # variance has both.
    case = shared_case(shared, "sleep_indep")
    results = fit_case(case).results
    fixed, intercepts, slopes, residual = variance_decomposition(results)["variance"]
    of_r = intercepts / (intercepts + residual)
    assert_allclose(case.figures["icc"]["ICC_adjusted"], of_r, rtol=1e-7)
    between = intercepts + slopes
    assert_allclose(icc(results)["adjusted"].iloc[-1], between / (between + residual))
    assert_allclose(r2(results)["marginal"], fixed / (fixed + between + residual))


@pytest.mark.parametrize("name", COMPARISON["models"])
def test_figures_of_performance_on_bundled_data(name: str) -> None:
    figures = COMPARISON["models"][name]  # Of lme4's own optimum.
    correlation, determined = icc(comparison_fit(name)).iloc[-1], r2(comparison_fit(name))
    ours = [*correlation[["adjusted", "unadjusted"]], *determined]
    theirs = [figures[f"icc_{which}"] for which in ("adjusted", "unadjusted")]
    theirs += [figures[f"r2_{which}"] for which in ("marginal", "conditional")]
    assert_allclose(ours, theirs, rtol=1e-5, atol=1e-12)


def test_row_38_icc_by_factor(shared: Path) -> None:
    gpa = fit_case(shared_case(shared, "gpa_ri")).results
    assert round(icc(gpa)["adjusted"].iloc[-1], 2) == 0.52  # The course notes.
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    table = icc(results).set_index("group")
    plate, sample, residual = results.variance_components["vcov"]
    total = plate + sample + residual
    expected = [plate / total, sample / total, (plate + sample) / total]
    assert_allclose(table.loc[["plate", "sample", "All"], "adjusted"], expected)


def test_row_39_variance_decomposition_against_the_rows() -> None:
    sleepstudy = load_sleepstudy()
    results = mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy)
    table = variance_decomposition(results).set_index("component")
    line = results.predict(sleepstudy, include_random_effects=False)
    Z = np.column_stack([np.ones(180), sleepstudy["Days"]])
    mean_variance = np.mean(np.einsum("ni,ij,nj->n", Z, results.cov_re.to_numpy(), Z))
    expected = [np.var(line, ddof=1), mean_variance, results.scale]
    assert_allclose(table["variance"], expected, rtol=1e-9)
    assert_allclose(table["share"], np.array(expected) / sum(expected), rtol=1e-9)
    assert_allclose(table["share_random"].iloc[1:].sum(), 1.0)


def test_row_49_r2_of_least_squares_and_of_the_mixed_model(shared: Path) -> None:
    baseline = shared_case(shared, "lm_gpa")
    data = baseline.data
    by_lines = mixedlm("gpa ~ occasion + (1 | student)", data)
    X, y = data[["occasion"]].astype(float), data["gpa"]
    with pytest.warns(UserWarning, match="group"):
        line = RandomInterceptRegressor().fit(X, y)
    assert_allclose(line.score(X, y), baseline.figures["r_squared"], rtol=1e-9)
    found = r2(by_lines)
    assert found["marginal"] < found["conditional"] < 1.0
    assert_allclose(found["marginal"], baseline.figures["r_squared"], rtol=0.02)


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_all_is_finite_on_the_boundary() -> None:
    results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert results.fit.singular
    assert (icc(results)[["adjusted", "unadjusted"]] == 0.0).to_numpy().all()
    assert r2(results).tolist() == [0.0, 0.0]
    assert variance_decomposition(results)["share"].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_varies() -> None:
    data = pd.DataFrame({"y": np.ones(12), "g": np.repeat([1, 2, 3], 4)})
    results = mixedlm("y ~ 1 + (1 | g)", data)
    assert (icc(results)[["adjusted", "unadjusted"]] == 0.0).to_numpy().all()
    assert r2(results).tolist() == [0.0, 0.0]


def test_an_estimator_has_the_same_measures() -> None:
    sleepstudy = load_sleepstudy()
    formula = "Reaction ~ Days + (Days | Subject)"
    model, results = MixedLM(formula=formula).fit(sleepstudy), mixedlm(formula, sleepstudy)
    assert_allclose(r2(model), r2(results), rtol=1e-9)
    assert_allclose(icc(model)["unadjusted"], icc(results)["unadjusted"], rtol=1e-9)


def test_precision_weights_need_the_rows() -> None:
    sleepstudy = load_sleepstudy()
    formula, weights = "Reaction ~ Days + (1 | Subject)", sleepstudy["Days"] + 1.0
    results = mixedlm(formula, sleepstudy, weights=weights)
    line = results.predict(sleepstudy, include_random_effects=False)
    variances = variance_decomposition(results)["variance"]
    assert_allclose(variances[0], np.var(line, ddof=1), rtol=1e-9)
    with pytest.raises(TypeError, match="training_model"):
        r2(MixedLM(formula=formula).fit(sleepstudy, sample_weight=weights))
    model = MixedLM(formula=formula).training_model(sleepstudy, sample_weight=weights)
    assert_allclose(r2(model), r2(results), rtol=1e-9)


def test_counts_equal_repeated_rows() -> None:
    sleepstudy = load_sleepstudy()
    counts = np.random.default_rng(0).integers(1, 4, len(sleepstudy))
    formula = "Reaction ~ Days + (Days | Subject)"
    counted = mixedlm(formula, sleepstudy, weights=counts, weight_type="frequency")
    repeated = mixedlm(formula, sleepstudy.loc[sleepstudy.index.repeat(counts)])
    assert_allclose(r2(counted), r2(repeated), rtol=1e-8)
