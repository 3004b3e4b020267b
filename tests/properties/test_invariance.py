"""A fit does not depend on the order of rows, on the names of labels, on units or on origins."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, SingularFitWarning
from skmixed.covariance import STRUCTURES, CompoundSymmetry
from skmixed.fitting.standardise import standardised
from skmixed.fitting.start import starting_theta
from skmixed.likelihood.profiled import ProfiledObjective

METHODS = ["reml", "ml"]
COVARIANCES = [*STRUCTURES, CompoundSymmetry(equal_variances=True)]


def simulate(seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate correlated intercepts and slopes in groups of unequal size."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(20), rng.integers(1, 12, 20))
    X = rng.normal(size=(len(groups), 2))
    effects = rng.multivariate_normal([0, 0], [[2.0, 0.5], [0.5, 1.0]], size=20, method="cholesky")[
        groups
    ]
    y = 3 + X @ [1.0, -2.0] + effects[:, 0] + effects[:, 1] * X[:, 0]
    return X, y + rng.normal(size=len(groups)), groups


def fitted(X: Any, y: Any, groups: Any, **options: Any) -> MixedLM:
    weights = {k: options.pop(k) for k in ("sample_weight", "group_weight") if k in options}
    if options.get("covariance") == "ar1":
        options = {"random_slopes": [0, 1], "random_intercept": False} | options
    options = {"random_slopes": 0, "tol": 1e-9} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return MixedLM(**options).fit(X, y, groups=groups, **weights)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("covariance", COVARIANCES, ids=str)
def test_order_of_rows_and_names_of_labels(covariance, method):
    X, y, groups = simulate()
    base = fitted(X, y, groups, covariance=covariance, method=method)
    rng = np.random.default_rng(0)
    order, names = rng.permutation(len(y)), rng.permutation(20)
    other = fitted(X[order], y[order], names[groups[order]], covariance=covariance, method=method)
    assert_allclose(other.log_likelihood_, base.log_likelihood_, rtol=1e-12)
    assert_allclose(other.coef_, base.coef_, rtol=1e-9)
    assert_allclose(other.theta_, base.theta_, rtol=1e-7)
    assert_allclose(
        other.random_effects_["groups"].loc[names].to_numpy(),
        base.random_effects_["groups"].to_numpy(),
        rtol=1e-7,
        atol=1e-9,
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("covariance", "scale", "shift"),
    [
        ("unstructured", [1e9, 1e-6], [1e3, -50.0]),
        ("diagonal", [1e9, 1e-6], [0.0, -50.0]),
        ("identity", [1.0, 1e-6], [0.0, -50.0]),
        ("compound_symmetry", [1e9, 1e-6], [0.0, -50.0]),
        ("ar1", [1e9, 1e9], [0.0, 0.0]),
    ],
)
def test_scale_and_origin_of_the_columns(covariance, scale, shift, method):
    """Each structure allows its own changes of the random columns, all allow any of the others."""
    X, y, groups = simulate()
    moved = (X + shift) * scale
    base = fitted(X, y, groups, covariance=covariance, method=method)
    other = fitted(moved, y, groups, covariance=covariance, method=method)
    volume = np.log(np.prod(scale)) if method == "reml" else 0.0
    assert_allclose(other.log_likelihood_, base.log_likelihood_ - volume, rtol=1e-10)
    assert_allclose(other.coef_ * scale, base.coef_, rtol=1e-6)
    assert_allclose(other.sigma_, base.sigma_, rtol=1e-7)
    assert_allclose(other.predict(moved, groups=groups), base.predict(X, groups=groups), atol=1e-6)
    assert_allclose(
        other.predict(moved, groups=groups, return_std=True)[1],
        base.predict(X, groups=groups, return_std=True)[1],
        rtol=1e-6,
    )


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("covariance", COVARIANCES, ids=str)
def test_unit_of_y(covariance, method, unit):
    X, y, groups = simulate()
    base = fitted(X, y, groups, covariance=covariance, method=method)
    other = fitted(X, unit * y, groups, covariance=covariance, method=method)
    degrees = len(y) - 3 * (method == "reml")
    assert_allclose(
        other.log_likelihood_, base.log_likelihood_ - degrees * np.log(unit), rtol=1e-12
    )
    assert_allclose(other.coef_, unit * base.coef_, rtol=1e-9)
    assert_allclose(other.theta_, base.theta_, rtol=1e-7)
    assert_allclose(other.sigma_, unit * base.sigma_, rtol=1e-9)
    assert other.n_iter_ == base.n_iter_


@pytest.mark.parametrize("method", METHODS)
def test_a_multiple_of_x_added_to_y_moves_the_coefficients_alone(method):
    X, y, groups = simulate()
    base = fitted(X, y, groups, method=method)
    other = fitted(X, y + 1e6 + X @ [500.0, -3e4], groups, method=method)
    assert_allclose(other.log_likelihood_, base.log_likelihood_, rtol=1e-9)
    assert_allclose(other.coef_ - [500.0, -3e4], base.coef_, atol=1e-6)
    assert_allclose(other.theta_, base.theta_, rtol=1e-5)


@pytest.mark.parametrize("reml", [False, True])
def test_the_search_starts_from_the_same_theta_in_any_units(reml):
    X, y, groups = simulate()
    starts = []
    for scale, shift, unit in (([1.0, 1.0], [0.0, 0.0], 1.0), ([1e4, 1e-3], [5.0, -2.0], 1e-6)):
        model = MixedLM(random_slopes=0)
        design, structures, _ = model._design((X + shift) * scale, unit * y, groups)
        products = standardised(design, structures)[1].products()
        starts.append(starting_theta(ProfiledObjective(products, structures, reml=reml)))
    assert_allclose(starts[1], starts[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("covariance", COVARIANCES, ids=str)
def test_frequency_weights_repeat_rows(covariance, method):
    X, y, groups = simulate()
    times = np.random.default_rng(1).integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), times)
    options = {"covariance": covariance, "method": method}
    weighted = fitted(X, y, groups, sample_weight=times, weight_type="frequency", **options)
    plain = fitted(X[repeated], y[repeated], groups[repeated], **options)
    _assert_same_fit(weighted, plain)
    assert weighted.lmm_fit_.n_rows == times.sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("covariance", COVARIANCES, ids=str)
def test_group_weights_repeat_groups_under_new_labels(covariance, method):
    X, y, groups = simulate()
    times = np.random.default_rng(2).integers(0, 4, 20)
    rows, labels = [], []
    for group, count in enumerate(times):
        for copy in range(count):
            rows.append(np.flatnonzero(groups == group))
            labels.append(np.full(len(rows[-1]), 100 * group + copy))
    copies = np.concatenate(rows)
    options = {"covariance": covariance, "method": method}
    weighted = fitted(X, y, groups, group_weight=times[groups], **options)
    plain = fitted(X[copies], y[copies], np.concatenate(labels), **options)
    _assert_same_fit(weighted, plain)
    by_label = fitted(X, y, groups, group_weight=dict(enumerate(times)), **options)
    assert by_label.log_likelihood_ == weighted.log_likelihood_
    kept = np.flatnonzero(times)
    assert list(weighted.groups_["groups"]) == list(kept)
    assert_allclose(
        weighted.random_effects_["groups"].to_numpy(),
        plain.random_effects_["groups"].loc[100 * kept].to_numpy(),
        atol=1e-6,
    )


@pytest.mark.parametrize("weight_type", ["precision", "frequency"])
def test_a_weight_of_zero_drops_its_row(weight_type):
    X, y, groups = simulate()
    weights = np.random.default_rng(4).integers(0, 3, len(y)).astype(float)
    weights[groups == 5] = 0.0
    kept = weights > 0
    weighted = fitted(X, y, groups, sample_weight=weights, weight_type=weight_type)
    dropped = fitted(
        X[kept], y[kept], groups[kept], sample_weight=weights[kept], weight_type=weight_type
    )
    assert weighted.log_likelihood_ == dropped.log_likelihood_
    assert np.array_equal(weighted.coef_, dropped.coef_)
    assert 5 not in weighted.groups_["groups"]
    assert weighted.lmm_fit_.random[0].sizes.sum() == kept.sum()


def test_precision_weights_have_no_scale_but_that_of_the_residual():
    X, y, groups = simulate()
    weights = np.random.default_rng(4).uniform(0.5, 2.0, len(y))
    one = fitted(X, y, groups, sample_weight=weights)
    ten = fitted(X, y, groups, sample_weight=1e7 * weights)
    assert_allclose(ten.log_likelihood_, one.log_likelihood_, rtol=1e-12)
    assert_allclose(ten.coef_, one.coef_, rtol=1e-10)
    assert_allclose(ten.residual_variance_, 1e7 * one.residual_variance_, rtol=1e-9)
    assert_allclose(
        ten.lmm_fit_.random[0].effect_covariance,
        one.lmm_fit_.random[0].effect_covariance,
        rtol=1e-8,
    )


def _assert_same_fit(one: MixedLM, other: MixedLM) -> None:
    assert_allclose(one.log_likelihood_, other.log_likelihood_, rtol=1e-10)
    assert_allclose(one.coef_, other.coef_, rtol=1e-7)
    assert_allclose(one.intercept_, other.intercept_, rtol=1e-7)
    assert_allclose(one.theta_, other.theta_, rtol=1e-5, atol=1e-7)
    assert_allclose(one.sigma_, other.sigma_, rtol=1e-7)
    assert_allclose(
        one.results_.cov_params().to_numpy(), other.results_.cov_params().to_numpy(), rtol=1e-5
    )
