"""The objective and its derivatives, for every covariance structure, against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.profiled import ProfiledObjective

from .dense import Problem, make_problem, solve_densely, structures

KINDS = ["plain", "weights", "multiplicity", "both"]
CASES = [(k, name) for k in (1, 2, 3) for name in structures(k)]


def products_of(problem: Problem, rows: slice = slice(None)) -> CrossProducts:
    """Sum the cross-products of some rows, by the definitions."""
    n = len(problem.y)
    weights = np.ones(n) if problem.weights is None else problem.weights
    counts = np.ones(n)
    if problem.multiplicity is not None:
        counts = problem.multiplicity[problem.codes]
    root = np.sqrt(weights[rows])
    A = np.vstack([problem.X.T, problem.y])[:, rows] * root
    Z = problem.Z.T[:, rows] * root
    return CrossProducts(
        counts[rows].sum(),
        (counts * np.log(weights))[rows].sum(),
        (A * counts[rows]) @ A.T,
        (factor_products(Z, A, problem.codes[rows], problem.n_levels, problem.multiplicity),),
    )


def objective_of(problem: Problem, structure: DirectSum, *, reml: bool) -> ProfiledObjective:
    return ProfiledObjective(products_of(problem), JointCovariance((structure,)), reml=reml)


def some_theta(structure: DirectSum) -> np.ndarray:
    return np.random.default_rng(7).uniform(0.3, 1.2, structure.n_parameters)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_effects", "name"), CASES)
def test_value_beta_and_covariance_equal_dense_algebra(n_effects, name, kind, reml):
    problem = make_problem(n_effects=n_effects, kind=kind)
    structure = structures(n_effects)[name]
    theta = some_theta(structure)
    at = objective_of(problem, structure, reml=reml)(theta)
    Lambda = structure.factor(theta)
    expected = solve_densely(problem, Lambda @ Lambda.T, reml=reml)
    assert_allclose(at.value, expected.minus_two_log_likelihood, rtol=1e-12)
    assert_allclose(at.solution.beta, expected.beta, rtol=1e-10)
    assert_allclose(at.solution.sigma2, expected.sigma2, rtol=1e-10)
    assert_allclose(
        at.solution.unscaled_covariance, expected.unscaled_covariance, rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_effects", "name"), CASES)
def test_gradient_and_hessian_equal_finite_differences(n_effects, name, kind, reml):
    structure = structures(n_effects)[name]
    objective = objective_of(make_problem(n_effects=n_effects, kind=kind), structure, reml=reml)
    theta = some_theta(structure)
    at = objective(theta)
    steps = 1e-4 * np.eye(len(theta))
    values = [_fourth_order(lambda t: objective(t).value, theta, step) for step in steps]
    assert_allclose(at.gradient, values, rtol=1e-7, atol=1e-7)
    slopes = [_fourth_order(lambda t: objective(t).gradient, theta, step) for step in steps]
    assert_allclose(at.hessian, np.array(slopes), rtol=1e-7, atol=1e-7)
    assert_allclose(at.hessian, at.hessian.T, rtol=0, atol=1e-10 * np.abs(at.hessian).max())


def _fourth_order(function, theta, step):
    """Differentiate along one axis with an error of fourth order."""
    h = step.sum()
    near = function(theta + step) - function(theta - step)
    far = function(theta + 2 * step) - function(theta - 2 * step)
    return (8.0 * near - far) / (12.0 * h)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("name", structures(2))
def test_derivatives_on_the_boundary(name, reml):
    """At theta = 0 every group's V is the identity, and the gradient in theta vanishes."""
    structure = structures(2)[name]
    objective = objective_of(make_problem(n_effects=2), structure, reml=reml)
    theta = np.zeros(structure.n_parameters)
    at = objective(theta)
    assert_allclose(at.gradient, 0.0, atol=1e-12)
    slopes = [
        (objective(step).gradient - objective(-step).gradient) / 2e-5
        for step in 1e-5 * np.eye(len(theta))
    ]
    assert_allclose(at.hessian, np.array(slopes), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_cross_products_of_chunks_add_up(kind):
    problem = make_problem(kind=kind)
    whole = products_of(problem)
    parts = [products_of(problem, slice(first, first + 13)) for first in range(0, 40, 13)]
    summed = parts[0] + parts[1] + parts[2] + parts[3]
    assert summed.n_rows == whole.n_rows
    assert_allclose(summed.sum_log_weights, whole.sum_log_weights, rtol=1e-12, atol=1e-12)
    assert_allclose(summed.AtWA, whole.AtWA, rtol=1e-12)
    assert_allclose(summed.factors[0].ZtWZ, whole.factors[0].ZtWZ, rtol=1e-12, atol=1e-13)
    assert_allclose(summed.factors[0].ZtWA, whole.factors[0].ZtWA, rtol=1e-12, atol=1e-13)
    structure = structures(3)["unstructured"]
    theta = some_theta(structure)
    covariance = JointCovariance((structure,))
    at = [ProfiledObjective(p, covariance, reml=True)(theta).value for p in (summed, whole)]
    assert_allclose(at[0], at[1], rtol=1e-13)


def test_a_difference_that_cancels_is_computed_from_the_rows():
    """Let y vary 1e-7 as much within groups as between them: sums of squares keep two digits."""
    problem = make_problem(n_effects=1, kind="weights")
    noise = np.random.default_rng(1).normal(size=len(problem.y))
    y = problem.codes + 1e-7 * noise
    problem = Problem(problem.X, problem.Z, y, problem.codes, problem.weights)
    objective = objective_of(problem, structures(1)["identity"], reml=True)
    spoilt = objective.kernel.within_levels
    root = np.sqrt(problem.weights)
    A = np.vstack([problem.X.T, y]) * root
    objective.kernel.refine([problem.Z.T * root], A, [problem.codes])
    # Around its own mean within groups the response is small, and nothing cancels.
    sums = np.bincount(problem.codes, problem.weights * (1e-7 * noise))
    means = (sums / np.bincount(problem.codes, problem.weights))[problem.codes]
    residual, degrees = objective.kernel.within_levels
    assert residual != spoilt[0]
    assert degrees == len(y) - problem.n_levels
    assert_allclose(residual, problem.weights @ (1e-7 * noise - means) ** 2, rtol=1e-7)
