"""Generalised models against glmer and glmmTMB, on simulated data and on shared ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.inference import likelihood_ratio_test

from .generalised_cases import (
    BY_TWIN,
    GENERALISED,
    fit_generalised,
    fixture_case,
    fixture_names,
    generalised_case,
    is_generalised,
)
from .generalised_comparison import GENERALISED_QUANTITIES
from .names import factor_key, matching
from .reference import read_json, shared_names


@pytest.fixture(scope="module", params=[*fixture_names(), *GENERALISED])
def case(request):
    if request.param in GENERALISED:
        return generalised_case(request.getfixturevalue("shared"), request.param)
    return fixture_case(request.param)


@pytest.fixture(scope="module")
def fitted(case):
    return fit_generalised(case)


def test_no_case_is_left_out(shared):
    assert {*GENERALISED, *BY_TWIN} == shared_names(shared, is_generalised)


def test_model(case, fitted):
    results, figures = fitted.results, case.figures
    assert results.nobs == figures["n"]
    counts = {factor_key(name): count for name, count in results.n_groups.items()}
    assert counts == {factor_key(name): count for name, count in figures["ngroups"].items()}
    assert results.fit.n_parameters == figures["npar"]
    assert results.df_resid == figures["df_resid"]
    assert results.converged
    assert not results.is_singular
    assert not fitted.warnings


def test_figures(case, fitted):
    known = [quantity for quantity in GENERALISED_QUANTITIES if quantity.known(case)]
    assert len(known) >= 10
    differences = {quantity: quantity.difference(case, fitted) for quantity in known}
    assert not {
        quantity.name: f"{difference:.2e} > {quantity.tolerance:.0e}"
        for quantity, difference in differences.items()
        if not difference <= quantity.tolerance
    }


@pytest.mark.parametrize("name", BY_TWIN)
def test_expected_curvature_is_another_approximation(shared, name):
    """Estimates by glmer are within a tenth of a standard error of ours, but not the same."""
    theirs, twin = figures_of(shared, name), generalised_case(shared, BY_TWIN[name])
    assert theirs["link"] == twin.figures["link"] != "logit"
    results = fit_generalised(twin).results
    order = matching(results.params.index, theirs["fixef"])
    errors = np.array(list(theirs["se"].values()))
    distance = np.abs(results.params.to_numpy()[order] - list(theirs["fixef"].values())) / errors
    assert 1e-5 < distance.max() < 0.1
    assert 0.01 < results.llf - theirs["loglik"] < 0.2


def test_anova(shared):
    """The comparison of two models of the cows by glmer's anova."""
    small, large = (
        fit_generalised(generalised_case(shared, name)).results for name in ("cbpp_null", "cbpp")
    )
    expected = figures_of(shared, "cbpp_anova")["table"]["cbpp"]
    found = likelihood_ratio_test(small, large).iloc[1]
    assert found["df"] == expected["df"]
    assert_allclose(found["statistic"], expected["chisq"], rtol=1e-6)
    assert_allclose(found["p_value"], expected["p"], rtol=1e-5)


def figures_of(folder, name):
    """Return what R gives for a case."""
    return read_json(folder / "reference" / "reference.json")["cases"][name]
