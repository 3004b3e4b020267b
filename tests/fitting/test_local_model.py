"""Quadratic models: their steps, bounds and units."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.fitting.local_model import LocalModel

HESSIAN = np.array([[2.0, 1.0], [1.0, 3.0]])


def test_the_newton_step_leads_to_the_stationary_point():
    gradient = np.array([1.0, -2.0])
    model = LocalModel.of(np.zeros(2), gradient, HESSIAN)
    expected = -np.linalg.solve(HESSIAN, gradient)
    assert_allclose(model.step(10.0), expected)
    assert_allclose(model.distance**2, -gradient @ expected)
    assert_allclose(model.predicted(expected), 0.5 * gradient @ expected)
    assert_allclose(np.linalg.norm(model.step(0.1)), 0.1)


def test_a_parameter_is_held_on_its_bound_if_the_gradient_points_inwards():
    model = LocalModel.of(np.zeros(2), np.array([1.0, -2.0]), HESSIAN, np.zeros(2))
    assert_allclose(model.step(10.0), [0.0, 2.0 / 3.0])


def test_a_parameter_is_held_if_another_one_drives_it_out():
    """The first is drawn inwards by its own gradient, and outwards by the step of the second."""
    hessian = np.array([[2.0, 2.4], [2.4, 3.0]])
    gradient = np.array([-0.1, -2.0])
    assert np.linalg.solve(hessian, -gradient)[0] < 0.0
    model = LocalModel.of(np.zeros(2), gradient, hessian, np.array([0.0, -np.inf]))
    assert_allclose(model.step(10.0), [0.0, 2.0 / 3.0])


def test_a_step_ends_on_the_bound():
    model = LocalModel.of(np.array([0.1, 1.0]), np.array([5.0, 0.0]), HESSIAN, np.zeros(2))
    assert_allclose(model.step(10.0)[0], -0.1)


def test_everything_may_be_held():
    model = LocalModel.of(np.zeros(2), np.ones(2), HESSIAN, np.zeros(2))
    assert model.distance == 0.0
    assert not model.saddle
    assert_array_equal(model.step(1.0), 0.0)


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-6])
def test_large_parameters_have_units_of_their_own(unit):
    units = np.array([unit, 1.0])
    theta = np.array([300.0 / unit, 0.5])
    gradient = np.array([1.0, -2.0])
    model = LocalModel.of(theta, units * gradient, units * HESSIAN * units[:, None])
    expected = -np.linalg.solve(HESSIAN, gradient)
    assert_allclose(units * model.step(1e9), expected, rtol=1e-8)
    assert_allclose(model.distance**2, -gradient @ expected, rtol=1e-8)


@pytest.mark.parametrize("size", [0.0, 1e3])
def test_the_way_off_a_saddle(size):
    model = LocalModel.of(np.array([0.0, size]), np.zeros(2), np.diag([-1.0, 4.0]))
    assert model.saddle
    step = model.step(0.5)
    assert_allclose(np.abs(step), [0.5, 0.0])
    assert model.predicted(step) < 0.0
