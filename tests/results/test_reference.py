"""What the results show of a fit, against lme4; `tests/parity` compares the estimates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import SingularFitWarning, mixedlm
from skmixed.results import MixedLMResults


def fit_case(shared: Path, name: str) -> tuple[MixedLMResults, dict[str, Any]]:
    case = json.loads((shared / "reference" / "reference.json").read_text())["cases"][name]
    data = pd.read_csv(shared / "data" / f"{case['data']}.csv")
    return mixedlm(case["formula"], data, method=case["method"].lower()), case


@pytest.mark.parametrize("name", ["sleep_rs", "sleep_ri_ml", "sleep_indep", "dyestuff"])
def test_criterion(shared, name):
    results, case = fit_case(shared, name)
    assert_allclose([results.criterion, results.deviance], case["criterion"], rtol=1e-9)


@pytest.mark.parametrize("name", ["sleep_rs", "gpa_rs", "pigs_rs_ml"])
def test_wald_limits(shared, name):
    results, case = fit_case(shared, name)
    limits = [case["confint"]["wald"][coefficient] for coefficient in case["fixef"]]
    assert_allclose(results.with_df_method("normal").conf_int(), limits, rtol=1e-5)


def test_boundary(shared):
    with pytest.warns(SingularFitWarning):
        results, case = fit_case(shared, "dyestuff2")
    assert case["is_singular"]
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
