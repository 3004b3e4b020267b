"""Rows of BEHAVIOUR.md on few groups, few rows in a group, and variances of zero."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning, mixedlm


def assert_least_squares(model, X, y, rtol=1e-9):
    ordinary = LinearRegression().fit(X, y)
    assert_allclose(model.coef_, ordinary.coef_, rtol=rtol)
    assert_allclose(model.intercept_, ordinary.intercept_, rtol=rtol)
    residual = y - ordinary.predict(X)
    degrees = len(y) - (X.shape[1] + 1) * (model.method == "reml")
    assert_allclose(model.residual_variance_, residual @ residual / degrees, rtol=rtol)


def test_some_singletons_are_fine_and_silent(X, y):
    X.loc[:20, "school"] = [f"single{i}" for i in range(21)]
    model = RandomInterceptRegressor("school").fit(X, y)
    assert model.converged_
    assert model.group_variance_ > 0
    assert np.isfinite(model.predict(X, return_std=True)[1]).all()


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("kind", ["only singletons", "one group"])
def test_groups_that_tell_nothing_give_least_squares_and_say_why(X, y, kind, method):
    X["school"] = [f"s{i}" for i in range(120)] if kind == "only singletons" else "one"
    reason = "every group has one row only" if kind == "only singletons" else "one group only"
    for model in (
        RandomInterceptRegressor("school", method=method),
        MixedLM("school", random_slopes="x1", method=method),
    ):
        with pytest.warns(SingularFitWarning, match=f"'school' is set to 0.*{reason}"):
            model.fit(X, y)
        assert_least_squares(model, X[["x1", "x2"]].to_numpy(), y)
        assert not model.lmm_fit_.random[0].effect_covariance.any()
        assert model.is_singular_
        assert model.converged_
        assert_allclose(model.predict(X), model.predict(X, include_random_effects=False))
        assert np.isfinite([model.aic_, model.bic_, model.icc_, model.log_likelihood_]).all()
        assert np.isfinite(model.predict(X, return_std=True)[1]).all()


def test_one_row_is_no_exception():
    with pytest.warns(UserWarning, match="All variances are 0"):
        model = RandomInterceptRegressor().fit([[1.0]], [2.0], groups=["a"])
    assert_allclose(model.predict([[5.0]], groups=["a"]), 2.0)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_a_group_variance_of_zero_gives_least_squares(X, method):
    """What is beside the fixed effects has the same mean in all groups: less than chance gives."""
    numbers = X[["x1", "x2"]].to_numpy()
    noise = X.assign(noise=np.random.default_rng(3).normal(size=120))
    response = 1.0 + numbers @ [2.0, -1.0] + noise["noise"].to_numpy()
    response -= noise.groupby("school")["noise"].transform("mean").to_numpy()
    model = RandomInterceptRegressor("school", method=method)
    message = "variance of 'school' is estimated as 0 .boundary.*valid estimate"
    with pytest.warns(SingularFitWarning, match=message):
        model.fit(X, response)
    assert_least_squares(model, numbers, response)
    assert model.group_variance_ == 0.0
    assert model.is_singular_
    assert model.converged_
    assert not model.random_effects_["school"].to_numpy().any()
    assert not model.shrinkage_.to_numpy().any()
    numbers = [model.aic_, model.bic_, model.icc_, model.score(X, response)]
    assert np.isfinite(numbers).all()
    assert np.isfinite(model.predict_interval(X)).all()
    assert np.isfinite(model.results_.conf_int().to_numpy()).all()
    assert model.icc_ == 0.0


@pytest.mark.slow
def test_200_data_sets_without_group_variance():
    """Issue 2, point 4: no exception, and least squares wherever the variance is 0."""
    n_zero = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 8, rng.integers(3, 16))
        groups = np.repeat(np.arange(len(sizes)), sizes)
        X = rng.normal(size=(len(groups), 2))
        y = X @ [1.0, -1.0] + rng.normal(size=len(groups))
        model = RandomInterceptRegressor(method=("reml", "ml")[seed % 2])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SingularFitWarning)
            model.fit(X, y, groups=groups)
        assert model.converged_
        assert model.group_variance_ >= 0
        assert np.isfinite(model.predict(X, groups=groups)).all()
        if model.is_singular_:
            n_zero += 1
            assert model.group_variance_ == 0.0
            assert_least_squares(model, X, y, rtol=1e-8)
    # Half of the estimates of a variance of 0 lie on the boundary, by and large.
    assert 60 < n_zero < 160


def test_50_data_sets_with_slopes_without_group_variance():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(10), 6)
        X = rng.normal(size=(60, 1))
        y = X[:, 0] + rng.normal(size=60)
        model = MixedLM(random_slopes=0, method=("reml", "ml")[seed % 2])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SingularFitWarning)
            model.fit(X, y, groups=groups)
        assert model.converged_
        between = model.lmm_fit_.random[0].effect_covariance
        assert np.linalg.eigvalsh(between).min() >= -1e-12
        intercepts = MixedLM(covariance="diagonal", method=model.method)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            intercepts.fit(X, y, groups=groups)
        assert model.log_likelihood_ >= intercepts.log_likelihood_ - 1e-8


def test_a_singular_covariance_of_slopes_is_a_valid_estimate(X):
    """The groups' slopes are a multiple of their intercepts: a correlation of 1."""
    effects = X["school"].str[1:].astype(int).to_numpy() - 4.5
    noise = 0.1 * np.random.default_rng(0).normal(size=120)
    response = effects + 0.5 * effects * X["x1"].to_numpy() + noise
    model = MixedLM("school", random_slopes="x1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        model.fit(X, response)
    assert model.converged_
    covariance = model.lmm_fit_.random[0].effect_covariance
    assert covariance[0, 1] ** 2 <= covariance[0, 0] * covariance[1, 1] * (1 + 1e-12)
    assert covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) > 0.99


@pytest.mark.parametrize("n", [2, 30])
def test_constant_y_is_accepted(n):
    groups = np.arange(n) % max(n // 3, 2)
    X = np.random.default_rng(0).normal(size=(n, 1))
    with pytest.warns(UserWarning, match="All variances are 0: y is constant"):
        model = RandomInterceptRegressor().fit(X, np.full(n, 4.0), groups=groups)
    assert model.group_variance_ == model.residual_variance_ == model.icc_ == 0.0
    assert_allclose(model.coef_, 0.0, atol=1e-14)
    assert_allclose(model.predict(X, groups=groups), 4.0)
    assert "4" in str(model.summary())


def test_y_that_the_fixed_effects_explain_exactly(X):
    with pytest.warns(UserWarning, match="the fixed effects explain y exactly"):
        model = RandomInterceptRegressor("school").fit(X, 1.0 + 2.0 * X["x1"])
    assert_allclose(model.coef_, [2.0, 0.0], atol=1e-12)
    assert model.sigma_ == 0.0


def test_y_that_the_groups_explain_exactly_has_no_optimum(X):
    """The residual variance tends to 0 and the likelihood to infinity: that is no convergence."""
    codes = X["school"].str[1:].astype(float)
    model = RandomInterceptRegressor("school")
    with pytest.warns(ConvergenceWarning, match="residual variance tends to 0"):
        model.fit(X, codes**2)
    assert not model.converged_
    assert_allclose(model.predict(X), codes**2, atol=1e-9)


def test_a_slope_that_is_constant_within_groups_is_not_identifiable(X, y):
    X["size"] = X["school"].map(X["school"].value_counts()).astype(float)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        MixedLM("school", random_slopes=["x1", "size"]).fit(X, y)
    messages = [str(warning.message) for warning in record]
    expected = "['size'] do not vary within any group of 'school'"
    assert sum(expected in message for message in messages) == 1


def test_a_covariate_that_is_constant_within_groups_is_estimated(data):
    sizes = data["school"].map(data["school"].value_counts()).astype(float)
    data["size"] = sizes
    data["y"] += 0.5 * sizes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = mixedlm("y ~ x1 + size + (1 | school)", data)
    assert abs(results.params["size"] - 0.5) < 3 * results.bse["size"]
    assert np.isfinite(results.bse["size"])
