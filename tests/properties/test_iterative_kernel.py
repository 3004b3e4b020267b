"""The iterative kernel, at any theta, against dense algebra.

With a probe in every direction nothing is left to chance: all estimates must be exact.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import JointCovariance
from skmixed.likelihood import iterative, schur, stochastic
from skmixed.likelihood.cells import cell_products
from skmixed.likelihood.crossed_columns import CrossedColumns
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective
from skmixed.likelihood.schur import SchurSystem
from skmixed.likelihood.stochastic import every_direction

from .crossed import (
    LAYOUTS,
    CrossedProblem,
    DenseEvaluation,
    block_diagonal,
    joint_structure,
    make_crossed,
    relative_covariances,
    some_theta,
)

MODELS = [
    *((layout, 1, "unstructured") for layout in LAYOUTS),
    *((layout, 2, name) for layout in LAYOUTS for name in ("unstructured", "diagonal")),
    ("crossed", (2, 1), "mixed"),
    ("nested", (1, 3), "mixed"),
    ("three crossed", (3, 1, 2), "mixed"),
]


@pytest.fixture(params=[False, True], ids=["ml", "reml"])
def reml(request) -> bool:
    return request.param


@pytest.fixture(params=MODELS, ids=str)
def model(request) -> tuple[CrossedProblem, JointCovariance]:
    layout, n_effects, name = request.param
    problem = make_crossed(layout, n_effects, weighted=True)
    return problem, joint_structure(name, problem.sizes)


@pytest.fixture(autouse=True)
def solutions_to_the_last_digit(monkeypatch):
    for module in (stochastic, iterative):
        monkeypatch.setattr(module, "PROBE_TOLERANCE", 1e-13)
        monkeypatch.setattr(module, "EXACT_TOLERANCE", 1e-13)


@pytest.fixture(autouse=True)
def no_factor_has_few_levels(monkeypatch):
    """Leave all but the shifts to the probes."""
    monkeypatch.setattr(schur, "FEW", 0)


def products_of(problem: CrossedProblem) -> CrossProducts:
    root = np.sqrt(problem.precision)
    A = np.vstack([problem.X.T, problem.y]) * root
    Z = [columns.T * root for columns in problem.Z]
    levels = problem.n_levels
    return CrossProducts(
        len(root),
        np.log(problem.precision).sum(),
        A @ A.T,
        tuple(factor_products(Z[j], A, problem.codes[j], levels[j]) for j in range(len(Z))),
        {
            (i, j): cell_products(
                Z[i], problem.codes[i], levels[i], Z[j], problem.codes[j], levels[j]
            )
            for j in range(len(Z))
            for i in range(j)
        },
    )


def exact_kernel(problem: CrossedProblem) -> IterativeKernel:
    """Return the kernel with a probe in every direction."""
    length = sum(k * g for k, g in zip(problem.sizes[1:], problem.n_levels[1:], strict=True))
    return IterativeKernel(products_of(problem), every_direction(length))


def evaluated(
    problem: CrossedProblem, covariance: JointCovariance, theta, *, reml: bool
) -> tuple[ProfiledObjective, ObjectiveValue, DenseEvaluation]:
    objective = ProfiledObjective(
        products_of(problem), covariance, reml=reml, kernel=exact_kernel(problem)
    )
    dense = DenseEvaluation(problem, relative_covariances(covariance, theta), reml=reml)
    return objective, objective(theta), dense


def dense_gradients(problem: CrossedProblem, dense: DenseEvaluation, *, reml: bool):
    """Return d(-2 log-likelihood) / d Psi of each factor: sum of Z'(P - P y y'P / sigma^2) Z."""
    Py = dense.P @ problem.y
    middle = (dense.P if reml else dense.V_inverse) - np.outer(Py, Py) / dense.sigma2
    for Z, k, n_levels in zip(problem.spread, problem.sizes, problem.n_levels, strict=True):
        blocks = (Z.T @ middle @ Z).reshape(n_levels, k, n_levels, k)
        yield np.einsum("gagb->ab", blocks)


def test_value_and_coefficients(model, reml):
    problem, covariance = model
    _, at, dense = evaluated(problem, covariance, some_theta(covariance), reml=reml)
    value = dense.minus_two_log_likelihood
    assert_allclose(at.value, value, rtol=1e-10)
    assert_allclose(at.solution.beta, dense.beta, rtol=1e-7)
    assert_allclose(at.solution.sigma2, dense.sigma2, rtol=1e-9)
    assert_allclose(at.solution.unscaled_covariance, dense.unscaled_covariance, atol=1e-8)


def test_gradient(model, reml):
    problem, covariance = model
    theta = some_theta(covariance)
    objective, at, dense = evaluated(problem, covariance, theta, reml=reml)
    tensors = objective.kernel.score_tensors(
        at.whitened,
        objective.mixing(at.solution),
        reml=int(reml),
        nu=objective.nu,
        precision=1.0 / at.solution.sigma2,
    )
    for found, expected in zip(
        tensors.gradients, dense_gradients(problem, dense, reml=reml), strict=True
    ):
        assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_gradient_where_a_covariance_is_singular(reml):
    problem = make_crossed("crossed", 2, weighted=True)
    covariance = joint_structure("unstructured", problem.sizes)
    for own in ([0.0, 0.0, 0.0], [0.7, 0.2, 0.0], [0.0, 0.5, 0.0], [1.0, 0.3, 1e-5]):
        theta = np.concatenate([[0.8, 0.1, 0.6], own])
        objective, at, dense = evaluated(problem, covariance, theta, reml=reml)
        tensors = objective.kernel.score_tensors(
            at.whitened,
            objective.mixing(at.solution),
            reml=int(reml),
            nu=objective.nu,
            precision=1.0 / at.solution.sigma2,
        )
        assert_allclose(at.value, dense.minus_two_log_likelihood, rtol=1e-10)
        for found, expected in zip(
            tensors.gradients, dense_gradients(problem, dense, reml=reml), strict=True
        ):
            assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_curvature_is_the_average_information(reml):
    problem = make_crossed("three crossed", 2, weighted=True)
    covariance = joint_structure("unstructured", problem.sizes)
    objective, at, dense = evaluated(problem, covariance, some_theta(covariance), reml=reml)
    hessian = objective.kernel.score_tensors(
        at.whitened,
        objective.mixing(at.solution),
        reml=int(reml),
        nu=objective.nu,
        precision=1.0 / at.solution.sigma2,
    ).hessian
    rng = np.random.default_rng(0)
    for _ in range(5):
        changes = [C + C.T for C in rng.normal(size=(3, 2, 2))]
        flat = np.concatenate([C.ravel() for C in changes])
        assert_allclose(flat @ hessian @ flat, dense.average_information(changes), rtol=1e-8)


def test_modes_and_their_covariance(model):
    problem, covariance = model
    theta = some_theta(covariance)
    objective, at, dense = evaluated(problem, covariance, theta, reml=True)
    factors = covariance.relative_factors(theta)
    columns = np.append(-at.solution.beta, 1.0)[None]
    scores = objective.kernel.projected(at.whitened, columns)
    for Lambda, score, modes in zip(factors, scores, dense.modes, strict=True):
        assert_allclose((Lambda @ Lambda.T @ score[0]).T, modes, atol=1e-8)
    whole, start = dense.conditional_covariance(), 0
    for D in objective.kernel.errors(at.whitened, factors).covariances():
        size = D.shape[0] * D.shape[1]
        part = whole[start : start + size, start : start + size]
        blocks = np.einsum("gagb->gab", part.reshape(*D.shape[:2], *D.shape[:2]))
        assert_allclose(D, blocks, atol=1e-8)
        start += size


def test_factors_with_few_levels_need_no_probes(monkeypatch, model):
    monkeypatch.setattr(schur, "FEW", 40)
    problem, covariance = model
    objective = ProfiledObjective(
        products_of(problem), covariance, reml=True, kernel=IterativeKernel(products_of(problem))
    )
    theta = some_theta(covariance)
    at = objective(theta)
    dense = DenseEvaluation(problem, relative_covariances(covariance, theta), reml=True)
    assert_allclose(at.value, dense.minus_two_log_likelihood, rtol=1e-10)
    assert at.value_error < 1e-8


def test_an_effect_without_variance_has_no_error():
    problem = make_crossed("crossed", 1, weighted=True)
    covariance = joint_structure("unstructured", problem.sizes)
    objective, at, _ = evaluated(problem, covariance, np.array([0.8, 0.0]), reml=True)
    factors = covariance.relative_factors(at.theta)
    _, nothing = objective.kernel.errors(at.whitened, factors).covariances()
    assert not nothing.any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_operator_is_the_schur_complement(layout):
    problem = make_crossed(layout, 2, weighted=True)
    columns = CrossedColumns(products_of(problem))
    covariance = joint_structure("unstructured", problem.sizes)
    factors = covariance.relative_factors(some_theta(covariance))
    kernel = exact_kernel(problem)
    system = SchurSystem.at(columns, kernel._first.R, factors)
    # Effect by effect, not level by level as in the dense problem.
    order = [
        np.arange(g * k).reshape(g, k).T.ravel()
        for g, k in zip(problem.n_levels, problem.sizes, strict=True)
    ]
    Z = [spread[:, rows] for spread, rows in zip(problem.spread, order, strict=True)]
    Lambda = [
        np.kron(factor, np.eye(g)) for factor, g in zip(factors, problem.n_levels, strict=True)
    ]
    U, Lambda_U = np.hstack(Z[1:]), block_diagonal(Lambda[1:])
    V_1 = np.diag(1.0 / problem.precision) + Z[0] @ Lambda[0] @ Lambda[0].T @ Z[0].T
    S = U.T @ np.linalg.solve(V_1, U)
    M = Lambda_U.T @ S @ Lambda_U + np.eye(len(S))
    identity = np.eye(len(S))
    assert_allclose(system.schur(identity), S, atol=1e-11)
    to_effects = system.outward(identity)
    assert_allclose(system.inward(identity), to_effects.T, atol=1e-13)
    scaled = system.multiply(identity)
    root = system.unscaled(identity)
    assert_allclose(scaled, root.T @ M @ root, atol=1e-11)
    assert_allclose(
        np.linalg.slogdet(M)[1],
        np.linalg.slogdet(scaled)[1] + system.log_determinant,
        rtol=1e-11,
    )
    # The blocks on the diagonal are the identity: what the control variate rests on.
    start = 0
    for k, g in zip(problem.sizes[1:], problem.n_levels[1:], strict=True):
        part = scaled[start : start + k * g, start : start + k * g].reshape(k, g, k, g)
        assert_allclose(np.einsum("agbg->gab", part), np.tile(np.eye(k), (g, 1, 1)), atol=1e-12)
        start += k * g
