"""Autoregression finds the same correlations in any unit of time."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.datasets import load_orthodont
from skmixed.residual import AR1


@pytest.mark.parametrize("years", [1, 2, 12], ids=str)
def test_gaps_between_all_times(years):
    """Children are measured every other year: phi = 0 is no place to start from."""
    data = load_orthodont()
    data["time"] = years * data["age"]
    formula = "distance ~ C(age) * Sex"
    results = mixedlm(formula, data, residual=AR1("time", group="Subject"))
    data["time"] = data["age"] // 2
    expected = mixedlm(formula, data, residual=AR1("time", group="Subject"))
    assert_allclose(results.llf, expected.llf, rtol=1e-10)
    phi = results.residual_parameters["phi"] ** (2 * years)
    assert_allclose(phi, expected.residual_parameters["phi"], rtol=1e-6)
