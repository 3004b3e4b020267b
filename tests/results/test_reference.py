"""Results against lme4's, as the shared references hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import SingularFitWarning, mixedlm
from skmixed.results import MixedLMResults

CASES = ["sleep_rs", "sleep_ri_ml", "sleep_indep", "dyestuff", "dyestuff_ml", "gpa_rs_indep"]


def fit_case(shared: Path, name: str) -> tuple[MixedLMResults, dict[str, Any]]:
    case = json.loads((shared / "reference" / "reference.json").read_text())["cases"][name]
    data = pd.read_csv(shared / "data" / f"{case['data']}.csv")
    return mixedlm(case["formula"], data, method=case["method"].lower()), case


@pytest.fixture(scope="module", params=CASES)
def pair(request: pytest.FixtureRequest, shared: Path) -> tuple[MixedLMResults, dict[str, Any]]:
    return fit_case(shared, request.param)


def test_criteria(pair):
    results, case = pair
    assert_allclose(results.llf, case["loglik"], rtol=1e-9)
    assert_allclose(results.criterion, case["criterion"], rtol=1e-9)
    assert_allclose([results.aic, results.bic], [case["AIC"], case["BIC"]], rtol=1e-9)
    assert results.df_resid == case["df_resid"]
    assert results.nobs == case["n"]
    assert results.n_groups == case["ngroups"]
    assert results.method == case["method"]


def test_fixed_effects(pair):
    results, case = pair
    estimates, errors = np.array([list(case[key].values()) for key in ("fixef", "se")])
    names = ["Intercept" if name == "(Intercept)" else name for name in case["fixef"]]
    assert list(results.params.index) == names
    assert_allclose(results.params, estimates, rtol=1e-6)
    assert_allclose(results.bse, errors, rtol=1e-5)
    assert_allclose(results.cov_params(), case["vcov"], rtol=1e-5, atol=1e-8 * errors.max() ** 2)
    limits = [case["confint"]["wald"][name] for name in case["fixef"]] if "confint" in case else []
    if limits:
        assert_allclose(results.conf_int(), limits, rtol=1e-5)


def test_variances(pair):
    results, case = pair
    assert_allclose(results.sigma, case["sigma"], rtol=1e-5)
    # lme4 lists the uncorrelated terms of one factor one by one.
    expected = np.concatenate([np.diagonal(block["cov"]) for block in case["varcorr"]])
    assert_allclose(np.diagonal(results.cov_re), expected, rtol=2e-5)
    assert_allclose(results.theta, case["theta"], rtol=1e-5, atol=1e-7)


def test_random_effects(pair):
    results, case = pair
    for factor, expected in case["ranef"].items():
        labels = results.random_effects[factor].index.astype(str)
        rows = labels.get_indexer(expected["levels"])
        scale = np.abs(expected["values"]).max()
        assert_allclose(
            results.random_effects[factor].to_numpy()[rows],
            expected["values"],
            rtol=1e-4,
            atol=1e-5 * scale,
        )
        assert_allclose(
            results.random_effects_sd[factor].to_numpy()[rows], expected["condsd"], rtol=1e-4
        )


def test_boundary(shared):
    with pytest.warns(SingularFitWarning):
        results, case = fit_case(shared, "dyestuff2")
    assert case["is_singular"]
    assert results.is_singular
    assert results.converged
    assert_allclose(results.llf, case["loglik"], rtol=1e-9)
    assert_array_equal(results.variance_components["vcov"].iloc[0], 0.0)
    assert "boundary" in str(results.summary())


def test_uncorrelated_terms_have_no_covariance(shared):
    results, _ = fit_case(shared, "gpa_rs_indep")
    assert list(results.variance_components["name1"]) == ["Intercept", "occasion", None]
    assert "Corr" not in str(results.summary())


def test_summary_shows_the_scaled_residuals(shared):
    results, case = fit_case(shared, "sleep_rs")
    text = str(results.summary())
    for quantile in case["scaled_resid_quantiles"]:
        assert f"{quantile:.4f}" in text
