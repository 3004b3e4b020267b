"""What every covariance structure promises, and how users name them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import (
    STRUCTURES,
    CovarianceStructure,
    Diagonal,
    DirectSum,
    Identity,
    Unstructured,
    covariance_structure,
)

SIZES = [1, 2, 3, 4]


def some_theta(structure: CovarianceStructure, n_effects: int) -> np.ndarray:
    return np.random.default_rng(n_effects).uniform(0.1, 2.0, structure.n_parameters(n_effects))


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", STRUCTURES)
def test_parameters_invert_the_factor(name, n_effects):
    structure = STRUCTURES[name]
    theta = some_theta(structure, n_effects)
    assert_allclose(structure.parameters(structure.factor(theta, n_effects)), theta, rtol=1e-13)


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", STRUCTURES)
def test_parameters_depend_on_the_covariance_not_on_its_root(name, n_effects):
    structure = STRUCTURES[name]
    factor = structure.factor(some_theta(structure, n_effects), n_effects)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(n_effects, n_effects)))[0]
    theta = structure.parameters(factor @ rotation)
    again = structure.factor(theta, n_effects)
    assert_allclose(again @ again.T, factor @ factor.T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_effects", SIZES)
@pytest.mark.parametrize("name", STRUCTURES)
def test_derivative_of_the_factor(name, n_effects):
    structure = STRUCTURES[name]
    theta = some_theta(structure, n_effects)
    derivative = structure.factor_derivative(theta, n_effects)
    assert derivative.shape == (len(theta), n_effects, n_effects)
    for one, step in zip(derivative, 1e-3 * np.eye(len(theta)), strict=True):
        up, down = (structure.factor(theta + sign * step, n_effects) for sign in (1, -1))
        assert_allclose(one, (up - down) / 2e-3, atol=1e-10)


@pytest.mark.parametrize("name", STRUCTURES)
def test_singular_roots_have_parameters(name):
    structure = STRUCTURES[name]
    root = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    theta = structure.parameters(root)
    assert np.isfinite(theta).all()
    assert (np.diagonal(structure.factor(theta, 3)) >= 0).all()
    assert_allclose(structure.parameters(np.zeros((3, 3))), 0.0)


@pytest.mark.parametrize("change", ["linear", "diagonal", "scalar"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_invariance_says_which_changes_keep_the_structure(name, change):
    structure = STRUCTURES[name]
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


def test_names_and_objects():
    assert covariance_structure("us") == covariance_structure("unstructured") == Unstructured()
    assert covariance_structure("diag") == Diagonal()
    own = Identity()
    assert covariance_structure(own) is own


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'toeplitz'.*\['diagonal', 'identity', 'unstructured'\]"):
        covariance_structure("toeplitz")


@pytest.mark.parametrize("wrong", [3, None, Diagonal, np.eye(2)])
def test_other_objects_are_refused(wrong):
    with pytest.raises(TypeError, match=r"skmixed.covariance.Diagonal\(\)"):
        covariance_structure(wrong)
