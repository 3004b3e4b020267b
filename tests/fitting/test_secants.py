"""What a few gradients tell of a curvature."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.fitting.local_model import LocalModel
from skmixed.fitting.newton import Secants


def test_as_many_steps_as_parameters_tell_the_whole_hessian():
    """The formula of rank one is exact on a quadratic (Nocedal and Wright 2006, theorem 6.1)."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    hessian = root @ root.T + np.eye(4)
    secants = Secants(4)
    theta = np.zeros(4)
    for step in np.vstack([np.zeros(4), 0.01 * rng.normal(size=(4, 4))]):
        theta = theta + step
        model = secants.corrected(LocalModel.of(theta, hessian @ theta, np.eye(4)))
    assert_allclose(model.hessian, hessian, rtol=1e-8)
    assert_allclose(theta + model.step(1.0), 0.0, atol=1e-12)


def test_steps_far_from_the_optimum_say_nothing():
    secants = Secants(1)
    for theta in (np.array([9.0]), np.array([4.0])):
        model = secants.corrected(LocalModel.of(theta, 100.0 * theta, np.eye(1)))
    assert_array_equal(model.hessian, np.eye(1))


def test_a_rejected_step_changes_nothing():
    secants = Secants(1)
    theta = np.array([0.01])
    first = secants.corrected(LocalModel.of(theta, theta, np.eye(1)))
    assert secants.corrected(LocalModel.of(theta, theta, np.eye(1))) is first
