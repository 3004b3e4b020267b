"""Models of trials against the references of mmrm_cases.json, which SAS PROC MIXED witnesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from skmixed import mixedlm
from skmixed.inference import robust_covariance
from skmixed.residual import parse_residual
from skmixed.results import MixedLMResults

from .cases import TRIALS
from .trials import (
    Trial,
    covariance_parameters,
    covariance_parameters_errors,
    fit_trial,
    own_trials,
    shared_trials,
    trial,
)

pytestmark = pytest.mark.exhaustive(5)
LARGE = {"us_bcva_reml": pytest.mark.slow}
ALL = [pytest.param(name, marks=LARGE.get(name, ())) for name in (*TRIALS, *own_trials())]
RESTRICTED = [one for one in ALL if one.values[0].endswith("_reml")]
WITH_SANDWICH = [name for name in TRIALS if name.endswith("_arm_reml") and "1d" not in name]
RULES = {
    "kenward_roger": ("kenward-roger", "observed"),
    "kenward_roger_linear": ("kenward-roger-linear", "observed"),
    "kenward_roger_expected_info": ("kenward-roger", "expected"),
    "kenward_roger_linear_expected_info": ("kenward-roger-linear", "expected"),
}


@dataclass(frozen=True, eq=False)
class FittedTrial:
    """Hold a trial, its results, and the places of our coefficients in the reference's order."""

    trial: Trial
    results: MixedLMResults
    order: list[int]

    @property
    def figures(self) -> Any:
        return self.trial.figures

    def own(self, L: Any) -> np.ndarray:
        """Return rows of contrasts of the reference's coefficients as rows of ours."""
        L = np.atleast_2d(L)
        contrasts = np.zeros_like(L, dtype=float)
        contrasts[:, self.order] = L
        return contrasts


@pytest.fixture(scope="module", params=ALL)
def fitted(request, shared) -> FittedTrial:
    one = trial(shared, request.param)
    results = fit_trial(one)
    return FittedTrial(one, results, one.ours(results, one.figures))


def test_no_case_is_left_out(shared):
    assert set(TRIALS) == set(shared_trials(shared))


def test_text_and_objects_are_one_structure(fitted):
    assert parse_residual(fitted.trial.text) == fitted.trial.structure


def test_model(fitted):
    figures, results = fitted.figures, fitted.results
    assert results.nobs == figures["n"]
    assert results.converged
    assert results.fit.n_parameters == figures["n_fixed"] + figures["n_cov_params"]
    assert len(results.residual_parameters) == figures["n_cov_params"] - 1


def test_likelihood_and_coefficients(fitted):
    figures, results = fitted.figures, fitted.results
    assert_allclose(results.llf, figures["loglik"], rtol=1e-9)
    errors = np.array([one["se"] for one in figures["fixed"]])
    beta = np.array([one["estimate"] for one in figures["fixed"]])
    assert_allclose((results.params.to_numpy()[fitted.order] - beta) / errors, 0.0, atol=1e-6)
    assert_allclose(results.bse.to_numpy()[fitted.order], errors, rtol=1e-6)
    covariance = results.cov_params().to_numpy()[np.ix_(fitted.order, fitted.order)]
    assert_allclose((covariance - figures["vcov"]) / np.outer(errors, errors), 0.0, atol=1e-6)


def test_covariance_parameters(fitted):
    expected = fitted.figures["cov_params"]
    errors = np.array([one["se"] for one in expected])
    estimates = np.array([one["estimate"] for one in expected])
    found = covariance_parameters(fitted.results, fitted.figures)
    assert_allclose((found - estimates) / errors, 0.0, atol=1e-6)
    assert_allclose(covariance_parameters_errors(fitted.results, fitted.figures), errors, rtol=1e-6)


def test_satterthwaite(fitted):
    expected = [one["satterthwaite"]["df"] for one in fitted.figures["fixed"]]
    assert_allclose(fitted.results.tidy()["df"].to_numpy()[fitted.order], expected, rtol=1e-6)
    for test in fitted.figures["type3_tests"]:
        assert_test(fitted, test["L"], test["satterthwaite"], "satterthwaite")


@pytest.mark.parametrize("fitted", RESTRICTED, indirect=True)
@pytest.mark.parametrize("rule", RULES)
def test_kenward_roger(fitted, rule):
    figures = fitted.figures
    name, information = RULES[rule]
    table = fitted.results.with_df_method(name, information=information).tidy()
    for column, key in (("se", "se"), ("df", "df"), ("statistic", "t")):
        expected = [one[rule][key] for one in figures["fixed"]]
        assert_allclose(table[column].to_numpy()[fitted.order], expected, rtol=1e-5)
    if information == "observed":
        for test in figures["type3_tests"]:
            assert_test(fitted, test["L"], test[rule], name)


@pytest.mark.parametrize("fitted", WITH_SANDWICH, indirect=True)
def test_sandwich(fitted):
    subject = fitted.figures["subject"]
    found = robust_covariance(fitted.results, kind="CR0", cluster=subject)
    covariance = np.asarray(found.covariance)[np.ix_(fitted.order, fitted.order)]
    assert_allclose(covariance, fitted.figures["sandwich_vcov"], rtol=1e-6)


@pytest.mark.parametrize("fitted", ["us_full_reml"], indirect=True)
def test_least_squares_means(fitted):
    for mean in fitted.figures["lsmeans"]:
        row = fitted.results.t_test(fitted.own(mean["L"])).iloc[0]
        found = [row["estimate"], row["se"], row["df"]]
        assert_allclose(found, [mean["estimate"], mean["se"], mean["df"]], rtol=1e-6)


def test_a_likelihood_without_maximum_is_no_estimate(shared):
    """Of these 50 rows, with which SAS does not converge either, two subjects have all visits."""
    one = trial(shared, "us_full_reml")
    first = pd.read_csv(shared / "data" / "fev.csv").head(50)
    rows = one.data[one.data["USUBJID"].isin(first["USUBJID"])].loc[lambda data: data.index < 50]
    with pytest.warns(ConvergenceWarning, match="simpler structure"):
        results = mixedlm(one.figures["formula"], rows, residual=one.text)
    assert not results.converged


def assert_test(fitted: FittedTrial, L: Any, expected: Any, rule: str) -> None:
    """Check the F test of some contrasts."""
    row = fitted.results.wald_test(fitted.own(L), df_method=rule).iloc[0]
    assert row["df_num"] == expected["num_df"]
    assert_allclose(row["df_denom"], expected["den_df"], rtol=1e-5)
    assert_allclose(row["statistic"], expected["F"], rtol=1e-5)
