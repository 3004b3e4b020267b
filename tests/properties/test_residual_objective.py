"""The likelihood of (theta, rho) against dense algebra, and its derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from .residual_models import (
    FORMULAS,
    RESIDUALS,
    dense_covariance,
    dense_value,
    model_of,
    objective_of,
    sample,
)

pytestmark = pytest.mark.exhaustive(17)

METHODS = ["reml", "ml"]
KINDS = ["no weights", "weights"]


@pytest.fixture(params=KINDS)
def model(request, residual, formula, method):
    frame = sample()
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.3, 3.0, len(frame)) if request.param == "weights" else None
    return model_of(
        FORMULAS[formula],
        frame,
        RESIDUALS[residual],
        reml=method == "reml",
        sample_weight=weights,
    )


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture(params=FORMULAS)
def formula(request):
    return request.param


@pytest.fixture(params=RESIDUALS)
def residual(request):
    return request.param


def some_parameters(model, seed=0):
    """Return theta and rho that are neither small nor near the boundary."""
    rng = np.random.default_rng(seed)
    theta = rng.uniform(0.3, 0.8, model.covariance.n_parameters)
    rho = model.residual.learned.start
    return np.concatenate([theta, rho + 0.3 * rng.normal(size=len(rho))])


def test_value_and_gradient(model):
    objective = objective_of(model)
    at = some_parameters(model)
    m = model.covariance.n_parameters

    def dense(parameters):
        return dense_value(model, parameters[:m], parameters[m:])

    assert_allclose(objective.value(at), dense(at), rtol=1e-10)
    expected = [
        (8 * (dense(at + h) - dense(at - h)) - dense(at + 2 * h) + dense(at - 2 * h)) / (12 * 1e-3)
        for h in 1e-3 * np.eye(len(at))
    ]
    evaluated = objective(at)
    assert_allclose(evaluated.value, objective.value(at), rtol=1e-12)
    assert_allclose(evaluated.gradient, expected, rtol=1e-6, atol=1e-6)


def test_information(model):
    """The information is the average of observed and expected one: positive semidefinite."""
    objective = objective_of(model)
    at = some_parameters(model)
    if not len(at):
        pytest.skip("there are no parameters")
    information = objective.average_information(at)
    assert_allclose(information, information.T)
    assert np.linalg.eigvalsh(information).min() >= -1e-9 * np.abs(information).max()


def test_changes_of_the_information(model):
    """X'V^-1 X and log r2 move with rho as the fit reports it."""
    objective = objective_of(model)
    at = some_parameters(model)
    m, n = model.covariance.n_parameters, len(at)
    if m == n:
        pytest.skip("the residual variances are known")
    step = 1e-5

    def moved(change):
        solution = objective(at + change).solution
        return solution.R_X.T @ solution.R_X, np.log(solution.r2)

    evaluated = objective(at)
    changes = objective.information_changes(evaluated)
    slope = objective.residual_slope(evaluated)
    for i, unit in enumerate(np.eye(n)[m:]):
        forward, backward = moved(step * unit), moved(-step * unit)
        scale = np.abs(forward[0]).max()
        found = (forward[0] - backward[0]) / (2 * step)
        assert_allclose(changes[i] / scale, found / scale, atol=1e-7)
        assert_allclose(slope[i], (forward[1] - backward[1]) / (2 * step), atol=1e-7)


def test_whitening(residual):
    """T R T' = I, and back; log|R| and its derivatives are those of the dense matrix."""
    model = model_of("y ~ x", sample(), RESIDUALS[residual], reml=False)
    rho = some_parameters(model)
    at = model.residual.at(rho, None)
    R = dense_covariance(model.residual, rho)
    n = len(R)
    T = at.apply(np.eye(n)).T
    assert_allclose(T @ R @ T.T, np.eye(n), atol=1e-10)
    assert_allclose(at.undo(at.apply(np.eye(n))), np.eye(n), atol=1e-11)
    assert_allclose(at.log_determinant, np.linalg.slogdet(R)[1], rtol=1e-11, atol=1e-11)
