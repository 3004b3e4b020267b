"""Every arrangement of the factors, and both ways of summing over pairs, give one kernel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.likelihood import gram
from skmixed.likelihood.arrangement import arrange, arrangements
from skmixed.likelihood.blocked import BlockedKernel
from skmixed.likelihood.kernel import ScoreTensors

from .crossed import LAYOUTS, CrossedProblem, joint_structure, make_crossed, some_theta
from .test_blocked_kernel import products_of

DEPTHS = {
    "crossed": 1,
    "nested": 2,
    "partly crossed": 1,
    "three crossed": 1,
    "three nested": 3,
    "nested and crossed": 2,
}


def score(kernel: BlockedKernel, at) -> ScoreTensors:
    rng = np.random.default_rng(0)
    return kernel.score_tensors(at, rng.normal(size=(5, 5)), reml=1, nu=60.0, precision=2.0)


@pytest.fixture(params=[(1,), (2,), (3,)], ids=str)
def n_effects(request) -> int:
    return request.param[0]


@pytest.fixture(params=LAYOUTS)
def problem(request, n_effects) -> CrossedProblem:
    return make_crossed(request.param, n_effects, weighted=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nested_factors_are_found(layout):
    found = arrangements(products_of(make_crossed(layout)))
    assert [len(one.nested) for one in found] == list(range(1, DEPTHS[layout] + 1))


def test_a_whole_chain_is_never_densified():
    for layout in ("nested", "three nested"):
        assert not arrange(products_of(make_crossed(layout))).others


def test_all_arrangements_agree(problem):
    products = products_of(problem)
    covariance = joint_structure("unstructured", problem.sizes)
    factors = covariance.relative_factors(some_theta(covariance))
    kernels = [BlockedKernel(products, one) for one in arrangements(products)]
    evaluations = [kernel.whiten(factors) for kernel in kernels]
    base, *others = zip(kernels, evaluations, strict=True)
    for kernel, at in others:
        compare(base, (kernel, at))
        expected = base[0].errors(base[1], factors).covariances()
        for ours, theirs in zip(kernel.errors(at, factors).covariances(), expected, strict=True):
            assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("sums", [gram.PairSums, gram.DenseSums])
def test_both_sums_agree_with_the_choice(problem, sums, monkeypatch):
    products = products_of(problem)
    covariance = joint_structure("unstructured", problem.sizes)
    factors = covariance.relative_factors(some_theta(covariance))
    shallow = arrangements(products)[0]
    chosen = BlockedKernel(products, shallow)
    monkeypatch.setattr("skmixed.likelihood.largest.level_sums", sums)
    forced = BlockedKernel(products, shallow)
    compare((chosen, chosen.whiten(factors)), (forced, forced.whiten(factors)))


@pytest.mark.parametrize("zero", [0, 1])
def test_all_arrangements_agree_on_the_boundary(problem, zero):
    """One factor has no variance, and so a singular Lambda."""
    products = products_of(problem)
    covariance = joint_structure("unstructured", problem.sizes)
    factors = covariance.relative_factors(some_theta(covariance))
    factors[zero] = np.zeros_like(factors[zero])
    kernels = [BlockedKernel(products, one) for one in arrangements(products)]
    base, *others = [(kernel, kernel.whiten(factors)) for kernel in kernels]
    for other in others:
        compare(base, other)


def compare(base, other) -> None:
    """Compare two kernels at one theta."""
    (left_kernel, left), (right_kernel, right) = base, other
    assert_allclose(left.log_determinant, right.log_determinant, rtol=1e-12)
    assert_allclose(left.reduced, right.reduced, rtol=1e-10, atol=1e-10)
    expected, ours = score(left_kernel, left), score(right_kernel, right)
    for a, b in zip(expected.gradients, ours.gradients, strict=True):
        assert_allclose(b, a, rtol=1e-9, atol=1e-9)
    assert_allclose(ours.hessian, expected.hessian, rtol=1e-8, atol=1e-8)
