"""Whole fits, in the user's units, against dense algebra at the estimated theta."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.design.design import Design, NewBlock, NewRows, RandomBlock, TermLayout
from skmixed.design.groups import factorise
from skmixed.design.weights import Weights
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.prediction.predict import PredictedRows, marginal_covariance

from .dense import Problem, henderson_inverse, make_problem, solve_densely, structures

pytestmark = pytest.mark.exhaustive(5)

KINDS = ["plain", "weights", "multiplicity", "both"]
NAMES = ["Intercept", "x1", "x2", "x3"]


def fit_problem(problem: Problem, structure: DirectSum, *, reml: bool) -> LMMFit:
    layouts, first = [], 0
    for size in structure.sizes:
        layouts.append(TermLayout(tuple(NAMES[first : first + size])))
        first += size
    block = RandomBlock(factorise(problem.codes, "g"), problem.Z, tuple(layouts))
    design = Design(
        problem.y,
        problem.X[:, 1:],
        tuple(NAMES[1:]),
        True,
        (block,),
        weights=Weights(problem.weights, "precision", problem.multiplicity, block.factor.codes),
    )
    return LMMModel(design, JointCovariance((structure,)), reml=reml, tol=1e-8, max_iter=200).fit()


def moved(problem: Problem) -> Problem:
    """Give the covariates origins and units of their own, Z with them."""
    change = np.eye(4)
    change[0, 1:] = [0.5, -3.0, 0.1]
    change[1, 1], change[2, 2], change[3, 3] = 3.0, 0.5, 3.0
    X = problem.X @ change
    k = problem.Z.shape[1]
    return Problem(
        X, X[:, :k], problem.y * 7.0, problem.codes, problem.weights, problem.multiplicity
    )


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", structures(2))
def test_estimates_are_those_of_the_textbook_at_theta(name, kind, reml):
    problem = moved(make_problem(1, n_effects=2, kind=kind))
    fit = fit_problem(problem, structures(2)[name], reml=reml)
    assert fit.convergence.converged
    (effects,) = fit.random
    Psi = effects.relative_factor @ effects.relative_factor.T
    expected = solve_densely(problem, Psi, reml=reml)
    assert_allclose(fit.criterion, expected.minus_two_log_likelihood, rtol=1e-11)
    assert_allclose(fit.sigma**2, expected.sigma2, rtol=1e-9)
    assert_allclose(fit.fixed.coefficients, expected.beta, rtol=1e-8)
    assert_allclose(fit.fixed.covariance, expected.sigma2 * expected.unscaled_covariance, rtol=1e-7)
    times = np.ones(8) if problem.multiplicity is None else problem.multiplicity
    first = (np.cumsum(times) - times).astype(int)
    scale = np.maximum(np.sqrt(np.diagonal(effects.effect_covariance)), 1e-3 * fit.sigma)
    assert_allclose(effects.modes / scale, expected.modes[first] / scale, rtol=0, atol=1e-8)
    covariance = expected.sigma2 * expected.conditional_covariance[first]
    relative = np.outer(scale, scale)
    assert_allclose(
        effects.conditional_covariance / relative, covariance / relative, rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", structures(2))
def test_no_theta_nearby_has_a_larger_likelihood(name, kind, reml):
    """The dense likelihood, which knows no gradient, has its optimum at the fit."""
    problem = make_problem(1, n_effects=2, kind=kind)
    structure = structures(2)[name]
    fit = fit_problem(problem, structure, reml=reml)
    theta = fit.random[0].theta
    for step in 0.02 * np.vstack([np.eye(len(theta)), -np.eye(len(theta))]):
        factor = structure.factor(theta + step)
        nearby = solve_densely(problem, factor @ factor.T, reml=reml)
        assert nearby.minus_two_log_likelihood > fit.criterion


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["unstructured", "diagonal", "identity"])
def test_prediction_variance_equals_hendersons_equations(name, kind):
    problem = moved(make_problem(2, n_effects=2, kind=kind))
    fit = fit_problem(problem, structures(2)[name], reml=True)
    (effects,) = fit.random
    Psi = effects.relative_factor @ effects.relative_factor.T
    C = henderson_inverse(problem, effects.relative_factor)
    n_levels = problem.written_out().n_levels
    times = np.ones(8) if problem.multiplicity is None else problem.multiplicity
    first = (np.cumsum(times) - times).astype(int)
    rows = np.r_[0:40:5, 0, 5]
    X, Z, codes = problem.X[rows], problem.Z[rows], problem.codes[rows].copy()
    codes[-3:] = [8, 8, 9]
    columns = np.zeros((len(rows), 4 + 2 * n_levels))
    columns[:, :4] = X
    unseen = np.zeros((len(rows), len(rows)))
    for i, code in enumerate(codes):
        if code < 8:
            at = 4 + 2 * first[code]
            columns[i, at : at + 2] = Z[i]
        else:
            same = codes == code
            unseen[i, same] = Z[i] @ Psi @ Z[same].T
    expected = fit.sigma**2 * (columns @ C @ columns.T + unseen + np.eye(len(rows)))
    new = NewRows(X[:, 1:], (NewBlock(Z, codes),))
    assert_allclose(
        PredictedRows(new, True).covariance_of(fit),
        expected,
        rtol=1e-7,
        atol=1e-7 * fit.sigma**2,
    )
    assert_allclose(PredictedRows(new, True).variance_of(fit), np.diagonal(expected), rtol=1e-8)
    known = codes < 8
    solved = solve_densely(problem, Psi, reml=True)
    mean = X @ solved.beta
    mean[known] += np.sum(Z[known] * solved.modes[first[codes[known]]], axis=1)
    assert_allclose(PredictedRows(new, True).mean_of(fit), mean, rtol=1e-8)
    same = codes[:, None] == codes[None, :]
    implied = fit.sigma**2 * (np.where(same, Z @ Psi @ Z.T, 0.0) + np.eye(len(rows)))
    assert_allclose(marginal_covariance(fit, new), implied, rtol=1e-10)


def test_prediction_without_random_effects_has_the_whole_variance():
    problem = make_problem(2, n_effects=2)
    fit = fit_problem(problem, structures(2)["unstructured"], reml=True)
    (effects,) = fit.random
    rows = NewRows(problem.X[:, 1:], (NewBlock(problem.Z, problem.codes),))
    between = np.einsum("ni,ij,nj->n", problem.Z, effects.effect_covariance, problem.Z)
    around = np.einsum("ni,ij,nj->n", problem.X, fit.fixed.covariance, problem.X)
    assert_allclose(
        PredictedRows(rows, False).variance_of(fit),
        around + between + fit.sigma**2,
        rtol=1e-9,
    )
