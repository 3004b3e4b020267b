"""What users see of predictions: uncertainty, intervals, matrices and implied covariance."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor
from skmixed.datasets import load_pastes, load_sleepstudy


@pytest.fixture(scope="module")
def sleep() -> pd.DataFrame:
    return load_sleepstudy()


@pytest.fixture(scope="module")
def model(sleep) -> MixedLM:
    return MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(sleep)


def test_std_is_the_root_of_the_covariance_diagonal(model, sleep):
    mean, std = model.predict(sleep, return_std=True)
    again, covariance = model.predict(sleep, return_cov=True)
    assert np.array_equal(mean, again)
    assert np.array_equal(mean, model.predict(sleep))
    assert_allclose(np.sqrt(np.diagonal(covariance)), std, rtol=1e-12)
    assert_allclose(covariance, covariance.T, rtol=1e-12)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_both_uncertainties_at_once_are_refused(model, sleep):
    with pytest.raises(ValueError, match="At most one"):
        model.predict(sleep, return_std=True, return_cov=True)


@pytest.mark.parametrize("coverage", [0.5, 0.95])
def test_interval_is_mean_and_quantile_times_std(model, sleep, coverage):
    mean, std = model.predict(sleep, return_std=True)
    quantile = stats.t.ppf(0.5 + coverage / 2, 178)
    expected = np.column_stack([mean - quantile * std, mean + quantile * std])
    assert_allclose(model.predict_interval(sleep, coverage=coverage), expected, rtol=1e-10)


@pytest.mark.parametrize("coverage", [0.0, 1.0, 95, -0.5])
def test_coverage_is_a_probability(model, sleep, coverage):
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        model.predict_interval(sleep, coverage=coverage)


def test_intervals_without_groups_are_those_of_least_squares():
    """Prediction interval of a straight line: s sqrt(1 + 1/n + (x - mean)^2 / Sxx)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=12)
    y = 1 + x + rng.normal(size=12)
    with pytest.warns(NoGroupsWarning):
        model = RandomInterceptRegressor().fit(x[:, None], y)
    line = stats.linregress(x, y)
    residual = y - line.intercept - line.slope * x
    s = np.sqrt(residual @ residual / 10)
    at = np.array([-3.0, 0.0, 2.0])
    spread = s * np.sqrt(1 + 1 / 12 + (at - x.mean()) ** 2 / (12 * x.var()))
    width = stats.t.ppf(0.975, 10) * spread
    limits = model.predict_interval(at[:, None])
    assert_allclose(limits[:, 1] - limits[:, 0], 2 * width, rtol=1e-10)
    assert_allclose(limits.mean(axis=1), line.intercept + line.slope * at, rtol=1e-10)


def test_rows_of_new_groups_covary_within_the_group_alone(model):
    rows = pd.DataFrame({"Days": [0.0, 9.0, 9.0], "Subject": ["new", "new", "other"]})
    _, covariance = model.predict(rows, return_cov=True)
    effects = model.lmm_fit_.random[0].effect_covariance
    X = np.array([[1.0, 0.0], [1.0, 9.0], [1.0, 9.0]])
    shared = X @ model.lmm_fit_.fixed.covariance @ X.T
    between = X @ effects @ X.T * [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert_allclose(covariance, shared + between + model.sigma_**2 * np.eye(3), rtol=1e-9)


def test_design_matrices_make_the_predictions(model, sleep):
    matrices = model.design_matrices(sleep)
    assert list(matrices.X.columns) == ["Intercept", "Days"]
    modes = model.random_effects_["Subject"].to_numpy().ravel()
    fixed = matrices.X.to_numpy() @ [model.intercept_, *model.coef_]
    assert_allclose(fixed + matrices.Z @ modes, model.predict(sleep), rtol=1e-10)
    assert matrices.Z.shape == (180, 36)
    assert list(matrices.Z_columns.names) == ["group", "level", "effect"]
    assert matrices.Z_columns[1][2] == "Days"


def test_design_matrices_of_nested_and_plain_factors_make_the_predictions():
    data = load_pastes().assign(half=np.resize(["first", "second", "third"], 60))
    X, y = data[["batch", "cask", "half"]], data["strength"] + np.resize([0.0, 3.0, 1.0], 60)
    model = MixedLM(["half", "batch/cask"]).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        matrices = model.design_matrices(X)
    assert matrices.Z.shape == (60, 30 + 10 + 3)
    assert matrices.Z_columns[:2].tolist() == [
        ("batch:cask", "A:a", "Intercept"),
        ("batch:cask", "A:b", "Intercept"),
    ]
    modes = np.concatenate([part.to_numpy().ravel() for part in model.random_effects_.values()])
    assert_allclose(model.intercept_ + matrices.Z @ modes, model.predict(X), rtol=1e-10)


def test_design_matrices_of_unseen_groups_are_empty_rows(model):
    rows = pd.DataFrame({"Days": [1.0, 2.0], "Subject": ["new", "308"]})
    Z = model.design_matrices(rows).Z.toarray()
    assert not Z[0].any()


def test_marginal_covariance_is_that_of_the_model(model, sleep):
    rows = sleep.iloc[[0, 1, 10]]
    effects = model.lmm_fit_.random[0].effect_covariance
    Z = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    expected = Z @ effects @ Z.T * [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    expected += model.sigma_**2 * np.eye(3)
    assert_allclose(model.marginal_covariance(rows), expected, rtol=1e-10)
