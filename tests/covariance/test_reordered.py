"""Triangles that take the effects in another order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import Diagonal, DirectSum, Unstructured
from skmixed.covariance.leading import LeadingEffect


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_covariance_is_kept(order):
    root = np.random.default_rng(0).normal(size=(3, 3))
    structure = LeadingEffect.in_order(order)
    factor = structure.factor(structure.parameters(root), 3)
    assert_allclose(factor @ factor.T, root @ root.T, rtol=1e-12)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_derivatives_are_those_of_the_factor(order):
    structure = LeadingEffect.in_order(order)
    theta = np.arange(1.0, 7.0)
    for derivative, step in zip(structure.factor_derivative(theta, 3), np.eye(6), strict=True):
        change = structure.factor(theta + step, 3) - structure.factor(theta, 3)
        assert_allclose(derivative, change, atol=1e-14)


def test_the_largest_variance_leads_in_unstructured_terms_only():
    joint = DirectSum((Unstructured(), Diagonal()), (2, 2))
    led = joint.led_by_largest(np.diag([1.0, 5.0, 1.0, 5.0]))
    assert led.structures[1] == Diagonal()
    again = led.led_by_largest(np.diag([5.0, 1.0, 1.0, 5.0]))
    triangle = np.array([2.0, 0.5, 1.0])
    assert_allclose(led.structures[0].factor(triangle, 2), [[0.5, 1.0], [2.0, 0.0]])
    assert_allclose(again.structures[0].factor(triangle, 2), [[2.0, 0.0], [0.5, 1.0]])
