"""Models of the bundled data against lme4 and glmmTMB; nothing outside the repository is needed."""

from __future__ import annotations

import pytest

from .checks import assert_agreement, assert_same_fit, assert_same_model
from .reference import bundled_case, bundled_names, fit_estimator


@pytest.fixture(scope="module", params=bundled_names("lme4", "glmmTMB"))
def case(request):
    return bundled_case(request.param)


def test_model(case, fitted):
    assert_same_model(case, fitted)


def test_figures(case, fitted):
    assert_agreement(case, fitted)


def test_estimator(case, fitted):
    assert_same_fit(fit_estimator(case).lmm_fit_, fitted.results.fit)
