"""Models with a residual structure against nlme and glmmTMB, on bundled data and shared ones."""

from __future__ import annotations

import pytest

from .cases import RESIDUAL
from .checks import assert_same_fit
from .reference import bundled_case, bundled_names, fit_estimator, shared_names
from .residual_cases import RESIDUAL_QUANTITIES, in_our_units, residual_case
from .residual_words import residual_of


@pytest.fixture(scope="module", params=[*bundled_names("nlme"), *RESIDUAL])
def case(request):
    if request.param in RESIDUAL:
        return residual_case(request.getfixturevalue("shared"), request.param)
    return in_our_units(bundled_case(request.param))


def test_no_case_is_left_out(shared):
    assert len(RESIDUAL) == 22
    structured = shared_names(shared, lambda figures: residual_of(figures) is not None)
    assert structured == set(RESIDUAL)


def test_model(case, fitted):
    results, figures = fitted.results, case.figures
    assert results.nobs == figures["n"]
    assert results.fit.n_parameters == figures["npar"]
    assert results.n_groups == figures.get("ngroups", {})
    assert results.converged
    assert not fitted.warnings


def test_figures(case, fitted):
    known = [quantity for quantity in RESIDUAL_QUANTITIES if quantity.known(case)]
    differences = {quantity: quantity.difference(case, fitted) for quantity in known}
    assert len(known) >= 10
    assert not {
        quantity.name: f"{difference:.2e} > {quantity.tolerance:.0e}"
        for quantity, difference in differences.items()
        if not difference <= quantity.tolerance
    }


def test_estimator(case, fitted):
    model = fit_estimator(case)
    assert_same_fit(model.lmm_fit_, fitted.results.fit)
    assert model.lmm_fit_.residual.parameters == pytest.approx(
        fitted.results.residual_parameters, rel=1e-8
    )
