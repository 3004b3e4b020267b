"""What every covariance structure promises, and how users name them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import (
    AR1,
    STRUCTURES,
    CompoundSymmetry,
    CovarianceStructure,
    Diagonal,
    DirectSum,
    Identity,
    JointCovariance,
    Unstructured,
    covariance_structure,
)

SIZES = [1, 2, 3, 4]
EVERY = STRUCTURES | {"equal compound_symmetry": CompoundSymmetry(equal_variances=True)}


def some_theta(structure: CovarianceStructure, n_effects: int) -> np.ndarray:
    """Return standard deviations, and angles of less than 90 degrees."""
    return np.random.default_rng(n_effects).uniform(0.1, 1.5, structure.n_parameters(n_effects))


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", EVERY)
def test_parameters_invert_the_factor(name, n_effects):
    structure = EVERY[name]
    theta = some_theta(structure, n_effects)
    assert_allclose(structure.parameters(structure.factor(theta, n_effects)), theta, rtol=1e-13)


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", EVERY)
def test_parameters_depend_on_the_covariance_not_on_its_root(name, n_effects):
    structure = EVERY[name]
    factor = structure.factor(some_theta(structure, n_effects), n_effects)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(n_effects, n_effects)))[0]
    theta = structure.parameters(factor @ rotation)
    again = structure.factor(theta, n_effects)
    assert_allclose(again @ again.T, factor @ factor.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", EVERY)
def test_derivative_of_the_factor(name, n_effects):
    structure = EVERY[name]
    theta = some_theta(structure, n_effects)
    derivative = structure.factor_derivative(theta, n_effects)
    assert derivative.shape == (len(theta), n_effects, n_effects)
    for one, step in zip(derivative, 1e-5 * np.eye(len(theta)), strict=True):
        up, down = (structure.factor(theta + sign * step, n_effects) for sign in (1, -1))
        assert_allclose(one, (up - down) / 2e-5, atol=1e-9)


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("scale", [-1.0, 0.0, 1.0])
def test_second_derivative_of_the_factor(name, n_effects, scale):
    structure = EVERY[name]
    theta = scale * some_theta(structure, n_effects)
    m = len(theta)
    second = structure.factor_second_derivative(theta, n_effects)
    if second is None:
        second = np.zeros((m, m, n_effects, n_effects))
    assert second.shape == (m, m, n_effects, n_effects)
    for one, step in zip(second, 1e-5 * np.eye(m), strict=True):
        up, down = (structure.factor_derivative(theta + s * step, n_effects) for s in (1, -1))
        assert_allclose(one, (up - down) / 2e-5, atol=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_singular_roots_have_parameters(name):
    structure = EVERY[name]
    root = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    theta = structure.parameters(root)
    assert np.isfinite(theta).all()
    assert (np.diagonal(structure.factor(theta, 3)) >= 0).all()
    assert_allclose(structure.factor(structure.parameters(np.zeros((3, 3))), 3), 0.0)


@pytest.mark.parametrize("change", ["linear", "diagonal", "scalar"])
@pytest.mark.parametrize("name", EVERY)
def test_invariance_says_which_changes_keep_the_structure(name, change):
    structure = EVERY[name]
    factor = structure.factor(some_theta(structure, 3), 3)
    matrix = {
        "linear": np.array([[1.0, 0.5, -2.0], [0.0, 3.0, 0.2], [0.0, 0.0, 0.1]]),
        "diagonal": np.diag([1.0, 3.0, 0.1]),
        "scalar": 3.0 * np.eye(3),
    }[change]
    changed = matrix @ factor
    nearest = structure.factor(structure.parameters(changed), 3)
    kept = np.allclose(nearest @ nearest.T, changed @ changed.T)
    order = ["scalar", "diagonal", "linear"]
    assert kept == (order.index(change) <= order.index(structure.invariance))


@pytest.mark.parametrize("rho", [-1.0, -0.999999, -0.5, 0.0, 0.7, 0.99999999, 1.0])
def test_correlations_of_ar1_decay(rho):
    factor = AR1().factor(np.array([3.0, np.arcsin(rho)]), 5)
    distance = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    assert_allclose(factor @ factor.T, 9.0 * rho**distance, atol=1e-14)
    assert_allclose(np.triu(factor, 1), 0.0)
    assert_allclose(AR1().parameters(factor), [3.0, np.arcsin(rho)], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_ar1_mirrors_at_its_boundaries(sign):
    """Beyond rho = 1 it comes back: the boundary is a stationary point, as that at variance 0."""
    near, beyond = (AR1().factor(np.array([2.0, sign * np.pi / 2 + d]), 4) for d in (-0.1, 0.1))
    assert_allclose(near @ near.T, beyond @ beyond.T, atol=1e-14)
    factor = AR1().factor(np.array([-2.0, 0.3]), 4)
    assert_allclose(factor, -AR1().factor(np.array([2.0, 0.3]), 4))


@pytest.mark.parametrize("rho", [-0.5, -0.4999999, -0.2, 0.0, 0.9, 1.0])
@pytest.mark.parametrize("equal", [False, True])
def test_correlations_of_compound_symmetry(equal, rho):
    structure = CompoundSymmetry(equal_variances=equal)
    sd = np.array([2.0, 2.0, 2.0] if equal else [1.0, 2.0, 0.5])
    expected = np.outer(sd, sd) * (rho + (1.0 - rho) * np.eye(3))
    values, vectors = np.linalg.eigh(expected)
    theta = structure.parameters(vectors * np.sqrt(np.maximum(values, 0.0)))
    factor = structure.factor(theta, 3)
    assert_allclose(factor @ factor.T, expected, atol=1e-7 if abs(rho + 0.5) < 1e-6 else 1e-13)
    assert_allclose(np.diagonal(factor @ factor.T), sd**2, rtol=1e-12)


def test_correlation_of_some_effects_where_others_have_no_variance():
    expected = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, 0.0], [0.0, 0.0, 0.0]])
    root = np.zeros((3, 3))
    root[:2, :2] = np.linalg.cholesky(expected[:2, :2])
    theta = CompoundSymmetry().parameters(root)
    factor = CompoundSymmetry().factor(theta, 3)
    assert_allclose(factor @ factor.T, expected, atol=1e-14)
    assert theta[2] == 0.0


@pytest.mark.parametrize("name", ["ar1", "compound_symmetry", "equal compound_symmetry"])
def test_a_singular_covariance_has_parameters_on_the_boundary(name):
    """The search ends near a boundary; a root whose small part is left out stands for the point."""
    structure = EVERY[name]
    expected = np.diag([1.0, 1.0, 1.0]) * 1e-9 + np.ones((3, 3))
    left, parts, _ = np.linalg.svd(np.linalg.cholesky(expected))
    theta = structure.parameters(left * np.where(parts < 1e-3, 0.0, parts))
    factor = structure.factor(theta, 3)
    assert_allclose(factor @ factor.T, np.ones((3, 3)), atol=1e-8)
    assert np.linalg.svd(factor)[1][-1] < 1e-14


def test_only_standard_deviations_of_three_effects_need_bounds():
    assert_allclose(CompoundSymmetry().lower_bounds(3), [0.0, 0.0, 0.0, -np.inf])
    for name, structure in EVERY.items():
        for n_effects in (1, 2, 3):
            if (name, n_effects) != ("compound_symmetry", 3):
                assert structure.lower_bounds(n_effects) is None
    several = JointCovariance(
        (
            DirectSum((Unstructured(), CompoundSymmetry()), (1, 3)),
            DirectSum((AR1(),), (3,)),
        )
    )
    free = -np.inf
    assert_allclose(several.lower_bounds, [free, 0.0, 0.0, 0.0, free, free, free])
    assert several.of_factors([1]).lower_bounds is None


def test_theta_of_unstructured_runs_down_the_columns_as_in_lme4():
    factor = Unstructured().factor(np.arange(1.0, 7.0), 3)
    assert_allclose(factor, [[1, 0, 0], [2, 4, 0], [3, 5, 6]])


def test_direct_sum_puts_structures_side_by_side():
    joined = DirectSum((Unstructured(), Identity(), Diagonal()), (2, 2, 1))
    assert (joined.n_effects, joined.n_parameters) == (5, 5)
    theta = np.array([1.0, 0.5, 2.0, 3.0, 4.0])
    expected = np.diag([1.0, 2.0, 3.0, 3.0, 4.0])
    expected[1, 0] = 0.5
    assert_allclose(joined.factor(theta), expected)
    assert [part.tolist() for part in joined.split_parameters(theta)] == [[1, 0.5, 2], [3], [4]]
    assert_allclose(joined.parameters(joined.factor(theta)), theta)
    derivative = joined.factor_derivative(theta)
    assert_allclose(np.einsum("m,mij->ij", theta, derivative), expected)


def test_second_derivatives_of_a_direct_sum():
    joined = DirectSum((Unstructured(), AR1(), CompoundSymmetry()), (2, 3, 2))
    theta = np.random.default_rng(0).uniform(0.2, 1.3, joined.n_parameters)
    second = joined.factor_second_derivative(theta)
    steps = 1e-5 * np.eye(len(theta))
    slopes = [
        (joined.factor_derivative(theta + s) - joined.factor_derivative(theta - s)) / 2e-5
        for s in steps
    ]
    assert_allclose(second, slopes, atol=1e-9)
    linear = DirectSum((Unstructured(), Identity()), (2, 3))
    assert linear.factor_second_derivative(np.ones(4)) is None


def test_names_and_objects():
    assert covariance_structure("us") == covariance_structure("unstructured") == Unstructured()
    assert covariance_structure("diag") == Diagonal()
    assert covariance_structure("cs") == CompoundSymmetry() != CompoundSymmetry(True)
    assert covariance_structure("ar1") == AR1()
    own = Identity()
    assert covariance_structure(own) is own


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'toeplitz'.*\['ar1', .*, 'unstructured'\]"):
        covariance_structure("toeplitz")


@pytest.mark.parametrize("wrong", [3, None, Diagonal, np.eye(2)])
def test_other_objects_are_refused(wrong):
    with pytest.raises(TypeError, match=r"skmixed.covariance.Diagonal\(\)"):
        covariance_structure(wrong)
