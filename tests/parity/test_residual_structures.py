"""Every model with a residual structure of the shared references against nlme and glmmTMB."""

from __future__ import annotations

import pytest

from .cases import RESIDUAL
from .checks import assert_same_fit
from .reference import fit_estimator, shared_names
from .residual_cases import RESIDUAL_QUANTITIES, residual_case
from .residual_words import residual_of


@pytest.fixture(scope="module", params=RESIDUAL)
def case(request, shared):
    return residual_case(shared, request.param)


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
