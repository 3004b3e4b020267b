"""A fit of several factors does not depend on orders, names, units, or how a factor is given."""

from __future__ import annotations

import warnings
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_turn import in_turn
from numpy.testing import assert_allclose

from skmixed import MixedLM, SingularFitWarning, mixedlm
from skmixed.covariance import STRUCTURES, CompoundSymmetry

from .crossed import LAYOUTS, CrossedProblem, make_crossed

pytestmark = pytest.mark.exhaustive(7)

METHODS = ["reml", "ml"]
COVARIANCES = [*STRUCTURES, CompoundSymmetry(equal_variances=True)]


def frame_of(problem: CrossedProblem) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    frame = pd.DataFrame(problem.X[:, 1:], columns=["x1", "x2", "x3"])
    names = [f"g{j}" for j in range(len(problem.codes))]
    return frame.assign(**dict(zip(names, problem.codes, strict=True))), problem.y, names


@pytest.fixture(params=LAYOUTS)
def rows(request) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    return frame_of(make_crossed(request.param, 2, seed=3))


def fitted(X: pd.DataFrame, y: np.ndarray, groups: Any, **options: Any) -> MixedLM:
    weights = {key: options.pop(key) for key in ("sample_weight",) if key in options}
    if options.get("covariance") == "ar1":
        slopes = {key: ["x1", "x2"] for key in groups}
        options = {"random_slopes": slopes, "random_intercept": False} | options
    options = {"random_slopes": {"g0": "x1"}, "tol": 1e-9} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return MixedLM(groups, **options).fit(X, y, **weights)


def assert_same(other: MixedLM, base: MixedLM, unit: float = 1.0) -> None:
    assert_allclose(other.coef_, unit * base.coef_, rtol=1e-7)
    assert_allclose(other.sigma_, unit * base.sigma_, rtol=1e-8)
    assert_allclose(other.theta_, base.theta_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("options", in_turn([(one,) for one in COVARIANCES], [("reml",), ("ml",)]))
def test_order_of_rows_and_names_of_labels(rows, options):
    covariance, method = options
    X, y, names = rows
    base = fitted(X, y, names, covariance=covariance, method=method)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    new = {name: rng.permutation(X[name].max() + 1) for name in names}
    labelled = X.assign(**{name: new[name][X[name]] for name in names}).iloc[order]
    other = fitted(labelled, y[order], names, covariance=covariance, method=method)
    assert_allclose(other.log_likelihood_, base.log_likelihood_, rtol=1e-12)
    assert_same(other, base)
    for name in names:
        assert_allclose(
            other.random_effects_[name].loc[new[name]].to_numpy(),
            base.random_effects_[name].to_numpy(),
            atol=1e-6,
        )


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_factors(rows, method):
    X, y, names = rows
    base = fitted(X, y, names, method=method)
    for order in permutations(names):
        other = fitted(X[["x3", *order, "x2", "x1"]], y, list(order), method=method)
        assert_allclose(other.log_likelihood_, base.log_likelihood_, rtol=1e-12)
        assert_allclose(other.theta_, base.theta_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_units_and_origins(rows, method):
    X, y, names = rows
    base = fitted(X, y, names, method=method)
    moved = X.assign(x1=1e6 * X["x1"] + 1e8, x2=1e-6 * X["x2"] + 5.0)
    other = fitted(moved, 1e-4 * y, names, method=method)
    degrees = len(y) - 4 * (method == "reml")
    volume = degrees * np.log(1e-4) + np.log(1e6 * 1e-6) * (method == "reml")
    assert_allclose(other.log_likelihood_, base.log_likelihood_ - volume, rtol=1e-10)
    assert_allclose(other.coef_ * [1e6, 1e-6, 1.0], 1e-4 * base.coef_, rtol=1e-6)
    assert_allclose(other.sigma_, 1e-4 * base.sigma_, rtol=1e-7)
    for wanted in (True, ["g1"], False):
        mean, std = other.predict(moved, include_random_effects=wanted, return_std=True)
        expected, spread = base.predict(X, include_random_effects=wanted, return_std=True)
        assert_allclose(mean, 1e-4 * expected, atol=1e-9)
        assert_allclose(std, 1e-4 * spread, rtol=1e-6)


def test_precision_weights_have_no_scale_but_that_of_the_residual(rows):
    X, y, names = rows
    weights = np.random.default_rng(4).uniform(0.5, 2.0, len(y))
    one = fitted(X, y, names, sample_weight=weights)
    other = fitted(X, y, names, sample_weight=1e7 * weights)
    assert_allclose(other.log_likelihood_, one.log_likelihood_, rtol=1e-12)
    assert_allclose(other.residual_variance_, 1e7 * one.residual_variance_, rtol=1e-8)
    for a, b in zip(other.lmm_fit_.random, one.lmm_fit_.random, strict=True):
        scale = np.diagonal(b.effect_covariance).max() + one.sigma_**2
        assert_allclose(a.effect_covariance, b.effect_covariance, atol=1e-7 * scale)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_terms_of_one_factor_in_any_order(rows, method):
    X, y, names = rows
    data = X.assign(y=y)
    others = [f"(1 | {name})" for name in names[1:]]
    first = mixedlm(" + ".join(["y ~ x1 + (x1 || g0)", *others]), data, method=method)
    for terms in (
        ["(1 | g0)", "(0 + x1 | g0)", *others],
        [*others, "(0 + x1 | g0)", "(1 | g0)"],
        ["(0 + x1 | g0)", *others, "(1 | g0)"],
    ):
        other = mixedlm(" + ".join(["y ~ x1", *terms]), data, method=method)
        assert_allclose(other.llf, first.llf, rtol=1e-12)
        assert_allclose(other.params, first.params, rtol=1e-7)
        assert_allclose(
            other.random_effects["g0"][["Intercept", "x1"]], first.random_effects["g0"], atol=1e-6
        )


@pytest.mark.parametrize("method", METHODS)
def test_a_factor_without_variance_leaves_the_model_of_the_other(method):
    """The response has the same mean in every level of g1, less than chance gives."""
    problem = make_crossed("crossed", 1, seed=5)
    fine = problem.codes[0]
    middle = np.tile(np.arange(5), 14)
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"g0": fine, "g1": middle})
    y = rng.normal(size=14)[fine] + rng.normal(size=70)
    y -= pd.Series(y).groupby(middle).transform("mean").to_numpy()
    with pytest.warns(SingularFitWarning, match="variance of 'g1' is estimated as 0"):
        both = MixedLM(["g0", "g1"], method=method).fit(X, y)
    one = MixedLM("g0", method=method).fit(X[["g0"]], y)
    assert both.is_singular_
    assert both.converged_
    assert both.theta_[1] == 0.0
    assert_allclose(both.log_likelihood_, one.log_likelihood_, rtol=1e-12)
    assert_allclose(both.theta_[0], one.theta_[0], rtol=1e-7)
    assert_allclose(both.predict(X), one.predict(X[["g0"]]), rtol=1e-7, atol=1e-9)
    assert_allclose(
        both.predict(X, return_std=True)[1], one.predict(X[["g0"]], return_std=True)[1], rtol=1e-7
    )


def test_variances_of_a_balanced_layout_have_closed_forms():
    """REML of a complete crossed layout: mean squares (Searle et al. 1992, section 4.7)."""
    rng = np.random.default_rng(2)
    a, b = 12, 8
    table = 2.0 * rng.normal(size=(a, 1)) + rng.normal(size=b) + rng.normal(size=(a, b))
    X = pd.DataFrame({"g0": np.repeat(np.arange(a), b), "g1": np.tile(np.arange(b), a)})
    model = MixedLM(["g0", "g1"], tol=1e-10).fit(X, table.ravel())
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    residual = table - rows[:, None] - columns + table.mean()
    within = np.sum(residual**2) / ((a - 1) * (b - 1))
    between = [rows.var(ddof=1) - within / b, columns.var(ddof=1) - within / a]
    assert_allclose(model.residual_variance_, within, rtol=1e-8)
    assert_allclose(model.variance_components_["vcov"][:2], between, rtol=1e-7)
    assert_allclose(model.intercept_, table.mean(), rtol=1e-12)
    shrunk = between[0] / (between[0] + within / b) * (rows - table.mean())
    assert_allclose(model.random_effects_["g0"]["Intercept"], shrunk, rtol=1e-6)
