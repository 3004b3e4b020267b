"""Rows of BEHAVIOUR.md on the columns of X and the shape of y."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LinearRegression

from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor, mixedlm


def fit_with_aliased(X, y, names):
    with pytest.warns(UserWarning, match="rank deficient") as record:
        model = RandomInterceptRegressor("school").fit(X, y)
    messages = [str(w.message) for w in record if "rank deficient" in str(w.message)]
    assert len(messages) == 1
    assert re.search(r"\[(.*?)\]", messages[0]).group(1) == ", ".join(map(repr, names))
    return model


def test_duplicate_columns(X, y):
    base = RandomInterceptRegressor("school").fit(X, y)
    doubled = X.assign(copy=3.0 * X["x1"] - 2.0)
    model = fit_with_aliased(doubled, y, ["copy"])
    assert model.coef_.shape == (3,)
    assert model.coef_[2] == 0.0
    assert_allclose(model.log_likelihood_, base.log_likelihood_, rtol=1e-10)
    new = doubled.iloc[:7] + {"x1": 1.0, "x2": 0.5, "school": "", "copy": 3.0}
    assert_allclose(model.predict(new), base.predict(new[["x1", "x2", "school"]]), rtol=1e-9)
    assert np.isfinite(model.predict(new, return_std=True)[1]).all()


def test_all_dummies_beside_the_intercept(X, y):
    dummies = pd.get_dummies(pd.Series(np.arange(120) % 3), prefix="k", dtype=float)
    full = pd.concat([X, dummies], axis=1)
    base = RandomInterceptRegressor("school").fit(full.drop(columns="k_2"), y)
    model = fit_with_aliased(full, y, ["k_2"])
    assert_allclose(model.predict(full), base.predict(full.drop(columns="k_2")), rtol=1e-8)
    assert_allclose(model.intercept_, base.intercept_, rtol=1e-8)


@pytest.mark.parametrize("constant", [1.0, 0.1, 1e9, 0.0])
def test_constant_column_beside_the_intercept(X, y, constant):
    base = RandomInterceptRegressor("school").fit(X, y)
    model = fit_with_aliased(X.assign(one=constant), y, ["one"])
    assert_allclose(model.intercept_, base.intercept_, rtol=1e-8)
    assert_allclose(model.coef_, [*base.coef_, 0.0], rtol=1e-8)


def test_constant_column_in_place_of_the_intercept(X, y):
    base = RandomInterceptRegressor("school").fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = RandomInterceptRegressor("school", fit_intercept=False).fit(X.assign(one=1.0), y)
    assert model.intercept_ == 0.0
    assert_allclose(model.coef_, [*base.coef_, base.intercept_], rtol=1e-8)


def test_aliased_columns_of_a_formula(data):
    data["copy"] = data["x1"] + data["x2"]
    with pytest.warns(UserWarning, match=r"rank deficient: \['copy'\]"):
        results = mixedlm("y ~ x1 + x2 + copy + (1 | school)", data)
    assert results.params["copy"] == 0.0
    assert np.isnan(results.bse["copy"])


@pytest.mark.parametrize("groups", [None, np.arange(12) % 4])
def test_more_columns_than_rows_is_scikit_learns_minimum_norm_solution(groups):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 30)) + 5.0, rng.normal(size=12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGroupsWarning)
        with pytest.warns(UserWarning, match=r"as many coefficients as rows \(12\)"):
            model = RandomInterceptRegressor().fit(X, y, groups=groups)
    ordinary = LinearRegression().fit(X, y)
    assert_allclose(model.coef_, ordinary.coef_, atol=1e-10)
    assert_allclose(model.intercept_, ordinary.intercept_, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("offset", [50.0, 1e3, 1e6])
def test_offsets_and_units_of_more_columns_than_rows(offset, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 7)) * np.logspace(-2, 2, 7), rng.normal(size=6)
    X[:, rng.permutation(7)[: 1 + seed // 2]] += offset
    with pytest.warns(UserWarning, match=r"as many coefficients as rows \(6\)"):
        model = RandomInterceptRegressor().fit(X, y, groups=np.arange(6) % 3)
    centred = X - X.mean(axis=0)
    centred -= centred.mean(axis=0)
    least = np.linalg.pinv(centred, rcond=1e-12) @ (y - y.mean())
    assert_allclose(model.predict(X, groups=np.arange(6) % 3), y, rtol=1e-6)
    assert_allclose(model.coef_, least, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 1e9), (1e9, 0.0), (1e-9, 0.0), (1e9, 1e9)])
@pytest.mark.parametrize("slopes", [None, "x1"])
def test_origin_and_unit_of_a_covariate(X, y, scale, shift, slopes):
    """A value near 1e9 has seven digits behind the point, so the fits agree to about as many."""
    base = MixedLM("school", random_slopes=slopes).fit(X, y)
    moved = X.assign(x1=scale * X["x1"] + shift)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = MixedLM("school", random_slopes=slopes).fit(moved, y)
    assert_allclose(model.log_likelihood_, base.log_likelihood_ - np.log(scale), rtol=1e-6)
    assert_allclose(model.coef_[0] * scale, base.coef_[0], rtol=1e-6)
    assert_allclose(model.predict(moved), base.predict(X), atol=1e-5)
    assert_allclose(model.sigma_, base.sigma_, rtol=1e-6)
    assert model.is_singular_ == base.is_singular_


@pytest.mark.parametrize("unit", [1e-8, 1e-100, 1e100])
def test_unit_of_y(X, y, unit):
    base = RandomInterceptRegressor("school").fit(X, y)
    model = RandomInterceptRegressor("school").fit(X, unit * y)
    assert_allclose(
        model.log_likelihood_, base.log_likelihood_ - (120 - 3) * np.log(unit), rtol=1e-12
    )
    assert_allclose(model.coef_, unit * base.coef_, rtol=1e-10)
    assert_allclose(model.predict(X), unit * base.predict(X), rtol=1e-9)


def test_a_column_vector_y_warns(X, y):
    base = RandomInterceptRegressor("school").fit(X, y)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        model = RandomInterceptRegressor("school").fit(X, y[:, None])
    assert model.log_likelihood_ == base.log_likelihood_
    assert model.predict(X).shape == (120,)


def test_two_responses_are_refused(X, y):
    with pytest.raises(ValueError, match=r"1d array.*\(120, 2\)"):
        RandomInterceptRegressor("school").fit(X, np.column_stack([y, y]))


def test_no_y_is_refused(X):
    with pytest.raises(ValueError, match="requires y to be passed"):
        RandomInterceptRegressor("school").fit(X)


def test_a_string_column_names_itself_and_the_encoder(X, y):
    X["colour"] = ["red", "blue"] * 60
    with pytest.raises(ValueError, match=r"'colour'.*OneHotEncoder.*formula"):
        RandomInterceptRegressor("school").fit(X, y)
    with pytest.raises(ValueError, match=r"'school'.*OneHotEncoder"):
        RandomInterceptRegressor().fit(X[["x1", "school"]], y, groups=X["school"])


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse_x_is_refused_not_made_dense(X, y, kind):
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        RandomInterceptRegressor().fit(kind(X[["x1", "x2"]].to_numpy()), y, groups=X["school"])


def test_a_category_that_was_not_fitted_names_column_and_level(data):
    data["colour"] = ["red", "blue", "green"] * 40
    results = mixedlm("y ~ x1 + colour + (1 | school)", data)
    data.loc[5, "colour"] = "violet"
    with pytest.raises(ValueError, match=r"colour.*violet|violet.*colour"):
        results.predict(data)


def test_no_predictors_at_all(X, y):
    model = RandomInterceptRegressor().fit(np.empty((120, 0)), y, groups=X["school"])
    by_name = RandomInterceptRegressor("school").fit(X[["school"]], y)
    assert model.coef_.shape == (0,)
    assert model.log_likelihood_ == by_name.log_likelihood_
    assert by_name.predict(X[["school"]]).shape == (120,)


def test_neither_intercept_nor_predictors(X, y):
    model = RandomInterceptRegressor("school", fit_intercept=False).fit(X[["school"]], y)
    assert model.intercept_ == 0.0
    assert not model.predict(X[["school"]], include_random_effects=False).any()


def test_a_table_of_pyarrow_is_told_how_to_become_a_data_frame(X, y):
    table = pytest.importorskip("pyarrow").Table.from_pandas(X)
    with pytest.raises(TypeError, match=r"got Table of pyarrow\. Pass X\.to_pandas\(\)"):
        MixedLM("school").fit(table, y)
    with pytest.raises(TypeError, match=r"got Table of pyarrow\. Pass X\.to_pandas\(\)"):
        MixedLM(formula="~ x1 + (1 | school)").fit(table, y)
