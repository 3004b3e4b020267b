"""Steps to a zero of the score, on objectives whose minimum is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.fitting.convergence import theta_on_boundary
from skmixed.fitting.monte_carlo import score_noise
from skmixed.fitting.score_steps import follow_score, settle_on_boundary
from skmixed.likelihood.profiled import ObjectiveValue, PLSSolution

NOTHING = PLSSolution(np.empty(0), np.empty((0, 0)), 1.0, 1.0)
TOL = 1e-8


def objective_of(
    gradient: Callable, hessian: Callable, replicates: np.ndarray | None = None
) -> Callable[[np.ndarray], ObjectiveValue]:
    """Return an objective of which only the score is told; its value means nothing."""

    def evaluate(theta: np.ndarray) -> ObjectiveValue:
        of_probes = None if replicates is None else gradient(theta) + replicates
        return ObjectiveValue(
            theta,
            0.0,
            np.asarray(gradient(theta), float),
            np.asarray(hessian(theta), float),
            NOTHING,
            None,
            0.0,
            of_probes,
        )

    return evaluate


def test_a_quadratic_takes_one_step():
    H = np.array([[3.0, 1.0], [1.0, 2.0]])
    zero = np.array([0.5, -0.7])
    objective = objective_of(lambda t: H @ (t - zero), lambda _: H)
    found = follow_score(objective, np.zeros(2), tol=TOL, max_iter=10)
    assert found.converged
    assert found.n_iter == 2
    assert_allclose(found.at.theta, zero, atol=1e-12)


def test_a_curvature_that_is_too_small_is_survived():
    """Newton steps of f' = arctan(t) diverge from t = 2."""
    objective = objective_of(np.arctan, lambda t: np.diag(1.0 / (1.0 + t**2)))
    found = follow_score(objective, np.array([2.0]), tol=TOL, max_iter=50)
    assert found.converged
    assert_allclose(found.at.theta, 0.0, atol=1e-5)


def test_a_saddle_is_left():
    """The objective t^4 / 4 - t^2 / 2 has a maximum at 0 and minima at 1 and -1."""
    objective = objective_of(lambda t: t**3 - t, lambda t: np.diag(3.0 * t**2 - 1.0))
    found = follow_score(objective, np.zeros(1), tol=TOL, max_iter=50)
    assert found.converged
    assert_allclose(abs(found.at.theta), 1.0, atol=1e-5)


def test_max_iter_is_told():
    objective = objective_of(lambda t: np.arctan(t - 0.3), lambda t: np.diag(1.0 / (1.0 + t**2)))
    found = follow_score(objective, np.array([2.0]), tol=TOL, max_iter=2)
    assert not found.converged
    assert found.n_iter == 2
    assert "max_iter=2" in found.message


def test_no_digits_are_sought_below_the_monte_carlo_error():
    replicates = np.linspace(-1.0, 1.0, 11)[:, None]
    exact, estimated = (
        objective_of(np.sinh, lambda t: np.diag(np.cosh(t)), of_probes)
        for of_probes in (None, replicates)
    )
    start = np.array([0.01])
    assert not follow_score(exact, start, tol=TOL, max_iter=1).converged
    # The mean of eleven evenly spread numbers errs by 0.2.
    assert_allclose(score_noise(estimated(start)), 0.04, rtol=1e-12)
    assert not follow_score(estimated, start, tol=TOL, max_iter=1).converged
    assert follow_score(estimated, start / 10.0, tol=TOL, max_iter=1).converged


def test_where_nothing_can_be_computed_the_step_is_shorter():
    objective = objective_of(lambda t: t - 1.0, lambda _: 0.1 * np.eye(1))

    def fragile(theta):
        if abs(theta[0]) > 3.0:
            raise np.linalg.LinAlgError
        return objective(theta)

    found = follow_score(fragile, np.array([-2.5]), tol=TOL, max_iter=60)
    assert found.converged
    assert_allclose(found.at.theta, 1.0, atol=1e-4)


ONE = JointCovariance((DirectSum((Unstructured(),), (1,)),))


@pytest.mark.parametrize(("least", "expected"), [(0.0, 0.0), (5e-4, 5e-4)])
def test_a_variance_is_set_to_zero_only_where_the_score_says_so(least, expected):
    """The objective (t^2 - least^2)^2, or t^2: with the minimum beside 0, or at 0."""
    if least:
        objective = objective_of(
            lambda t: 1e12 * 4.0 * t * (t**2 - least**2),
            lambda t: np.diag(1e12 * (12.0 * t**2 - 4.0 * least**2)),
        )
    else:
        objective = objective_of(lambda t: 2.0 * t, lambda _: 2.0 * np.eye(1))
    optimum = follow_score(objective, np.array([6e-4]), tol=1e-3, max_iter=50)
    settled = settle_on_boundary(
        objective, theta_on_boundary(ONE, optimum.at.theta), optimum, tol=1e-3
    )
    assert settled.converged
    assert_allclose(settled.at.theta, expected, rtol=1e-2, atol=0.0)
