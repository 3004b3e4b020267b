"""Small matrices of all groups at once against one matrix at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.likelihood import batched


def positive_definite(k, n_groups=6):
    roots = np.random.default_rng(k).normal(size=(n_groups, k, k))
    return roots @ roots.swapaxes(1, 2) + 0.1 * np.eye(k)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_cholesky_equals_lapack(k):
    matrices = positive_definite(k)
    factor = batched.cholesky_over_groups(np.moveaxis(matrices, 0, -1))
    assert_allclose(np.moveaxis(factor, -1, 0), np.linalg.cholesky(matrices), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_triangular_solves(k):
    factor = np.linalg.cholesky(positive_definite(k))
    columns = np.random.default_rng(0).normal(size=(6, k, 4))
    layout = np.moveaxis(factor, 0, -1)
    solved = batched.solve_lower_over_groups(layout, np.transpose(columns, (2, 1, 0)).copy())
    assert_allclose(solved.transpose(2, 1, 0), np.linalg.solve(factor, columns), rtol=1e-8)
    solved = batched.solve_lower_transposed_over_groups(
        layout, np.transpose(columns, (2, 1, 0)).copy()
    )
    expected = np.linalg.solve(factor.swapaxes(1, 2), columns)
    assert_allclose(solved.transpose(2, 1, 0), expected, rtol=1e-8)


@pytest.mark.parametrize("counts", [None, np.array([1.0, 2.0, 0.0, 3.0, 1.0, 1.0])])
def test_sums_of_outer_products(counts):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(3, 2, 6)), rng.normal(size=(4, 2, 6))
    weights = np.ones(6) if counts is None else counts
    expected = np.einsum("akg,bkg,g->ab", left, right, weights)
    assert_allclose(batched.sum_of_outer_products(left, right, counts), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [1.0, 1e4, 1e9, 1e12])
def test_pivots_beside_the_identity_keep_their_1(size):
    """Of rows that are the same, all but the first have their pivots from the identity."""
    rows = size * np.ones((3, 3, 4)) * np.arange(1.0, 5.0)
    t = np.square(rows[0]).sum(axis=0)
    pivots = np.einsum("jjg->jg", batched.triangle_beside_identity(rows))
    expected = [np.sqrt((1.0 + (j + 1.0) * t) / (1.0 + j * t)) for j in range(3)]
    assert_allclose(pivots, expected, rtol=1e-3)
