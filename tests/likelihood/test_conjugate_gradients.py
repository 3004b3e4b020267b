"""Conjugate gradients against solves and functions of the matrix itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import logm

from skmixed.likelihood.conjugate_gradients import conjugate_gradients


@pytest.fixture
def matrix() -> np.ndarray:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(40, 60))
    return half @ half.T / 20.0 + np.eye(40)


@pytest.fixture
def columns() -> np.ndarray:
    """Columns that need many steps, one step, and none."""
    columns = np.random.default_rng(1).normal(size=(40, 6))
    columns[:, 2] = 0.0
    columns[:, 4] *= 1e6
    return columns


def test_solutions(matrix, columns):
    found = conjugate_gradients(lambda X: matrix @ X, columns, tolerance=1e-12)
    expected = np.linalg.solve(matrix, columns)
    size = np.linalg.norm(columns, axis=0) + (found.squared_norms == 0.0)
    assert_allclose(found.X / size, expected / size, atol=1e-11)
    assert not found.X[:, 2].any()


def test_each_column_is_solved_as_if_it_were_alone(matrix, columns):
    eigenvector = np.linalg.eigh(matrix)[1][:, :1]
    together = conjugate_gradients(
        lambda X: matrix @ X, np.hstack([columns, eigenvector]), tolerance=1e-9
    )
    assert np.isfinite(together.steps[:, -1]).sum() == 1
    for j in (0, 3, 4):
        alone = conjugate_gradients(lambda X: matrix @ X, columns[:, j : j + 1], tolerance=1e-9)
        assert_allclose(alone.X[:, 0], together.X[:, j], rtol=1e-10)


def test_tolerance_is_relative_to_each_column(matrix, columns):
    found = conjugate_gradients(lambda X: matrix @ X, columns, tolerance=1e-4)
    residual = np.linalg.norm(matrix @ found.X - columns, axis=0)
    assert (residual <= 1.01e-4 * np.linalg.norm(columns, axis=0)).all()


def test_quadratic_forms(matrix, columns):
    found = conjugate_gradients(lambda X: matrix @ X, columns, tolerance=1e-10)
    log_forms = np.einsum("nm,nm->m", columns, logm(matrix).real @ columns)
    assert_allclose(found.log_forms(), log_forms, rtol=1e-9, atol=1e-12)
    forms = np.einsum("nm,nm->m", columns, matrix @ columns)
    assert_allclose(found.forms(), forms, rtol=1e-12)


def test_nothing_to_solve(matrix):
    found = conjugate_gradients(lambda X: matrix @ X, np.zeros((40, 2)), tolerance=1e-8)
    assert not found.X.any()
    assert not found.log_forms().any()


def test_too_few_iterations_are_an_error(matrix, columns):
    with pytest.raises(np.linalg.LinAlgError, match=r"3 iterations.*solver='direct'"):
        conjugate_gradients(lambda X: matrix @ X, columns, tolerance=1e-12, max_iter=3)


def test_an_indefinite_matrix_is_an_error(matrix, columns):
    with pytest.raises(np.linalg.LinAlgError, match="indefinite"):
        conjugate_gradients(lambda X: -(matrix @ X), columns, tolerance=1e-12)
