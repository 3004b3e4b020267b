"""The objective of many responses against that of each response alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import (
    AR1,
    CompoundSymmetry,
    Diagonal,
    DirectSum,
    Identity,
    JointCovariance,
    Unstructured,
)
from skmixed.covariance.many import parameters_of_many
from skmixed.likelihood.batched import LevelKinds, cholesky_over_groups, solve_lower_over_groups
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.many_responses import ManyResponses, Moments
from skmixed.likelihood.profiled import ProfiledObjective

STRUCTURES = [
    Unstructured(),
    Diagonal(),
    Identity(),
    AR1(),
    CompoundSymmetry(),
    CompoundSymmetry(equal_variances=True),
]
N, N_LEVELS, M = 60, 8, 5


def problem(covariance, reml, multiplicity):
    """Return the objective of all responses, and one objective for each."""
    rng = np.random.default_rng(3)
    k = covariance.n_effects
    X, Z, Y = rng.normal(size=(2, N)), rng.normal(size=(k, N)), rng.normal(size=(M, N))
    codes = np.arange(N) % N_LEVELS
    # Half of the levels have the same Z.
    for level in range(1, 4):
        Z[:, codes == level] = Z[:, codes == 0][:, : (codes == level).sum()]
    counts = None if multiplicity is None else multiplicity[codes]
    alone = []
    for y in Y:
        A = np.vstack([X, y])
        counted = A if counts is None else A * counts
        factor = factor_products(Z, A, codes, N_LEVELS, multiplicity)
        n_rows = float(N if counts is None else counts.sum())
        products = CrossProducts(n_rows, 0.7, counted @ A.T, (factor,))
        alone.append(ProfiledObjective(products, JointCovariance((covariance,)), reml=reml))
    moments = moments_of(X, Z, Y, codes, multiplicity)
    return ManyResponses(moments, covariance, reml=reml), alone


def moments_of(X, Z, Y, codes, multiplicity):
    """Return the moments from their definitions."""
    A = np.vstack([X, Y])
    factor = factor_products(Z, A, codes, N_LEVELS)
    R = cholesky_over_groups(factor.ZtWZ, semidefinite=True)
    c = solve_lower_over_groups(R, factor.ZtWA.copy(), semidefinite=True)
    times = np.ones(N_LEVELS) if multiplicity is None else multiplicity
    total = (A * times[codes]) @ A.T
    within = total - np.einsum("ikg,jkg,g->ij", c, c, times)
    kinds = LevelKinds(factor.ZtWZ, multiplicity)
    cells = kinds.sums(np.einsum("iag,jbg->ijabg", c, c)).reshape(len(A), len(A), -1)
    p = len(X)
    return Moments(
        R=R[:, :, kinds.first],
        counts=kinds.counts,
        n_rows=float(times[codes].sum()),
        sum_log_weights=0.7,
        within_XX=within[:p, :p],
        within_Xy=within[p:, :p],
        within_yy=within.diagonal()[p:],
        XX=cells[:p, :p].transpose(2, 0, 1),
        Xy=cells[:p, p:].transpose(1, 2, 0),
        yy=np.array([cells[i, i] for i in range(p, len(A))]),
    )


@pytest.mark.parametrize("multiplicity", [None, np.arange(1.0, N_LEVELS + 1.0)], ids=["1", "w"])
@pytest.mark.parametrize("reml", [True, False], ids=["reml", "ml"])
@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_value_gradient_and_hessian(structure, reml, multiplicity):
    covariance = DirectSum((structure, Unstructured()), (2, 1))
    many, alone = problem(covariance, reml, multiplicity)
    rng = np.random.default_rng(4)
    theta = rng.uniform(0.1, 1.0, size=(M, covariance.n_parameters))
    which = np.array([4, 0, 2])
    at = many(theta[which], which)
    assert_allclose(many.values(theta)[which], at.value, rtol=1e-12)
    for row, i in enumerate(which):
        one = alone[i](theta[i])
        assert_allclose(at.value[row], one.value, rtol=1e-12)
        assert_allclose(at.gradient[row], one.gradient, rtol=1e-9, atol=1e-10)
        assert_allclose(at.hessian[row], one.hessian, rtol=1e-9, atol=1e-10)
        assert_allclose(at.beta[row], one.solution.beta, rtol=1e-9)
        assert_allclose(at.r2[row], one.solution.r2, rtol=1e-11)


def test_levels_of_equal_columns_are_one_kind():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(2, 6, 5))
    Z[:, 3] = Z[:, 0]
    Z[:, 4] = Z[:, 0] * (1.0 + 1e-15)
    ZtWZ = np.einsum("jgn,kgn->jkg", Z, Z)
    kinds = LevelKinds(ZtWZ, None)
    assert sorted(kinds.counts) == [1, 1, 1, 3]
    values = rng.normal(size=(3, 6))
    together = np.flatnonzero(kinds.counts == 3)
    assert_allclose(kinds.sums(values)[:, together[0]], values[:, [0, 3, 4]].sum(axis=1))
    counted = LevelKinds(ZtWZ, np.array([1.0, 1.0, 1.0, 2.0, 5.0, 1.0]))
    assert sorted(counted.counts) == [1.0, 1.0, 1.0, 8.0]


def test_a_singular_information_spoils_one_response_only():
    covariance = DirectSum((Unstructured(),), (1,))
    many, _ = problem(covariance, True, None)
    theta = np.ones((M, 1))
    theta[2] = np.nan
    at = many(theta, np.arange(M))
    assert np.isfinite(at.value).tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_parameters_of_many(structure):
    covariance = DirectSum((structure, Unstructured()), (3, 1))
    roots = np.random.default_rng(1).normal(size=(7, 4, 4))
    expected = [covariance.parameters(root) for root in roots]
    assert_allclose(parameters_of_many(covariance, roots), expected, atol=1e-12)
