"""Whole fits of several grouping factors, in the user's units, against dense algebra."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

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

from .crossed import (
    LAYOUTS,
    CrossedProblem,
    DenseEvaluation,
    henderson_inverse,
    joint_structure,
    make_crossed,
    spread,
)
from .dense import structures

pytestmark = pytest.mark.exhaustive(11)

NAMES = ("Intercept", "x1", "x2", "x3")
MODELS = [
    *((layout, 1, name) for layout in LAYOUTS for name in structures(1)),
    *((layout, 2, name) for layout in LAYOUTS[:4] for name in structures(2)),
    ("crossed", (2, 1), "mixed"),
    ("three crossed", (1, 2, 1), "mixed"),
]


@pytest.fixture(params=[False, True], ids=["ml", "reml"])
def reml(request) -> bool:
    return request.param


Model = tuple[str, int | tuple[int, ...], str]


@pytest.fixture(params=MODELS, ids=str)
def model(request) -> Model:
    return request.param


@cache
def problem_of(model: Model) -> tuple[CrossedProblem, JointCovariance]:
    layout, n_effects, name = model
    problem = moved(make_crossed(layout, n_effects, weighted=True, seed=3))
    return problem, joint_structure(name, problem.sizes)


@cache
def fit_of(model: Model, *, reml: bool) -> LMMFit:
    """Fit a model once for all tests."""
    return fit_problem(*problem_of(model), reml=reml)


def moved(problem: CrossedProblem) -> CrossedProblem:
    """Give the covariates origins and units of their own, Z with them."""
    change = np.diag([1.0, 3.0, 0.5, 3.0])
    change[0, 1:] = [0.5, -3.0, 0.1]
    X = problem.X @ change
    Z = tuple(X[:, :k] for k in problem.sizes)
    return CrossedProblem(X, 7.0 * problem.y, Z, problem.codes, problem.weights)


def fit_problem(problem: CrossedProblem, covariance: JointCovariance, *, reml: bool) -> LMMFit:
    blocks = tuple(
        RandomBlock(factorise(codes, f"g{j}"), Z, layouts(structure))
        for j, (codes, Z, structure) in enumerate(
            zip(problem.codes, problem.Z, covariance.factors, strict=True)
        )
    )
    weights = Weights(problem.weights)
    design = Design(problem.y, problem.X[:, 1:], NAMES[1:], True, blocks, weights=weights)
    return LMMModel(design, covariance, reml=reml, tol=1e-8, max_iter=200).fit()


def layouts(structure: DirectSum) -> tuple[TermLayout, ...]:
    return tuple(TermLayout(NAMES[effects]) for effects in structure.effect_slices)


def at_theta(problem: CrossedProblem, fit: LMMFit, *, reml: bool) -> DenseEvaluation:
    factors = [effects.relative_factor for effects in fit.random]
    return DenseEvaluation(problem, [Lambda @ Lambda.T for Lambda in factors], reml=reml)


def test_estimates_are_those_of_the_textbook_at_theta(model, reml):
    problem, _ = problem_of(model)
    fit = fit_of(model, reml=reml)
    assert fit.convergence.converged
    expected = at_theta(problem, fit, reml=reml)
    assert_allclose(fit.criterion, expected.minus_two_log_likelihood, rtol=1e-11)
    assert_allclose(fit.sigma**2, expected.sigma2, rtol=1e-9)
    assert_allclose(fit.fixed.coefficients, expected.beta, rtol=1e-8)
    assert_allclose(fit.fixed.covariance, expected.sigma2 * expected.unscaled_covariance, rtol=1e-7)
    whole = fit.sigma**2 * expected.conditional_covariance()
    start = 0
    for effects, modes, k in zip(fit.random, expected.modes, problem.sizes, strict=True):
        scale = np.maximum(np.sqrt(np.diagonal(effects.effect_covariance)), 1e-3 * fit.sigma)
        assert_allclose(effects.modes / scale, modes / scale, rtol=0, atol=1e-8)
        blocks = [whole[i : i + k, i : i + k] for i in start + k * np.arange(len(modes))]
        relative = np.outer(scale, scale)
        assert_allclose(
            effects.conditional_covariance / relative, np.array(blocks) / relative, atol=1e-8
        )
        start += k * len(modes)


def test_no_theta_nearby_has_a_larger_likelihood(model, reml):
    """The dense likelihood, which knows no gradient, has its optimum at the fit."""
    problem, covariance = problem_of(model)
    fit = fit_of(model, reml=reml)
    theta = np.concatenate([effects.theta for effects in fit.random])
    for step in 0.02 * np.vstack([np.eye(len(theta)), -np.eye(len(theta))]):
        factors = covariance.relative_factors(theta + step)
        Psi = [Lambda @ Lambda.T for Lambda in factors]
        nearby = DenseEvaluation(problem, Psi, reml=reml)
        # Either sign of a variance on its boundary is the same model.
        assert nearby.minus_two_log_likelihood > fit.criterion - 1e-9


def new_rows(problem: CrossedProblem) -> NewRows:
    """Take rows of the data; some have a level that was not fitted, of one factor or of all."""
    rows = np.r_[0:60:4, 0, 4]
    codes = [code[rows].copy() for code in problem.codes]
    codes[0][[1, 2]] = problem.n_levels[0] + np.array([0, 0])
    codes[1][[2, 3]] = problem.n_levels[1] + np.array([1, 0])
    for code, n_levels in zip(codes, problem.n_levels, strict=True):
        code[5:7] = n_levels
    blocks = (NewBlock(Z[rows], code) for Z, code in zip(problem.Z, codes, strict=True))
    return NewRows(problem.X[rows, 1:], tuple(blocks))


@cache
def hendersons_solution(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimates of beta and b, and the inverse of the equations' matrix."""
    problem, fit = problem_of(model)[0], fit_of(model, reml=True)
    solved = at_theta(problem, fit, reml=True)
    estimates = np.concatenate([solved.beta, *(modes.ravel() for modes in solved.modes)])
    return estimates, henderson_inverse(problem, [one.relative_factor for one in fit.random])


def written_out(model: Model, included: set[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of new observations by Henderson's equations.

    The effects of a level that was not fitted, or of a factor that is left out, are new draws.
    """
    fit, rows = fit_of(model, reml=True), new_rows(problem_of(model)[0])
    X = np.column_stack([np.ones(len(rows.fixed)), rows.fixed])
    columns, drawn = [X], np.eye(len(X))
    for effects, block in zip(fit.random, rows.blocks, strict=True):
        n_levels = len(effects.levels)
        known = (block.codes < n_levels) & (effects.name in included)
        columns.append(spread(block.columns * known[:, None], block.codes, n_levels))
        new = block.columns * ~known[:, None] @ effects.relative_factor
        drawn += np.where(block.codes[:, None] == block.codes, new @ new.T, 0.0)
    joined = np.hstack(columns)
    estimates, C = hendersons_solution(model)
    return joined @ estimates, fit.sigma**2 * (joined @ C @ joined.T + drawn)


INCLUDED = [{"g0", "g1", "g2"}, {"g0"}, {"g1"}, {"g0", "g2"}, set()]


@pytest.fixture(params=INCLUDED, ids=lambda names: "+".join(sorted(names)) or "none")
def included(request) -> set[str]:
    return request.param


@pytest.mark.exhaustive(29)
def test_means_and_variances_equal_hendersons_equations(model, included):
    fit, rows = fit_of(model, reml=True), new_rows(problem_of(model)[0])
    mean, expected = written_out(model, included)
    assert_allclose(PredictedRows(rows, included).mean_of(fit), mean, rtol=1e-8)
    variance = PredictedRows(rows, included).variance_of(fit)
    assert_allclose(variance, np.diagonal(expected), rtol=1e-7)


def test_covariances_equal_hendersons_equations(model, included):
    fit, rows = fit_of(model, reml=True), new_rows(problem_of(model)[0])
    _, expected = written_out(model, included)
    actual = PredictedRows(rows, included).covariance_of(fit)
    assert_allclose(actual, expected, rtol=1e-7, atol=1e-7 * fit.sigma**2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_and_none_of_the_factors_may_be_said_by_one_word(layout):
    problem = make_crossed(layout, 2, seed=3)
    fit = fit_problem(problem, joint_structure("unstructured", problem.sizes), reml=True)
    rows = new_rows(problem)
    for word, names in ((True, {"g0", "g1", "g2"}), (False, set())):
        for moment in ("mean_of", "variance_of", "covariance_of"):
            assert np.array_equal(
                getattr(PredictedRows(rows, word), moment)(fit),
                getattr(PredictedRows(rows, names), moment)(fit),
            )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chunks_of_rows_do_not_show(layout, monkeypatch):
    problem = make_crossed(layout, 2, seed=3)
    fit = fit_problem(problem, joint_structure("unstructured", problem.sizes), reml=True)
    rows = new_rows(problem)
    whole = PredictedRows(rows, True).variance_of(fit)
    monkeypatch.setattr("skmixed.prediction.predict.CHUNK", 4)
    assert_allclose(PredictedRows(rows, True).variance_of(fit), whole, rtol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_of_one_factor_alone_are_known(layout):
    """A row without labels of a factor is a row of a level of its own."""
    problem = make_crossed(layout, 2, seed=3)
    fit = fit_problem(problem, joint_structure("unstructured", problem.sizes), reml=True)
    rows = new_rows(problem)
    first, *others = rows.blocks
    absent = (first, *(NewBlock(block.columns, None) for block in others))
    alone = tuple(NewBlock(block.columns, 100 + np.arange(len(block.columns))) for block in others)
    for moment in ("mean_of", "variance_of", "covariance_of"):
        assert_allclose(
            getattr(PredictedRows(replace(rows, blocks=absent), True), moment)(fit),
            getattr(PredictedRows(replace(rows, blocks=(first, *alone)), True), moment)(fit),
            rtol=1e-12,
            atol=1e-12,
        )


def test_marginal_covariance_sums_over_the_factors(model):
    fit, rows = fit_of(model, reml=True), new_rows(problem_of(model)[0])
    expected = np.eye(len(rows.fixed)) * fit.sigma**2
    for effects, block in zip(fit.random, rows.blocks, strict=True):
        same = block.codes[:, None] == block.codes
        products = block.columns @ effects.effect_covariance @ block.columns.T
        expected += np.where(same, products, 0.0)
    assert_allclose(marginal_covariance(fit, rows), expected, rtol=1e-9, atol=1e-9 * fit.sigma**2)
