"""Every linear case of the shared references with one grouping factor, against R."""

from __future__ import annotations

import pytest

from .cases import ONE_FACTOR
from .checks import assert_agreement, assert_same_fit, assert_same_model
from .reference import fit_estimator, one_factor_names, shared_case


@pytest.fixture(scope="module", params=ONE_FACTOR)
def case(request, shared):
    return shared_case(shared, request.param)


def test_no_case_is_left_out(shared):
    assert len(ONE_FACTOR) == 67
    assert one_factor_names(shared) == set(ONE_FACTOR)


def test_model(case, fitted):
    assert_same_model(case, fitted)


def test_figures(case, fitted):
    assert_agreement(case, fitted)


def test_estimator(case, fitted):
    assert_same_fit(fit_estimator(case).lmm_fit_, fitted.results.fit)
