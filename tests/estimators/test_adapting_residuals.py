"""Rows that are added to fits with residual structures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from prediction.residual_rows import residual_data, whole_covariance

from skmixed import MixedLM
from skmixed.residual import AR1, Heterogeneous

FORMULA = "out ~ z + (0 + z | who)"
NEW = ["p00", "p05"]


@pytest.fixture(scope="module")
def data():
    return residual_data()


def assert_fitted_to_all(model, data, weights):
    """Compare with generalised least squares of all rows, dense, at the model's variances."""
    V = whole_covariance(model.results_, data, weights)
    X = np.column_stack([np.ones(len(data)), data["z"]])
    y = data["out"].to_numpy()
    covariance = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    beta = covariance @ X.T @ np.linalg.solve(V, y)
    assert_allclose(model.results_.params, beta, rtol=1e-9)
    assert_allclose(model.results_.cov_params(), covariance, rtol=1e-8)
    precise = np.linalg.solve(V, y - X @ beta)
    psi = model.results_.variance_components.iloc[0]["vcov"]
    for who, modes in model.random_effects_["who"].iterrows():
        own = (data["who"] == who).to_numpy()
        assert_allclose(modes["z"], psi * data["z"][own] @ precise[own], rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "residual",
    [Heterogeneous("stratum"), AR1("time"), AR1("time", "who") * Heterogeneous("stratum")],
)
def test_new_groups_count_as_if_they_had_been_fitted(residual, weighted, data):
    new = data["who"].isin(NEW).to_numpy()
    weights = np.linspace(0.5, 2.0, len(data)) if weighted else np.ones(len(data))
    model = MixedLM(formula=FORMULA, residual=residual)
    model.fit(data[~new], sample_weight=weights[~new])
    before, parameters = model.lmm_fit_, model.results_.residual_parameters
    model.adapt(data[new], sample_weight=weights[new])
    assert model.results_.residual_parameters == parameters
    assert model.lmm_fit_.sigma == before.sigma
    assert_fitted_to_all(model, data, weights)


def test_rows_of_known_groups_with_their_own_variances(data):
    later = (data["time"] > 3).to_numpy()
    model = MixedLM(formula=FORMULA, residual=Heterogeneous("stratum")).fit(data[~later])
    model.adapt(data[later])
    assert_fitted_to_all(model, data, np.ones(len(data)))
    rare = data[later].assign(stratum="rare")
    with pytest.raises(ValueError, match="residual variance was not estimated"):
        model.adapt(rare)


@pytest.mark.parametrize("residual", [AR1("time"), AR1("time", group="who")])
def test_correlated_rows_of_known_groups_are_refused(residual, data):
    later = (data["time"] > 3).to_numpy()
    model = MixedLM(formula=FORMULA, residual=residual).fit(data[~later])
    with pytest.raises(ValueError, match="may be correlated with those of earlier rows"):
        model.adapt(data[later])
    new = data[later].replace({"p03": "somebody"}).query("who == 'somebody'")
    model.adapt(new)
    with pytest.raises(ValueError, match="Fit all rows together"):
        model.adapt(new)


def test_without_factors_nobody_knows_whose_rows_they_are(data):
    model = MixedLM(formula="out ~ z", residual=AR1("time", group="who")).fit(data)
    with pytest.raises(ValueError, match="Fit all rows together"):
        model.adapt(data.head(1).assign(who="somebody"))


def test_columns_of_the_structure_are_needed(data):
    model = MixedLM(formula=FORMULA, residual=AR1("time")).fit(data)
    with pytest.raises(ValueError, match="reads \\['time'\\]"):
        model.adapt(data.head(2).assign(who="somebody").drop(columns="time"))


def test_forecasts_of_a_group_that_was_added(data):
    """Adding a person and passing its rows as the past gives what a fit of all rows would."""
    new = (data["who"] == "p03").to_numpy()
    future = new & (data["time"] == 5).to_numpy()
    model = MixedLM(formula=FORMULA, residual=AR1("time")).fit(data[~new])
    past = data[new & ~future]
    found = model.adapt(past).predict(data[future], residual_memory=(past,), return_std=True)
    V = whole_covariance(model.results_, data, np.ones(len(data)))
    order = np.r_[np.flatnonzero(~future), np.flatnonzero(future)]
    V, n = V[np.ix_(order, order)], len(data) - 1
    X = np.column_stack([np.ones(len(data)), data["z"]])[order]
    y = data["out"].to_numpy()[order][:n]
    K = np.linalg.solve(V[:n, :n], V[:n, n:]).T
    beta = model.results_.params.to_numpy()
    assert_allclose(found[0], X[n:] @ beta + K @ (y - X[:n] @ beta), rtol=1e-9)
    A = X[n:] - K @ X[:n]
    variance = V[n:, n:] - K @ V[:n, n:] + A @ model.results_.cov_params().to_numpy() @ A.T
    assert_allclose(found[1], np.sqrt(variance[0]), rtol=1e-8)
