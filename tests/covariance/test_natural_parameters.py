"""Natural parameters of every structure: values, derivatives, and what holds one of them."""

from __future__ import annotations

import numpy as np
import pytest
from covariance.user_structures import Decay, Plain, Toeplitz
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.covariance import (
    AR1,
    CompoundSymmetry,
    Diagonal,
    Identity,
    Unstructured,
    needs_ordered_effects,
)
from skmixed.covariance.effect_parameters import natural_parameters
from skmixed.covariance.parametrisation import parametrised_by
from skmixed.covariance.scales import Angle, EqualAngle, FisherZ, Linear, Logarithm

BUILT_IN = [
    Unstructured(),
    Diagonal(),
    Identity(),
    CompoundSymmetry(),
    CompoundSymmetry(equal_variances=True),
    AR1(),
]
EVERY = [*BUILT_IN, Toeplitz(), Decay((0.0, 1.0, 2.5)), *map(Plain, BUILT_IN)]
THETA = np.array([0.9, 0.4, 0.7, 0.5, -0.3, 0.6])
DIRECTIONS = {
    "linear": np.array([[2.0, -1.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 3.0]]),
    "diagonal": np.diag([2.0, 0.5, 3.0]),
    "scalar": 2.0 * np.eye(3),
}


def case(structure):
    theta = THETA[: structure.n_parameters(3)]
    directions = DIRECTIONS[structure.invariance]
    return theta, directions, natural_parameters(structure, directions)


def differences(function, at):
    steps = 1e-6 * np.eye(len(at))
    return np.array([(function(at + s) - function(at - s)) / 2e-6 for s in steps])


@pytest.mark.parametrize("structure", EVERY, ids=repr)
def test_values_are_those_of_the_covariance(structure):
    theta, directions, listed = case(structure)
    root = directions @ structure.factor(theta, 3)
    Psi = root @ root.T
    for one in listed:
        value = one.at(theta).value
        if one.name == "sd":
            (i,) = one.effects
            assert_allclose(value, np.sqrt(Psi[i, i]), rtol=1e-13)
        elif one.name == "cor":
            i, j = one.effects
            assert_allclose(value, Psi[i, j] / np.sqrt(Psi[i, i] * Psi[j, j]), rtol=1e-12)


@pytest.mark.parametrize("structure", EVERY, ids=repr)
def test_gradients_are_those_of_differences(structure):
    theta, _, listed = case(structure)
    for one in listed:
        slopes = differences(lambda at, one=one: one.at(at).value, theta)
        assert_allclose(one.at(theta).gradient, slopes, atol=1e-8, err_msg=one.name)


@pytest.mark.parametrize("structure", EVERY[:-6], ids=repr)
def test_powers_make_up_the_covariance(structure):
    theta, directions, listed = case(structure)
    root = directions @ structure.factor(theta, 3)
    powers = [(one.at(theta).value, one.powers) for one in listed if one.powers is not None]
    if len(powers) < len(listed):  # Decay has a parameter that is no factor of its entries.
        return
    product = np.prod([value ** power.astype(float) for value, power in powers], axis=0)
    entry = np.any([power for _, power in powers if not power.diagonal().any()], axis=0)
    expected = np.where(entry | np.eye(3, dtype=bool), product, 0.0)
    assert_allclose(root @ root.T, expected, rtol=1e-12, atol=1e-14)


def test_a_structure_without_a_list_has_its_distinct_parameters():
    for structure in BUILT_IN[:-1]:
        _, directions, listed = case(structure)
        plain = natural_parameters(Plain(structure), directions)
        assert [(one.name, one.effects) for one in plain] == [
            (one.name, one.effects) for one in listed
        ]
    found = [(one.name, one.effects) for one in natural_parameters(Toeplitz(), np.eye(3))]
    assert found == [("sd", (0,)), ("cor", (0, 1)), ("cor", (0, 2))]
    near = natural_parameters(Toeplitz(), np.eye(3))[1]
    assert_array_equal(near.powers, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def test_a_boundary_has_a_way_off():
    """There the distance from it is the length of a vector, whose derivative is given."""
    first, _, correlation = natural_parameters(Unstructured(), np.eye(2))
    step = np.array([0.3, 0.2, 0.4])
    gone = first.at(np.array([0.0, 0.5, 0.7]))
    assert gone.value == 0.0
    moved = first.at(np.array([0.0, 0.5, 0.7]) + 1e-3 * step)
    assert_allclose(moved.value, 1e-3 * np.linalg.norm(gone.departure @ step), rtol=1e-12)
    singular = np.array([0.6, 0.5, 0.0])
    bound = correlation.at(singular)
    assert bound.value == 1.0
    angle = np.arccos(correlation.at(singular + 1e-3 * step).value)
    assert_allclose(angle, 1e-3 * np.linalg.norm(bound.departure @ step), rtol=1e-2)
    assert np.isnan(correlation.at(np.zeros(3)).value)


@pytest.mark.parametrize("structure", EVERY, ids=repr)
def test_a_held_parameter_has_its_value(structure):
    theta, directions, listed = case(structure)
    root = structure.factor(theta, 3)
    for one in listed:
        held, position, scale = parametrised_by(structure, one, directions, root)
        start = held.parameters(root)
        same = held.factor(start, 3)
        assert_allclose(same @ same.T, root @ root.T, atol=1e-9, err_msg=one.name)
        start = start + 0.05 * np.cos(np.arange(len(start)))
        rows = directions @ held.factor(start, 3)
        value = scale.to_user(start[position])
        if one.name == "sd":
            assert_allclose(np.linalg.norm(rows[one.effects[0]]), value, rtol=1e-9)
        elif one.name == "cor":
            a, b = (rows[i] / np.linalg.norm(rows[i]) for i in one.effects)
            assert_allclose(a @ b, value, rtol=1e-9)
        else:
            theta_of_root = structure.parameters(held.factor(start, 3))
            assert_allclose(one.at(theta_of_root).value, value, rtol=1e-9)


@pytest.mark.parametrize("structure", EVERY, ids=repr)
def test_derivatives_where_a_parameter_is_held(structure):
    theta, directions, listed = case(structure)
    root = structure.factor(theta, 3)
    for one in listed:
        held, _, _ = parametrised_by(structure, one, directions, root)
        at = held.parameters(root) + 0.02
        slopes = differences(lambda z, held=held: held.factor(z, 3), at)
        assert_allclose(held.factor_derivative(at, 3), slopes, atol=1e-7, err_msg=one.name)
        bends = differences(lambda z, held=held: held.factor_derivative(z, 3), at)
        second = held.factor_second_derivative(at, 3)
        second = np.zeros_like(bends) if second is None else second
        assert_allclose(second, bends, atol=1e-6, err_msg=one.name)


@pytest.mark.parametrize(
    "scale",
    [Linear(2.0, 1.0), Logarithm(3.0), FisherZ(), Angle(), EqualAngle(4)],
    ids=lambda scale: type(scale).__name__,
)
def test_scales_are_inverse_and_have_derivatives(scale):
    internal = np.array([0.2, 0.5, 0.9])
    values = scale.to_user(internal)
    assert_allclose(scale.to_internal(values), internal, rtol=1e-12)
    slopes = (scale.to_user(internal + 1e-6) - scale.to_user(internal - 1e-6)) / 2e-6
    assert_allclose(scale.derivative(internal), slopes, rtol=1e-8)


def test_only_occasions_need_an_order():
    assert needs_ordered_effects(AR1())
    assert not needs_ordered_effects(CompoundSymmetry())
    assert not needs_ordered_effects(Toeplitz())
