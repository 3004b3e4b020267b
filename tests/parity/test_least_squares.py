"""Models without random effects against R's ``lm``."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import NoGroupsWarning, mixedlm

from .cases import LEAST_SQUARES
from .names import matching
from .reference import python_formula, shared_case


@pytest.fixture(scope="module", params=LEAST_SQUARES)
def case(request, shared):
    return shared_case(shared, request.param)


def fit(case, method):
    with pytest.warns(NoGroupsWarning):
        return mixedlm(python_formula(case.figures["formula"], case.data), case.data, method=method)


def test_coefficients(case):
    # lm's standard errors and sigma divide by n - p, as REML does.
    results, table = fit(case, "reml"), case.figures["coef"]
    order = matching(results.params.index, table)
    expected = np.array([[row["estimate"], row["se"], row["t"]] for row in table.values()])
    assert len(order) == len(results.params)
    assert_allclose(results.params.iloc[order], expected[:, 0], rtol=1e-9)
    assert_allclose(results.bse.iloc[order], expected[:, 1], rtol=1e-9)
    assert_allclose(results.tvalues.iloc[order], expected[:, 2], rtol=1e-9)
    assert_allclose(results.sigma, case.figures["sigma"], rtol=1e-9)


def test_criteria(case):
    # lm's log-likelihood is the maximum, not the restricted one.
    results, figures = fit(case, "ml"), case.figures
    expected = [figures["loglik"], figures["AIC"], figures["BIC"]]
    assert_allclose([results.llf, results.aic, results.bic], expected, rtol=1e-12)
    assert results.nobs == figures["n"]


def test_restricted_likelihood(shared):
    """Without a structure, gls is least squares with lme's restricted likelihood."""
    case = shared_case(shared, "orth_gls")
    results, figures = fit(case, "reml"), case.figures
    assert_allclose(results.llf, figures["loglik"], rtol=1e-12)
    assert_allclose(results.aic, figures["AIC"], rtol=1e-12)
    assert_allclose(results.sigma, figures["sigma"], rtol=1e-12)
    order = matching(results.params.index, figures["se"])
    assert_allclose(results.bse.iloc[order], [*figures["se"].values()], rtol=1e-9)
    assert_allclose(results.fittedvalues[:10], figures["fitted10"], rtol=1e-12)
