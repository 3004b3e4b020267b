"""Rows of BEHAVIOUR.md on the order of rows, their index, and the layout of arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm


def assert_same(one, other, rtol=1e-10):
    assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=rtol)
    assert_allclose(one.coef_, other.coef_, rtol=1e-8)
    for name, table in one.random_effects_.items():
        assert_allclose(table.to_numpy(), other.random_effects_[name].to_numpy(), atol=1e-7)


@pytest.mark.parametrize("order", ["sorted", "shuffled", "reversed"])
def test_rows_in_any_order_give_the_same_fit(X, y, order):
    rows = {
        "sorted": np.argsort(X["school"].to_numpy(), kind="stable"),
        "shuffled": np.random.default_rng(1).permutation(120),
        "reversed": np.arange(120)[::-1],
    }[order]
    base = MixedLM("school", random_slopes="x1").fit(X, y)
    other = MixedLM("school", random_slopes="x1").fit(X.iloc[rows], y[rows])
    assert_same(other, base)
    assert_allclose(other.predict(X.iloc[rows]), base.predict(X)[rows], atol=1e-7)


@pytest.mark.parametrize(
    "index", [np.zeros(120, dtype=int), np.arange(120)[::-1], [f"r{i}" for i in range(120)]]
)
def test_any_index_of_the_rows_is_ignored(X, y, index):
    base = RandomInterceptRegressor("school").fit(X, y)
    indexed = X.set_axis(index, axis=0)
    other = RandomInterceptRegressor("school").fit(indexed, pd.Series(y))
    assert other.log_likelihood_ == base.log_likelihood_
    assert np.array_equal(other.predict(indexed), base.predict(X))


def test_a_filtered_frame_is_the_frame_of_its_rows(data):
    kept = data[data["x1"] > 0]
    formula = "y ~ x1 + (1 | school)"
    assert mixedlm(formula, kept).llf == mixedlm(formula, kept.reset_index(drop=True)).llf


def test_position_rules_where_the_indexes_differ(X, y):
    turned = np.arange(120)[::-1]
    base = RandomInterceptRegressor().fit(X[["x1", "x2"]], y, groups=X["school"].to_numpy())
    weights = np.linspace(1, 2, 120)
    other = RandomInterceptRegressor().fit(
        X[["x1", "x2"]],
        pd.Series(y, index=turned),
        groups=pd.Series(X["school"].to_numpy(), index=turned),
    )
    assert other.log_likelihood_ == base.log_likelihood_
    one, two = (
        RandomInterceptRegressor("school").fit(X, y, sample_weight=w)
        for w in (weights, pd.Series(weights, index=turned))
    )
    assert one.log_likelihood_ == two.log_likelihood_


LAYOUTS = {
    "fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed twice": lambda a: a[::-1].copy()[::-1],
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "list": lambda a: a.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_of_arrays_does_not_matter(X, y, layout):
    numbers = X[["x1", "x2"]].to_numpy()
    change = LAYOUTS[layout]
    weights = np.linspace(1.0, 2.0, 120)
    base = MixedLM(random_slopes=0).fit(numbers, y, groups=X["school"], sample_weight=weights)
    other = MixedLM(random_slopes=0).fit(
        change(numbers), change(y), groups=X["school"], sample_weight=change(weights)
    )
    assert_same(other, base)
    assert_allclose(
        other.predict(change(numbers), groups=X["school"]),
        base.predict(numbers, groups=X["school"]),
        atol=1e-7,
    )


def test_float32_is_the_fit_of_its_float64_copy(X, y):
    small = X[["x1", "x2"]].to_numpy(np.float32)
    base = RandomInterceptRegressor().fit(
        small.astype(np.float64), y.astype(np.float32).astype(np.float64), groups=X["school"]
    )
    other = RandomInterceptRegressor().fit(small, y.astype(np.float32), groups=X["school"])
    assert other.log_likelihood_ == base.log_likelihood_
    assert other.coef_.dtype == np.float64


def test_inputs_are_never_written_to(X, y):
    numbers, labels = X[["x1", "x2"]].to_numpy(copy=True), X["school"].to_numpy(copy=True)
    weights, response = np.linspace(1.0, 2.0, 120), y.copy()
    before = [a.copy() for a in (numbers, labels, weights, response)]
    for columns in (numbers, np.asfortranarray(numbers)):
        model = MixedLM(random_slopes=[0, 1], covariance="identity")
        model.fit(columns, response, groups=labels, sample_weight=weights)
        model.predict(columns, groups=labels, return_std=True)
        model.predict(columns, groups=labels, return_cov=True)
        for array, copy in zip((columns, labels, weights, response), before, strict=True):
            assert np.array_equal(array, copy)


def test_frames_are_never_written_to(data):
    before = data.copy()
    mixedlm("y ~ scale(x1) + poly(x2, 2) + (x1 | school)", data).predict(data)
    MixedLM("school").fit(data[["x1", "school"]], data["y"]).predict(data[["x1", "school"]])
    pd.testing.assert_frame_equal(data, before)
