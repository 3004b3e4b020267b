"""The kernel of several grouping factors, at any theta, against dense algebra."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import pytest
from in_turn import in_turn
from numpy.testing import assert_allclose
from scipy import sparse

from skmixed.covariance import JointCovariance
from skmixed.likelihood.blocked import BlockedKernel
from skmixed.likelihood.cells import cell_products
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective
from skmixed.likelihood.single_factor import SingleFactorKernel

from .crossed import (
    LAYOUTS,
    CrossedProblem,
    DenseEvaluation,
    joint_structure,
    make_crossed,
    relative_covariances,
    some_theta,
)
from .dense import structures

pytestmark = pytest.mark.exhaustive(7)

EQUAL = [(k, name) for k in (1, 2, 3) for name in structures(k)]
MIXED = [("crossed", (2, 1)), ("nested", (1, 3)), ("three crossed", (3, 1, 2))]
MODELS = [
    *((layout, k, name) for layout in LAYOUTS for k, name in EQUAL),
    *((layout, sizes, "mixed") for layout, sizes in MIXED),
]


def products_of(problem: CrossedProblem, rows: slice = slice(None)) -> CrossProducts:
    """Sum the cross-products of some rows, by the definitions."""
    weights = problem.precision[rows]
    root = np.sqrt(weights)
    A = np.vstack([problem.X.T, problem.y])[:, rows] * root
    Z = [columns.T[:, rows] * root for columns in problem.Z]
    codes = [code[rows] for code in problem.codes]
    levels = problem.n_levels
    return CrossProducts(
        len(weights),
        np.log(weights).sum(),
        A @ A.T,
        tuple(factor_products(Z[j], A, codes[j], levels[j]) for j in range(len(Z))),
        {
            (i, j): cell_products(Z[i], codes[i], levels[i], Z[j], codes[j], levels[j])
            for j in range(len(Z))
            for i in range(j)
        },
    )


def objective_of(
    problem: CrossedProblem, covariance: JointCovariance, *, reml: bool
) -> ProfiledObjective:
    return ProfiledObjective(products_of(problem), covariance, reml=reml)


@pytest.fixture(params=[False, True], ids=["ml", "reml"])
def reml(request) -> bool:
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "weights"])
def weighted(request) -> bool:
    return request.param


@dataclass(frozen=True, eq=False)
class Case:
    """Hold one evaluation of the objective, and what it has to be."""

    problem: CrossedProblem
    covariance: JointCovariance
    reml: bool
    objective: ProfiledObjective
    at: ObjectiveValue
    expected: DenseEvaluation


OPTIONS = list(product(["plain", "weights"], ["ml", "reml"]))


@pytest.fixture(scope="module", params=in_turn(MODELS, OPTIONS))
def case(request) -> Case:
    layout, n_effects, name, weights, method = request.param
    problem = make_crossed(layout, n_effects, weighted=weights == "weights")
    covariance = joint_structure(name, problem.sizes)
    reml = method == "reml"
    objective = objective_of(problem, covariance, reml=reml)
    assert isinstance(objective.kernel, BlockedKernel)
    theta = some_theta(covariance)
    expected = DenseEvaluation(problem, relative_covariances(covariance, theta), reml=reml)
    return Case(problem, covariance, reml, objective, objective(theta), expected)


def test_value_and_beta_equal_dense_algebra(case):
    at, expected = case.at, case.expected
    assert_allclose(at.value, expected.minus_two_log_likelihood, rtol=1e-12)
    assert_allclose(at.solution.beta, expected.beta, rtol=1e-10, atol=1e-10)
    assert_allclose(at.solution.sigma2, expected.sigma2, rtol=1e-10)
    assert_allclose(
        at.solution.unscaled_covariance, expected.unscaled_covariance, rtol=1e-9, atol=1e-11
    )


def test_gradient_equals_finite_differences(case):
    at = case.at
    steps = 1e-4 * np.eye(len(at.theta))
    slopes = [_fourth_order(lambda t: case.objective(t).value, at.theta, step) for step in steps]
    assert_allclose(at.gradient, slopes, rtol=1e-6, atol=1e-6)


def _fourth_order(function, theta, step):
    """Differentiate along one axis with an error of fourth order."""
    near = function(theta + step) - function(theta - step)
    far = function(theta + 2 * step) - function(theta - 2 * step)
    return (8.0 * near - far) / (12.0 * step.sum())


def test_scores_equal_dense_algebra(case):
    """Z'V^-1 [X y] of each factor, from which the modes are made."""
    problem, expected = case.problem, case.expected
    A = np.column_stack([problem.X, problem.y])
    scores = case.objective.kernel.projected(case.at.whitened, np.eye(A.shape[1]))
    for ours, Z, k in zip(scores, problem.spread, problem.sizes, strict=True):
        dense = (Z.T @ expected.V_inverse @ A).reshape(-1, k, A.shape[1])
        assert_allclose(ours, dense.transpose(2, 1, 0), rtol=1e-9, atol=1e-9)


def test_conditional_covariances_equal_dense_algebra(case):
    problem, at = case.problem, case.at
    factors = case.covariance.relative_factors(at.theta)
    whole = case.expected.conditional_covariance()
    start = 0
    errors = case.objective.kernel.errors(at.whitened, factors)
    for D, k, n_levels in zip(errors.covariances(), problem.sizes, problem.n_levels, strict=True):
        blocks = [whole[i : i + k, i : i + k] for i in start + k * np.arange(n_levels)]
        assert_allclose(D, blocks, rtol=1e-10, atol=1e-11)
        start += k * n_levels


def test_roots_of_rows_make_their_conditional_covariance(case):
    """Rows whose level of a factor is not known have zeros there; levels may meet anew."""
    problem, at = case.problem, case.at
    factors = case.covariance.relative_factors(at.theta)
    errors = case.objective.kernel.errors(at.whitened, factors)
    sources = [np.random.default_rng(j).integers(0, 70, 24) for j in range(3)]
    known = [np.random.default_rng(j).uniform(size=24) < 0.8 for j in range(3)]
    chosen = list(zip(problem.Z, problem.spread, problem.codes, sources, known, strict=False))
    Z = [(columns[rows] * on[:, None]).T for columns, _, _, rows, on in chosen]
    parts = errors.parts(Z, [code[rows] for _, _, code, rows, _ in chosen])
    total = np.zeros((24, 24))
    for root, codes in parts:
        whole = root.toarray() if isinstance(root, sparse.csr_array) else root
        same = True if codes is None else codes[:, None] == codes
        total += np.where(same, whole.T @ whole, 0.0)
    columns = np.hstack([spread[rows] * on[:, None] for _, spread, _, rows, on in chosen])
    dense = columns @ case.expected.conditional_covariance() @ columns.T
    assert_allclose(total, dense, rtol=1e-9, atol=1e-10)


def test_curvature_is_the_average_information(case):
    """Gilmour, Thompson and Cullis (1995): y'P V_E P V_F P y, with sigma^2 profiled out."""
    solution = case.at.solution
    mixing = np.zeros((5, 5))
    mixing[:4, :4] = np.linalg.inv(solution.R_X).T
    mixing[4] = [*-solution.beta, 1.0]
    tensors = case.objective.kernel.score_tensors(
        case.at.whitened,
        mixing,
        reml=int(case.reml),
        nu=solution.nu,
        precision=1.0 / solution.sigma2,
    )
    rng = np.random.default_rng(5)
    for _ in range(3):
        changes = [(d + d.T) for d in (rng.normal(size=(k, k)) for k in case.problem.sizes)]
        joined = np.concatenate([d.ravel() for d in changes])
        assert_allclose(
            joined @ tensors.hessian @ joined,
            case.expected.average_information(changes),
            rtol=1e-9,
        )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n_effects", [1, 2])
def test_cross_products_of_chunks_add_up(layout, n_effects, weighted):
    problem = make_crossed(layout, n_effects, weighted=weighted)
    parts = [products_of(problem, slice(first, first + 30)) for first in (0, 30, 60)]
    covariance = joint_structure("unstructured", problem.sizes)
    theta = some_theta(covariance)
    whole, summed = (
        ProfiledObjective(products, covariance, reml=True)(theta)
        for products in (products_of(problem), parts[0] + parts[1] + parts[2])
    )
    assert_allclose(summed.value, whole.value, rtol=1e-12)
    assert_allclose(summed.gradient, whole.gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n_effects", [1, 2])
def test_order_of_the_factors(layout, n_effects, reml, weighted):
    """Which factor is eliminated first is a matter of speed alone."""
    problem = make_crossed(layout, n_effects, weighted=weighted)
    covariance = joint_structure("unstructured", problem.sizes)
    theta = some_theta(covariance)
    parts = covariance.split(theta)
    base = objective_of(problem, covariance, reml=reml)(theta)
    slopes = covariance.split(base.gradient)
    for order in permutations(range(len(parts))):
        objective = objective_of(problem.of_factors(order), covariance, reml=reml)
        other = objective(np.concatenate([parts[j] for j in order]))
        assert_allclose(other.value, base.value, rtol=1e-12)
        expected = np.concatenate([slopes[j] for j in order])
        assert_allclose(other.gradient, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("n_effects", [1, 3])
def test_a_factor_without_variance_leaves_the_kernel_of_the_other(layout, kept, n_effects, reml):
    problem = make_crossed(layout, n_effects, weighted=True)
    covariance = joint_structure("unstructured", problem.sizes)
    parts = covariance.split(some_theta(covariance))
    theta = np.concatenate([part * (j == kept) for j, part in enumerate(parts)])
    at = objective_of(problem, covariance, reml=reml)(theta)
    alone = objective_of(problem.of_factors([kept]), covariance.of_factors([kept]), reml=reml)
    assert isinstance(alone.kernel, SingleFactorKernel)
    expected = alone(parts[kept])
    assert_allclose(at.value, expected.value, rtol=1e-12)
    assert_allclose(at.solution.beta, expected.solution.beta, rtol=1e-10)
    slopes = covariance.split(at.gradient)
    assert_allclose(slopes[kept], expected.gradient, rtol=1e-9, atol=1e-9)
    for j, slope in enumerate(slopes):
        if j != kept:
            assert_allclose(slope, 0.0, atol=1e-10)
