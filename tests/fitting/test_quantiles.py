"""Quartiles against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.fitting.assemble import quartiles


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 101, 1000])
def test_quartiles_are_those_of_r_type_7(n):
    values = np.random.default_rng(n).normal(size=n)
    expected = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    assert_allclose(quartiles(values.copy()), expected, rtol=1e-14)


def test_ties():
    assert_allclose(quartiles(np.array([1.0, 1.0, 2.0, 2.0])), [1, 1, 1.5, 2, 2])
