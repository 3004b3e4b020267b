"""The estimators' methods give what the functions give, for every row of X."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from inference.diagnostics.diagnostics_models import crossed, unbalanced
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold

from skmixed import MixedLM, RandomInterceptRegressor
from skmixed.datasets import load_sleepstudy
from skmixed.inference import kfold_predict, logo_predict, loo_predict

METHODS = ["loo_predict", "logo_predict", "kfold_predict"]


@pytest.mark.parametrize("name", METHODS)
def test_methods_give_what_the_functions_give(name: str) -> None:
    data = unbalanced()
    function: Any = {f.__name__: f for f in (loo_predict, logo_predict, kfold_predict)}[name]
    estimator = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(data)
    mean, std = getattr(estimator, name)(data, return_std=True)
    expected = function(estimator, data, return_std=True)
    assert type(mean) is np.ndarray
    assert_allclose(mean, expected[0])
    assert_allclose(std, expected[1])
    assert_allclose(getattr(estimator, name)(data), mean)


@pytest.mark.parametrize("name", METHODS)
def test_rows_of_weight_zero_are_predicted_from_those_that_were_fitted(name: str) -> None:
    data = crossed()
    X, y, g = data[["x"]].to_numpy(), data["y"].to_numpy(), data["g"].to_numpy()
    weights = np.where((np.arange(120) % 9 == 0) | (g == 4), 0.0, data["w"])
    fitted = weights > 0
    estimator = RandomInterceptRegressor().fit(X, y, groups=g, sample_weight=weights)
    ours = getattr(estimator, name)(X, y, groups=g, sample_weight=weights)
    same = clone(estimator).fit(
        X[fitted], y[fitted], groups=g[fitted], sample_weight=weights[fitted]
    )
    theirs = getattr(same, name)(
        X[fitted], y[fitted], groups=g[fitted], sample_weight=weights[fitted]
    )
    assert_allclose(ours[fitted], theirs, rtol=1e-9)
    assert_allclose(ours[~fitted], same.predict(X, groups=g)[~fitted], rtol=1e-9)


def test_groups_of_weight_zero() -> None:
    data = crossed()
    X, y, g = data[["x"]].to_numpy(), data["y"].to_numpy(), data["g"].to_numpy()
    times = {int(one): float(one % 3) for one in range(12)}
    by_row = np.array([times[int(one)] for one in g])
    estimator = RandomInterceptRegressor().fit(X, y, groups=g, group_weight=times)
    ours = estimator.logo_predict(X, y, groups=g, group_weight=by_row)
    assert ours.shape == (120,)
    assert_allclose(ours[by_row == 0], estimator.predict(X, groups=g)[by_row == 0])
    with pytest.raises(ValueError, match="some groups have weight 0"):
        estimator.loo_predict(X, y, groups=g, group_weight=times)


def test_factors_and_folds_are_passed_on() -> None:
    data = crossed()
    estimator = MixedLM(formula="y ~ x + (1 | g) + (1 | h)").fit(data)
    by_h = estimator.logo_predict(data, factor="h")
    folds = estimator.kfold_predict(data, None, GroupKFold(5), factor="h")
    assert_allclose(by_h, folds, rtol=1e-9)
    assert np.abs(by_h - estimator.logo_predict(data, factor="g")).max() > 0.1


@pytest.mark.parametrize("name", METHODS)
def test_they_need_a_fit(name: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(RandomInterceptRegressor(), name)(np.ones((3, 1)), np.ones(3))


def test_labels_to_leave_out_may_have_rows_of_weight_0() -> None:
    data = load_sleepstudy()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    weights = np.where(np.arange(180) % 7 == 0, 0.0, 1.0)
    kept = weights > 0.0
    week = (data["Days"] // 5).astype(str)
    model = MixedLM("Subject").fit(X, y, sample_weight=weights)
    found = model.logo_predict(X, y, factor=week, sample_weight=weights)
    alone = MixedLM("Subject").fit(X[kept], y[kept])
    assert_allclose(found[kept], alone.logo_predict(X[kept], y[kept], factor=week[kept]))
    listed = model.logo_predict(X, y, factor=week.to_list(), sample_weight=weights)
    assert_allclose(listed, found)


@pytest.mark.parametrize(("slope", "offset"), [(7e8, 0.0), (1e11, 0.0), (1.0, 1e9), (1e4, 1e8)])
def test_rows_of_large_numbers_are_still_those_of_the_fit(slope, offset):
    """The residuals are differences of numbers many orders of magnitude larger than they are."""
    rng = np.random.default_rng(42)
    groups, x = np.repeat(np.arange(8), 5), rng.normal(size=(40, 1)) + offset
    y = slope * x[:, 0] + rng.normal(size=8)[groups] + rng.normal(size=40)
    model = MixedLM().fit(x, y, groups=groups)
    assert np.isfinite(model.loo_predict(x, y, groups=groups)).all()
    assert np.isfinite(model.logo_predict(x, y, groups=groups)).all()
    with pytest.raises(ValueError, match="not the rows"):
        model.loo_predict(x, y[::-1], groups=groups)
