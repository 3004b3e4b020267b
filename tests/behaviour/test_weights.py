"""Rows of BEHAVIOUR.md on weights, and the messages of those that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import RandomInterceptRegressor


@pytest.fixture
def model():
    return RandomInterceptRegressor("school")


def test_a_weight_of_zero_drops_the_row_and_an_emptied_group(model, X, y):
    gone = (X["school"] == "s3").to_numpy(copy=True)
    gone[:4] = True
    weighted = model.fit(X, y, sample_weight=(~gone).astype(float))
    assert "s3" not in weighted.groups_["school"]
    assert weighted.lmm_fit_.n_rows == (~gone).sum()
    dropped = RandomInterceptRegressor("school").fit(X[~gone], y[~gone])
    assert weighted.log_likelihood_ == dropped.log_likelihood_
    assert_allclose(weighted.predict(X), dropped.predict(X), rtol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: np.where(np.arange(120) == 3, -1.0, w), "Negative values"),
        (lambda w: np.where(np.arange(120) == 3, np.nan, w), "sample_weight contains NaN"),
        (lambda w: np.where(np.arange(120) == 3, np.inf, w), "sample_weight contains infinity"),
        (lambda w: 0 * w, "at least one non-zero"),
        (lambda w: w[:-1], r"sample_weight.shape == \(119,\), expected \(120,\)"),
        (lambda w: w[:, None], "must be 1D"),
    ],
    ids=["negative", "NaN", "infinite", "all zero", "too short", "2-D"],
)
def test_weights_that_cannot_be_used(model, X, y, change, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, sample_weight=change(np.ones(120)))


def test_a_number_is_the_weight_of_every_row(model, X, y):
    base = RandomInterceptRegressor("school").fit(X, y)
    assert_allclose(model.fit(X, y, sample_weight=2.0).coef_, base.coef_, rtol=1e-10)
    assert_allclose(model.residual_variance_, 2.0 * base.residual_variance_, rtol=1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (lambda _: np.ones(3), r"one value per row, 120, got shape \(3,\)"),
        (lambda g: np.where(np.arange(len(g)) == 3, 2.0, 1.0), "same in all rows of a group"),
        (lambda g: np.where(g == "s3", -1.0, 1.0), "not negative"),
        (lambda g: np.where(g == "s3", np.nan, 1.0), "finite"),
        (lambda _: {"s1": 1.0}, r"no weight for 9 groups of 'school', such as 's0'"),
        (lambda g: np.zeros(len(g)), "No row is left"),
    ],
    ids=["length", "varies", "negative", "NaN", "mapping", "all zero"],
)
def test_group_weights_that_cannot_be_used(model, X, y, weights, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, group_weight=weights(X["school"].to_numpy()))


def test_group_weights_need_groups(X, y):
    with (
        pytest.warns(UserWarning, match="No groups"),
        pytest.raises(ValueError, match="model has no groups"),
    ):
        RandomInterceptRegressor().fit(X[["x1"]], y, group_weight=np.ones(120))
