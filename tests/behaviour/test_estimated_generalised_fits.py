"""What users see of a generalised model that is too large for an exact fit."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedglm
from skmixed.likelihood import choose

FORMULA = "yes ~ x + (1 | user) + (1 | item)"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    n = 1200
    frame = pd.DataFrame(
        {"x": rng.normal(size=n), "user": rng.integers(0, 80, n), "item": rng.integers(0, 60, n)}
    )
    eta = 0.5 * frame["x"] + rng.normal(size=80)[frame["user"]] + rng.normal(size=60)[frame["item"]]
    frame["yes"] = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return frame


@pytest.fixture(scope="module")
def exact(data):
    return mixedglm(FORMULA, data, family="binomial")


@pytest.fixture(scope="module")
def estimated(data):
    """Fit as if the exact fit took too long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "QUICK", 0.0)
        patch.setattr(choose, "WORTH", 0.0)
        return mixedglm(FORMULA, data, family="binomial")


def test_estimates_and_their_errors_are_nearly_the_exact_ones(exact, estimated):
    assert exact.fit.monte_carlo is None
    assert estimated.converged
    assert_allclose(estimated.params, exact.params, atol=0.02 * exact.bse.max())
    assert_allclose(estimated.bse, exact.bse, rtol=4e-3)
    assert abs(estimated.llf - exact.llf) < 6.0 * estimated.llf_monte_carlo_error
    assert (estimated.monte_carlo_error > 0.0).all()
    assert "Monte-Carlo" in str(estimated.summary())


def test_predictions_of_known_and_new_groups(exact, estimated):
    new = pd.DataFrame({"x": [0.5, -1.0, 0.0], "user": [3, 5, 999], "item": [7, 999, 999]})
    for one, other in zip(
        estimated.predict(new, return_std=True), exact.predict(new, return_std=True), strict=True
    ):
        assert_allclose(one, other, rtol=0.02)


def test_it_can_be_stored(estimated):
    again = pickle.loads(pickle.dumps(estimated.fit))
    for one, other in zip(
        again.errors.covariances(), estimated.fit.errors.covariances(), strict=True
    ):
        assert_allclose(one, other)
