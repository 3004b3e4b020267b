"""The search on hand-made objectives: quadratics, valleys, saddles, flats and a pole."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.fitting.optimise import minimise


def objective(value, gradient, hessian, seen=None):
    """Make what the search asks for of three functions of theta."""

    def evaluate(theta: np.ndarray) -> Any:
        if seen is not None:
            seen.append(theta)
        return SimpleNamespace(
            theta=theta,
            value=float(value(theta)),
            gradient=np.asarray(gradient(theta), dtype=float),
            hessian=np.asarray(hessian(theta), dtype=float),
            solution=SimpleNamespace(nu=1.0),
        )

    return evaluate


def rosenbrock():
    return objective(
        lambda t: 100 * (t[1] - t[0] ** 2) ** 2 + (1 - t[0]) ** 2,
        lambda t: [-400 * t[0] * (t[1] - t[0] ** 2) - 2 * (1 - t[0]), 200 * (t[1] - t[0] ** 2)],
        lambda t: [[1200 * t[0] ** 2 - 400 * t[1] + 2, -400 * t[0]], [-400 * t[0], 200]],
    )


def test_a_quadratic_needs_one_step():
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])
    target = np.array([0.5, -0.25])
    search = minimise(
        objective(
            lambda t: (t - target) @ matrix @ (t - target) / 2,
            lambda t: matrix @ (t - target),
            lambda _: matrix,
        ),
        np.zeros(2),
        tol=1e-8,
        max_iter=20,
    )
    assert search.converged
    assert search.n_iter == 2
    assert_allclose(search.at.theta, target, rtol=1e-12)
    assert search.scaled_gradient <= 1e-8


def test_a_curved_valley():
    search = minimise(rosenbrock(), np.array([-1.2, 1.0]), tol=1e-8, max_iter=200)
    assert search.converged
    assert_allclose(search.at.theta, 1.0, atol=1e-7)


def test_the_objective_never_increases():
    values = []
    inner = rosenbrock()

    def watched(theta):
        at = inner(theta)
        values.append(at.value)
        return at

    search = minimise(watched, np.array([-1.2, 1.0]), tol=1e-8, max_iter=200)
    assert search.at.value <= min(values) + 1e-12


@pytest.mark.parametrize("start", [(0.0, 0.0), (1e-9, 0.0), (0.0, 0.5)])
def test_a_saddle_is_left(start):
    """The function x^4 / 4 - x^2 / 2 + y^2 has a saddle at 0, minima at (-1, 0) and (1, 0)."""
    search = minimise(
        objective(
            lambda t: t[0] ** 4 / 4 - t[0] ** 2 / 2 + t[1] ** 2,
            lambda t: [t[0] ** 3 - t[0], 2 * t[1]],
            lambda t: [[3 * t[0] ** 2 - 1, 0], [0, 2]],
        ),
        np.array(start),
        tol=1e-8,
        max_iter=50,
    )
    assert search.converged
    assert_allclose(np.abs(search.at.theta), [1.0, 0.0], atol=1e-7)


def test_a_minimum_without_curvature_is_reached():
    """The objective of a variance of 0 in its standard deviation: f = x^4, flat to third order."""
    search = minimise(
        objective(lambda t: t[0] ** 4, lambda t: [4 * t[0] ** 3], lambda t: [[12 * t[0] ** 2]]),
        np.array([1.0]),
        tol=1e-6,
        max_iter=100,
    )
    assert search.converged
    assert abs(search.at.theta[0]) < 1e-2


def test_a_flat_direction_is_left_alone():
    search = minimise(
        objective(
            lambda t: (t[0] - 1) ** 2, lambda t: [2 * (t[0] - 1), 0], lambda _: np.diag([2, 0])
        ),
        np.array([3.0, 5.0]),
        tol=1e-8,
        max_iter=20,
    )
    assert search.converged
    assert_allclose(search.at.theta, [1.0, 5.0], atol=1e-7)


def test_max_iter_is_kept_and_said():
    seen = []
    inner = rosenbrock()
    search = minimise(
        lambda t: (seen.append(t), inner(t))[1], np.array([-1.2, 1.0]), tol=1e-8, max_iter=5
    )
    assert not search.converged
    assert search.n_iter == len(seen) == 5
    assert "max_iter=5" in search.message
    assert search.scaled_gradient > 1e-8


def test_a_pole_has_no_optimum():
    """The objective falls without bound, and is -inf where the residual variance vanishes."""
    search = minimise(
        objective(
            lambda t: math.log(1 - t[0]) if t[0] < 0.999 else -math.inf,
            lambda t: [-1 / max(1 - t[0], 1e-3)],
            lambda t: [[-1 / max(1 - t[0], 1e-3) ** 2]],
        ),
        np.array([0.0]),
        tol=1e-8,
        max_iter=200,
    )
    assert not search.converged
    assert "no optimum exists" in search.message


def test_steps_are_shortened_until_they_lead_downhill():
    """Newton's own steps on sqrt(1 + x^2) diverge from |x| > 1."""
    search = minimise(
        objective(
            lambda t: math.sqrt(1 + t[0] ** 2),
            lambda t: [t[0] / math.sqrt(1 + t[0] ** 2)],
            lambda t: [[(1 + t[0] ** 2) ** -1.5]],
        ),
        np.array([10.0]),
        tol=1e-10,
        max_iter=100,
    )
    assert search.converged
    assert_allclose(search.at.theta, 0.0, atol=1e-8)
