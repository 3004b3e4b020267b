"""What random probes tell of an inverse and a determinant: on average, the truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import logm

from skmixed.likelihood.cells import cell_products
from skmixed.likelihood.crossed_columns import CrossedColumns
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.schur import SchurSystem
from skmixed.likelihood.single_factor import SingleFactorKernel
from skmixed.likelihood.stochastic import (
    InverseEstimate,
    estimate_inverse,
    every_direction,
    random_probes,
)

LEVELS = (60, 40)
# Standard errors that a Monte-Carlo mean may be off.
WIDE = 4.0


@pytest.fixture(scope="module")
def system() -> SchurSystem:
    """Two factors with an intercept and a slope, few of whose levels meet often."""
    rng = np.random.default_rng(0)
    n = 300
    codes = [rng.integers(0, levels, n) for levels in LEVELS]
    Z = np.vstack([np.ones(n), rng.normal(size=n)])
    A = np.vstack([np.ones(n), rng.normal(size=n)])
    products = CrossProducts(
        n,
        0.0,
        A @ A.T,
        tuple(factor_products(Z, A, codes[j], LEVELS[j]) for j in range(2)),
        {(0, 1): cell_products(Z, codes[0], LEVELS[0], Z, codes[1], LEVELS[1])},
    )
    R = SingleFactorKernel(products.of_factors([0])).R
    factors = [np.array([[0.8, 0.0], [0.2, 0.5]]), np.array([[1.5, 0.0], [-0.3, 0.7]])]
    return SchurSystem.at(CrossedColumns(products), R, factors)


@pytest.fixture(scope="module")
def matrix(system) -> np.ndarray:
    return system.multiply(np.eye(system.columns.length))


def replicated(inverse: InverseEstimate, weights: np.ndarray):
    """Return the trace of the inverse with a matrix, estimated, and of each replicate."""
    sums = np.einsum("nm,nk,km->m", inverse.right, weights, inverse.left)
    mean, replicates = inverse.replicated(sums[:, None])
    return weights.trace() + mean[0], weights.trace() + replicates[:, 0]


def assert_centred(replicates: np.ndarray, truth: float) -> None:
    error = replicates.std(ddof=1) / np.sqrt(len(replicates))
    assert abs(replicates.mean() - truth) < WIDE * error


def test_traces_are_unbiased(system, matrix):
    inverse = estimate_inverse(system, random_probes(system.columns.shapes, 1000))
    weights = np.random.default_rng(2).normal(size=matrix.shape)
    mean, replicates = replicated(inverse, weights)
    assert_allclose(mean, replicates.mean(), rtol=1e-12)
    assert_centred(replicates, np.trace(np.linalg.solve(matrix, weights)))


def test_the_log_determinant_is_unbiased(system, matrix):
    inverse = estimate_inverse(system, random_probes(system.columns.shapes, 1000))
    assert_centred(inverse.log_determinants, np.linalg.slogdet(matrix)[1])


def test_every_direction_is_exact(system, matrix):
    inverse = estimate_inverse(system, every_direction(len(matrix)))
    weights = np.random.default_rng(3).normal(size=matrix.shape)
    mean, _ = replicated(inverse, weights)
    assert_allclose(mean, np.trace(np.linalg.solve(matrix, weights)), atol=1e-3)
    assert_allclose(inverse.log_determinants.mean(), np.linalg.slogdet(matrix)[1], rtol=1e-9)


def test_control_variates_leave_little_to_chance(system, matrix):
    """Plain probes, z'f(M)z, spread more."""
    inverse = estimate_inverse(system, random_probes(system.columns.shapes, 400))
    probes = random_probes(system.columns.shapes, 400)
    plain = np.einsum("nm,nm->m", probes.columns, logm(matrix).real @ probes.columns)
    assert probes.mean(plain).std() > 3.0 * inverse.log_determinants.std()
    plain = np.einsum("nm,nm->m", probes.columns, np.linalg.solve(matrix, probes.columns))
    _, controlled = replicated(inverse, np.eye(len(matrix)))
    assert probes.mean(plain).std() > 1.5 * controlled.std()


def test_probes_are_the_same_every_time(system):
    first, again = (random_probes(system.columns.shapes) for _ in range(2))
    assert np.array_equal(first.columns, again.columns)


def test_probes_are_signs_in_one_effect_each(system):
    probes = random_probes(system.columns.shapes, 5)
    (k, n_levels), m = system.columns.shapes[0], probes.columns.shape[1]
    by_effect = np.abs(probes.columns).reshape(k, n_levels, m)
    assert m == 5 * k
    assert np.array_equal(by_effect.any(axis=1).sum(axis=0), np.ones(m))
    assert_allclose(by_effect.max(axis=(0, 1)), np.sqrt(k))


def test_some_directions_are_solved_exactly(system, matrix):
    """Few probes are enough for what they span."""
    inverse = estimate_inverse(system, random_probes(system.columns.shapes, 2))
    Q = system.exact_directions()
    assert_allclose(Q.T @ Q, np.eye(Q.shape[1]), atol=1e-12)
    low_rank = inverse.low_rank
    assert_allclose(Q.T @ low_rank @ low_rank.T @ Q, Q.T @ np.linalg.solve(matrix, Q), rtol=1e-8)
