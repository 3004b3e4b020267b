"""R^-1 as a sum over cliques of rows, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from residual.structured_rows import GROUPS, STRUCTURES, N, learned_rows

from skmixed.residual import AR1, Heterogeneous
from skmixed.residual.cliques import Cliques, find_cliques
from skmixed.residual.learning import learn_residual
from skmixed.residual.precision import Precision
from skmixed.residual.whitening import residual_at

COUNTS = 1.0 + (GROUPS % 3)
WITH_CORRELATIONS = [name for name in STRUCTURES if "known" not in name]


def precision_of(name: str, counts=None) -> tuple[Precision, list[Cliques], np.ndarray]:
    learned, rows = learned_rows(STRUCTURES[name])
    cliques = find_cliques(learned, rows, 10**6)
    assert cliques is not None
    rho = np.random.default_rng(2).uniform(-0.6, 0.6, learned.n_parameters)
    return Precision(learned, cliques, counts), cliques, rho


def dense(cliques: list[Cliques], coefficients: np.ndarray) -> np.ndarray:
    """Add up the K of all cliques."""
    whole, start = np.zeros((N, N)), 0
    for one in cliques:
        s, t = one.entries
        own = coefficients[start : start + one.n_classes].reshape(one.n_patterns, -1)
        for rows, pattern in zip(one.rows, one.pattern, strict=True):
            K = np.zeros((len(rows), len(rows)))
            K[s, t] = K[t, s] = own[pattern]
            whole[np.ix_(rows, rows)] += K
        start += one.n_classes
    return whole


@pytest.mark.parametrize("name", WITH_CORRELATIONS)
def test_cliques_add_up_to_the_inverse(name):
    precision, cliques, rho = precision_of(name, COUNTS)
    at = precision.at(rho)
    residual = residual_at(*learned_rows(STRUCTURES[name]), rho, COUNTS)
    white = residual.apply(np.eye(N))
    assert_allclose(dense(cliques, at.coefficients), white @ white.T, rtol=1e-9, atol=1e-11)
    assert at.log_determinant == pytest.approx(residual.log_determinant, rel=1e-11)


@pytest.mark.parametrize("name", WITH_CORRELATIONS)
def test_derivatives_of_the_coefficients(name):
    precision, _, rho = precision_of(name, COUNTS)
    at = precision.at(rho)
    weights = np.random.default_rng(3).normal(size=len(at.coefficients))
    steps = 1e-5 * np.eye(len(rho))
    pairs = [(precision.at(rho + h), precision.at(rho - h)) for h in steps]

    def total(one):
        return weights @ one.coefficients + one.log_determinant

    def differences(function):
        return np.array([(function(a) - function(b)) / 2e-5 for a, b in pairs])

    jacobian = at.jacobian()
    assert_allclose(jacobian, differences(lambda one: one.coefficients), rtol=1e-6, atol=1e-6)
    gradient = at.gradient(weights)
    assert_allclose(gradient, differences(total), rtol=1e-6, atol=1e-6)
    hessian = at.hessian(weights, jacobian)
    assert_allclose(hessian, hessian.T, rtol=1e-12, atol=1e-12)
    expected = differences(lambda one: one.gradient(weights))
    assert_allclose(hessian, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_a_regular_series_has_four_classes():
    time, groups = np.tile(np.arange(50), 3), np.repeat(np.arange(3), 50)
    columns = {"time": time, "late": time >= 48}
    for structure, n_classes in (
        (AR1("time"), 4),
        # First rows, and steps among early rows, among late ones and between them.
        (AR1("time") * Heterogeneous("late"), 10),
        (Heterogeneous("late"), 2),
    ):
        learned = learn_residual(structure, columns, groups)
        cliques = find_cliques(learned, learned.rows(columns, groups), 100)
        assert cliques is not None
        assert sum(one.n_classes for one in cliques) == n_classes


def test_groups_of_one_row_have_no_pairs():
    columns = {"time": np.zeros(4, dtype=int)}
    learned = learn_residual(AR1("time"), columns, np.arange(4))
    cliques = find_cliques(learned, learned.rows(columns, np.arange(4)), 100)
    assert cliques is not None
    at = Precision(learned, cliques, None).at(np.array([0.3]))
    assert_allclose(at.coefficients, 1.0)
    assert_allclose(at.jacobian(), 0.0)
    assert_allclose(at.hessian(np.ones(1), at.jacobian()), 0.0)
    assert at.log_determinant == 0.0


def test_the_order_of_rows_is_found_without_sorting_where_they_are_in_order():
    groups, time = np.repeat([0, 1], 3), np.tile([0, 2, 5], 2)
    learned = learn_residual(AR1("t"), {"t": time}, groups)
    for order in (np.arange(6), np.array([3, 0, 4, 5, 2, 1]), np.array([0, 2, 1, 3, 4, 5])):
        grouped = learned.rows({"t": time[order]}, groups[order]).grouped
        assert grouped is not None
        assert list(order[grouped.order]) == list(range(6))
