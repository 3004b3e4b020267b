"""Models with residual structures in what users do with estimators."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from behaviour.test_saving import by_joblib, by_oldest_pickle, by_skops
from numpy.testing import assert_allclose, assert_array_equal
from prediction.residual_rows import residual_data
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmixed import GroupConformalRegressor, MixedLM, cross_validate_groups, mixedlm
from skmixed.residual import AR1, Heterogeneous

RESIDUAL = AR1("time") * Heterogeneous("stratum")
COLUMNS = ["z", "time", "who", "stratum"]
pytestmark = pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")


@pytest.fixture(scope="module")
def data():
    return residual_data(n_groups=12, n_rows=5)


@pytest.fixture(scope="module", name="X")
def columns(data):
    return data[COLUMNS]


@pytest.fixture(scope="module")
def y(data):
    return data["out"].to_numpy()


@pytest.fixture(scope="module")
def fitted(X, y):
    return MixedLM("who", residual=RESIDUAL).fit(X, y)


def groups_of(X):
    return X["who"].str[1:].astype(int)


@pytest.mark.parametrize("saved", [by_skops, by_joblib, by_oldest_pickle])
def test_saved_models_predict_the_same(saved, fitted, X, y):
    again = saved(fitted)
    for options in ({}, {"residual_memory": (X, y)}):
        found = again.predict(X, return_std=True, **options)
        assert_array_equal(found, fitted.predict(X, return_std=True, **options))
    assert clone(again).residual == RESIDUAL


def test_saved_results_keep_their_memory(data):
    results = mixedlm("out ~ z + (1 | who)", data, residual=RESIDUAL)
    again = pickle.loads(pickle.dumps(results))
    new = data.head(3).assign(time=9)
    assert_array_equal(
        again.predict(new, residual_memory=True), results.predict(new, residual_memory=True)
    )


def numbered(X):
    return X.to_numpy(dtype=object), MixedLM(2, residual=AR1(1) * Heterogeneous(3))


def in_polars(X):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({name: X[name].to_list() for name in X})
    return table, MixedLM("who", residual=RESIDUAL)


def suffixed(X):
    return X.rename(columns=lambda name: f"remainder__{name}"), MixedLM("who", residual=RESIDUAL)


@pytest.mark.parametrize("form", [numbered, in_polars, suffixed])
def test_forms_of_the_columns(form, fitted, X, y):
    given, estimator = form(X)
    estimator.fit(given, y)
    assert_allclose(estimator.predict(given), fitted.predict(X), rtol=1e-8)
    found = estimator.predict(given, residual_memory=(given, y), return_std=True)
    assert_allclose(found[0], y, rtol=1e-10)
    assert_allclose(found[1], 0.0, atol=1e-6)


def test_a_step_before_the_model_transforms_the_past_too(X, y):
    scale = ColumnTransformer([("n", StandardScaler(), ["z"])], remainder="passthrough")
    pipeline = make_pipeline(
        scale.set_output(transform="pandas"), MixedLM("who", residual=RESIDUAL)
    ).fit(X, y)
    past = (pipeline[:-1].transform(X), y)
    assert_allclose(pipeline.predict(X, residual_memory=past), y, rtol=1e-10)


def test_rows_of_weight_0_are_no_past(X, y):
    weights = np.ones(len(y))
    weights[::6] = 0.0
    kept = weights > 0
    weighted = MixedLM("who", residual=RESIDUAL).fit(X, y, sample_weight=weights)
    fewer = MixedLM("who", residual=RESIDUAL).fit(X[kept], y[kept])
    assert_allclose(weighted.log_likelihood_, fewer.log_likelihood_, rtol=1e-12)
    data = X.assign(out=y)
    results = mixedlm("out ~ z + time + (1 | who)", data, residual=RESIDUAL, weights=weights)
    expected = fewer.predict(X[~kept], residual_memory=(X[kept], y[kept]))
    assert_allclose(results.predict(X[~kept], residual_memory=True), expected, rtol=1e-8)


def test_folds_that_miss_a_stratum(X, y):
    """Means are predicted; what nobody has seen has no variance."""
    who = groups_of(X)
    rare = X.assign(stratum=np.where(who == 3, "rare", "usual"))
    scores = cross_val_score(
        MixedLM("who", residual=Heterogeneous("stratum")), rare, y, cv=GroupKFold(12), groups=who
    )
    assert np.isfinite(scores).all()
    model = MixedLM("who", residual=Heterogeneous("stratum")).fit(rare[who != 3], y[who != 3])
    for ask in (lambda: model.predict(rare, return_std=True), lambda: model.predict_interval(rare)):
        with pytest.raises(ValueError, match=r"\['rare'\].*predict means only"):
            ask()
    assert np.isfinite(model.predict(rare, return_std=True, kind="mean")[1]).all()


def test_searches_over_structures(X, y):
    options = {"residual": [Heterogeneous("stratum"), RESIDUAL, "ar1(time | who)"]}
    search = GridSearchCV(MixedLM("who"), {"residual": options["residual"][:2]}, cv=GroupKFold(2))
    search.fit(X, y, groups=groups_of(X))
    assert search.best_params_["residual"] in options["residual"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_scores_of_groups(X, y):
    scores = cross_validate_groups(MixedLM("who", residual=RESIDUAL), X, y, cv=3)
    assert scores.summary()["coverage"].between(0.7, 1.0).all()
    conformal = GroupConformalRegressor(MixedLM("who", residual=RESIDUAL), cv=3, random_state=0)
    limits = conformal.fit(X, y).predict_interval(X.head(4).assign(who="new"), coverage=0.7)
    assert (np.diff(limits) > 0).all()


def test_intervals_have_the_variance_of_their_stratum(X, y):
    model = MixedLM("who", residual=Heterogeneous("stratum")).fit(X, y)
    new = X.head(1).assign(who="new")
    found = pd.concat([new.assign(stratum=one) for one in ("even", "odd")])
    _, std = model.predict(found, return_std=True)
    _, of_mean = model.predict(found, return_std=True, kind="mean")
    variances = model.results_.residual_variances[["even", "odd"]]
    assert_allclose(std**2 - of_mean**2, variances, rtol=1e-10)
    for how in (None, "delta"):
        widths = np.diff(model.predict_interval(found, variance_uncertainty=how))[:, 0]
        assert np.sign(widths[1] - widths[0]) == np.sign(variances["odd"] - variances["even"])
