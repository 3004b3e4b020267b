"""The smooth line through a cloud of points."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.nonparametric.smoothers_lowess import lowess

from skmixed.plots.drawing.residuals import local_regression


@pytest.mark.parametrize("span", [2.0 / 3.0, 0.4])
def test_agrees_with_lowess(span):
    rng = np.random.default_rng(3)
    x = rng.uniform(-2.0, 2.0, size=90)
    y = np.sin(x) + 0.3 * rng.normal(size=90)
    at = np.linspace(x.min(), x.max(), 17)
    expected = lowess(y, x, frac=span, it=0, xvals=at)
    assert_allclose(local_regression(x, y, at, span=span), expected, rtol=1e-10)


def test_lines_are_kept():
    x = np.random.default_rng(4).normal(size=50)
    at = np.linspace(-1.0, 1.0, 5)
    assert_allclose(local_regression(x, 3.0 - 2.0 * x, at), 3.0 - 2.0 * at)


def test_units_do_not_matter():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 60))
    at = np.linspace(-1.0, 1.0, 7)
    plain = local_regression(x, y, at)
    scaled = local_regression(1e-6 * x + 3.0, 1e8 * y, 1e-6 * at + 3.0)
    assert_allclose(scaled / 1e8, plain, atol=1e-7)


@pytest.mark.parametrize("n", [1, 2, 20])
def test_equal_places(n):
    y = np.arange(n, dtype=float)
    assert_allclose(local_regression(np.ones(n), y, np.array([1.0])), y.mean())
