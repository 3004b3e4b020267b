"""Every linear case of the shared references against R."""

from __future__ import annotations

import pytest

from .cases import LARGE, ONE_FACTOR, SEVERAL_FACTORS, STRUCTURED
from .checks import assert_agreement, assert_same_fit, assert_same_model
from .comparison import term_order
from .reference import fit_estimator, linear_names, shared_case

CASES = (
    *ONE_FACTOR,
    *SEVERAL_FACTORS,
    *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE),
)


@pytest.fixture(scope="module", params=CASES)
def case(request, shared):
    return shared_case(shared, request.param)


def test_no_case_is_left_out(shared):
    assert (len(ONE_FACTOR), len(SEVERAL_FACTORS), len(LARGE)) == (67, 26, 3)
    assert linear_names(shared) == {*ONE_FACTOR, *SEVERAL_FACTORS, *STRUCTURED, *LARGE}


def test_model(case, fitted):
    assert_same_model(case, fitted)


def test_figures(case, fitted):
    assert_agreement(case, fitted)


def test_estimator(case, fitted):
    assert_same_fit(fit_estimator(case).lmm_fit_, fitted.results.fit)


def test_order_of_the_terms(case, fitted):
    """lme4 sorts terms by decreasing number of levels, and reverses those of equal number."""
    expected = [0, 2, 1] if case.name == "form_uncorr_crossed" else sorted(term_order(case, fitted))
    assert term_order(case, fitted) == expected
