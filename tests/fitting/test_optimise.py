"""The search on hand-made objectives: quadratics, valleys, saddles, flats and a pole."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import nnls

from skmixed.fitting.newton import Optimum, newton_search
from skmixed.fitting.optimise import minimise
from skmixed.likelihood.profiled import ObjectiveValue, PLSSolution

NOTHING = PLSSolution(np.empty(0), np.empty((0, 0)), 1.0, 1.0)


def objective(value, gradient, hessian, seen=None):
    """Make what the search asks for of three functions of theta."""

    def evaluate(theta: np.ndarray) -> Any:
        if seen is not None:
            seen.append(theta)
        return ObjectiveValue(
            theta=theta,
            value=float(value(theta)),
            gradient=np.asarray(gradient(theta), dtype=float),
            hessian=np.asarray(hessian(theta), dtype=float),
            solution=NOTHING,
            whitened=None,
        )

    return evaluate


def rosenbrock(seen=None):
    return objective(
        lambda t: 100 * (t[1] - t[0] ** 2) ** 2 + (1 - t[0]) ** 2,
        lambda t: [-400 * t[0] * (t[1] - t[0] ** 2) - 2 * (1 - t[0]), 200 * (t[1] - t[0] ** 2)],
        lambda t: [[1200 * t[0] ** 2 - 400 * t[1] + 2, -400 * t[0]], [-400 * t[0], 200]],
        seen,
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


def least_squares(seed: int, scale: float = 1.0):
    """Return |A t - b|^2 with a Hessian that is wrong by a factor, and its solution with t >= 0."""
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(12, 5)), 3.0 * rng.normal(size=12)
    fit = objective(
        lambda t: np.sum((A @ t - b) ** 2),
        lambda t: 2.0 * A.T @ (A @ t - b),
        lambda _: scale * 2.0 * A.T @ A,
    )
    return fit, nnls(A, b)[0], np.linalg.lstsq(A, b, rcond=None)[0]


@pytest.mark.parametrize("seed", range(8))
def test_bounds_give_the_solution_of_lawson_and_hanson(seed):
    inner, bounded, _ = least_squares(seed)
    search = minimise(inner, np.ones(5), tol=1e-9, max_iter=50, lower=np.zeros(5))
    assert search.converged
    assert search.n_iter < 20
    assert_allclose(search.at.theta, bounded, atol=1e-8)
    assert (search.at.theta[bounded == 0.0] == 0.0).all()


def test_only_some_parameters_have_bounds():
    inner, _, free = least_squares(4)
    lower = np.full(5, -np.inf)
    search = minimise(inner, np.ones(5), tol=1e-9, max_iter=50, lower=lower)
    assert_allclose(search.at.theta, free, rtol=1e-8)
    j = int(np.argmin(free))
    assert free[j] < 0.0
    lower[j] = 0.0
    search = minimise(inner, np.ones(5), tol=1e-9, max_iter=50, lower=lower)
    assert search.converged
    assert search.at.theta[j] == 0.0
    assert search.at.theta.min() < 0.0
    others = np.arange(5) != j
    assert_allclose(search.at.gradient[others], 0.0, atol=1e-6)


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.55, 0.8, 3.0, 10.0])
def test_secants_correct_an_approximate_hessian(scale):
    """At half the curvature every step goes twice as far as it should, and lowers nothing."""
    inner, _, solution = least_squares(3, scale)
    search = minimise(inner, solution + 0.05, tol=1e-10, max_iter=60, exact=False)
    assert search.converged
    assert search.n_iter <= 25
    assert_allclose(search.at.theta, solution, atol=1e-8)


def test_differences_of_gradients_replace_a_hessian_that_does_not_help():
    """The Hessian of Rosenbrock's function, but random."""
    rng = np.random.default_rng(0)
    inner = rosenbrock()

    def evaluate(theta):
        at = inner(theta)
        root = rng.normal(size=(2, 2))
        return replace(at, hessian=1e3 * root @ root.T)

    search = minimise(evaluate, np.array([-1.2, 1.0]), tol=1e-8, max_iter=300, exact=False)
    assert search.converged
    assert_allclose(search.at.theta, 1.0, atol=1e-6)


def test_quasi_newton_steps_follow_where_newton_stops(monkeypatch):
    calls = []

    def stopped_at_first(function, at, n_iter, **options):
        calls.append(n_iter)
        if len(calls) == 1:
            return Optimum(at, False, n_iter, 1.0, "stopped")
        return newton_search(function, at, n_iter, **options)

    monkeypatch.setattr("skmixed.fitting.optimise.newton_search", stopped_at_first)
    seen = []
    inner = rosenbrock(seen)
    search = minimise(inner, np.array([-1.2, 1.0]), tol=1e-8, max_iter=200)
    assert search.converged
    assert len(calls) == 2
    assert calls[1] > 20
    assert search.n_iter == len(seen) <= 200
    assert_allclose(search.at.theta, 1.0, atol=1e-7)


@pytest.mark.parametrize("max_iter", [1, 7, 30, 100])
@pytest.mark.parametrize("exact", [False, True])
def test_a_kink_is_never_taken_for_an_optimum(exact, max_iter):
    """The function |x - 0.3| + y^2 has no stationary point at its minimum."""
    seen = []
    inner = objective(
        lambda t: abs(t[0] - 0.3) + t[1] ** 2,
        lambda t: [math.copysign(1.0, t[0] - 0.3), 2 * t[1]],
        lambda _: np.diag([1.0, 2.0]),
        seen,
    )
    search = minimise(inner, np.array([2.0, 1.0]), tol=1e-8, max_iter=max_iter, exact=exact)
    assert not search.converged
    assert search.n_iter == len(seen) <= max_iter
    assert search.at.value <= 2.7 + 1e-12


def test_rounding_ends_the_search_without_a_complaint():
    """Near the minimum, noise in the gradient is all that is left."""
    rng = np.random.default_rng(0)
    search = minimise(
        objective(
            lambda t: 1e4 + t @ t / 2, lambda t: t + 1e-7 * rng.normal(size=3), lambda _: np.eye(3)
        ),
        np.ones(3),
        tol=1e-9,
        max_iter=100,
    )
    assert search.converged
    assert search.n_iter < 40
    assert "no step" in search.message


def test_curvatures_of_very_different_sizes():
    """Logarithms of standard deviations of size 1e6, and an angle: theta has no common unit."""
    search = minimise(
        objective(
            lambda t: 10.0 * (np.log(t[0] / 1e6) ** 2 + (t[1] - 0.4) ** 2 * (2.0 + np.log(t[0]))),
            lambda t: [
                20.0 * np.log(t[0] / 1e6) / t[0] + 10.0 * (t[1] - 0.4) ** 2 / t[0],
                20.0 * (t[1] - 0.4) * (2.0 + np.log(t[0])),
            ],
            lambda t: [
                [
                    (20.0 - 20.0 * np.log(t[0] / 1e6) - 10.0 * (t[1] - 0.4) ** 2) / t[0] ** 2,
                    20.0 * (t[1] - 0.4) / t[0],
                ],
                [20.0 * (t[1] - 0.4) / t[0], 20.0 * (2.0 + np.log(t[0]))],
            ],
        ),
        np.array([3e5, 1.0]),
        tol=1e-8,
        max_iter=50,
    )
    assert search.converged
    assert search.n_iter < 15
    assert_allclose(search.at.theta, [1e6, 0.4], rtol=1e-6)
