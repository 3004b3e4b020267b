"""Differences of log-gamma functions, against sums that are exact for whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from skmixed.families.gamma_functions import (
    digamma_excess,
    log_gamma_excess,
    log_rising,
    polygamma_rise,
)

SIZES = np.array([1e-30, 0.01, 0.7, 5.0, 19.99, 20.01, 300.0, 1e6, 1e12, 1e40])


@pytest.mark.parametrize("y", [0, 1, 2, 17, 400])
def test_rises_are_sums_over_whole_steps(y: int) -> None:
    j = np.arange(y)[:, None]
    count = np.full_like(SIZES, y)
    assert_allclose(
        log_rising(SIZES, count), np.log1p(j / SIZES).sum(axis=0), rtol=1e-11, atol=1e-13 * (1 + y)
    )
    factors = (1.0, -1.0, 2.0)
    for order, factor in enumerate(factors):
        terms = factor / (SIZES + j) ** (order + 1)
        rise = polygamma_rise(order, SIZES, count)
        assert_allclose(rise, terms.sum(axis=0), rtol=1e-11)


def test_excesses_over_the_leading_terms() -> None:
    x = np.array([1e-3, 1.0, 19.9, 20.1, 50.0])
    assert_allclose(log_gamma_excess(x), special.gammaln(x) - x * np.log(x) + x, atol=1e-12)
    assert_allclose(digamma_excess(x), special.digamma(x) - np.log(x), atol=1e-14)
    huge = np.array([1e9, 1e60])
    assert_allclose(log_gamma_excess(huge), 0.5 * np.log(2.0 * np.pi / huge), rtol=1e-9)
    assert_allclose(digamma_excess(huge), -0.5 / huge, rtol=1e-9)
