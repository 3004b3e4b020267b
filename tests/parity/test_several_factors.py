"""The ways to say a model of several factors, and models that only look like it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm

from .checks import assert_same_fit
from .names import factor_key, matching
from .reference import bundled_case, fit_case, shared_case

NURSES = ["nurses_slash", "nurses_hierach", "nurses_hierach2", "nurses_nested"]


@pytest.mark.parametrize("name", NURSES[1:])
def test_spellings_of_nested_factors_agree(shared, name):
    """Levels sort by their labels, which differ: the wards are compared row by row."""
    first, other = (fit_case(shared_case(shared, one)).results for one in (NURSES[0], name))
    assert_allclose(other.llf, first.llf, rtol=1e-12)
    assert_allclose(other.params, first.params, rtol=1e-8)
    assert_allclose(other.bse, first.bse, rtol=1e-8)
    assert_allclose(other.theta, first.theta, rtol=1e-8)
    assert_allclose(other.sigma, first.sigma, rtol=1e-8)
    assert_allclose(other.fittedvalues, first.fittedvalues, atol=1e-8 * first.sigma)
    assert_allclose(
        other.random_effects["hospital"], first.random_effects["hospital"], atol=1e-8 * first.sigma
    )


def test_labels_that_repeat_in_every_hospital_are_another_model(shared):
    """Wards 1 to 4 of every hospital are taken for four wards in all."""
    right, wrong = (
        fit_case(shared_case(shared, one)).results for one in ("nurses_nested", "nurses_wrong")
    )
    assert right.n_groups == {"wardid": 100, "hospital": 25}
    assert wrong.n_groups == {"hospital": 25, "ward": 4}
    assert right.llf - wrong.llf > 100.0
    assert wrong.is_singular
    assert not right.is_singular


def test_nested_factors_of_nlme(shared):
    """The tests of a split-plot fit by nlme hold its estimates and standard errors."""
    case, theirs = (shared_case(shared, name) for name in ("oats_int", "oats_lme"))
    results, table = fit_case(case).results, theirs.figures["ttable"]
    order = matching(results.params.index, table)
    errors = np.array([row["se"] for row in table.values()])
    estimates = np.array([row["estimate"] for row in table.values()])
    assert_allclose(results.params.iloc[order], estimates, rtol=1e-6)
    assert_allclose(results.bse.iloc[order], errors, rtol=1e-4)
    assert_allclose(results.llf, theirs.figures["loglik"], rtol=1e-9)
    assert_allclose(results.aic, theirs.figures["AIC"], rtol=1e-9)


WAYS = {
    "pastes_nested": ["batch/cask", ["batch", "batch:cask"], ["batch", "sample"]],
    "pastes_two_columns": [["sample", "batch"], ["batch/cask"]],
    "pastes_three": [["batch/cask", "cask"], ["cask", "batch", "batch:cask"]],
    "penicillin": [["plate", "sample"], ["sample", "plate"]],
    "sleep_crossed": [["Subject", "Days"]],
}


@pytest.mark.parametrize(
    ("name", "groups"), [(name, way) for name, ways in WAYS.items() for way in ways]
)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_columns_of_labels(name, groups):
    case = bundled_case(name)
    response = case.formula.partition(" ~ ")[0]
    model = MixedLM(groups, method=case.method)
    columns = list({column: 0 for factor in model_columns(groups) for column in factor})
    model.fit(case.data[columns], case.data[response])
    assert_same_fit(model.lmm_fit_, fit_case(case).results.fit)


@pytest.mark.parametrize("name", ["penicillin", "pastes_two_columns", "sleep_crossed"])
def test_labels_beside_the_columns(name):
    case = bundled_case(name)
    results = fit_case(case).results
    labels = case.data[list(results.n_groups)]
    nothing = np.empty((len(labels), 0))
    model = MixedLM(method=case.method)
    model.fit(nothing, case.data[case.formula.partition(" ~ ")[0]], groups=labels)
    assert_same_fit(model.lmm_fit_, results.fit)
    assert list(model.random_effects_) == list(results.random_effects)


def test_factor_of_several_terms_is_listed_once(shared):
    case = shared_case(shared, "form_uncorr_crossed")
    results = fit_case(case).results
    together = mixedlm("y ~ x + (x || site) + (1 | item)", case.data)
    assert_same_fit(together.fit, results.fit)
    assert list(results.random_effects) == ["item", "site"]
    assert list(results.random_effects["site"]) == ["Intercept", "x"]


def model_columns(groups):
    """Return the columns that each factor names."""
    factors = [groups] if isinstance(groups, str) else groups
    return [factor_key(factor.replace("/", ":")) for factor in factors]
