"""Simulated data have the moments of the model they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.datasets import make_mixed_regression

# Monte-Carlo checks allow this many standard errors.
STANDARD_ERRORS = 5


def assert_covariance(sample, expected, n):
    """Compare the covariance of n normal vectors, of variance (s_ii s_jj + s_ij^2) / n."""
    variances = np.diag(expected)
    errors = np.sqrt((np.outer(variances, variances) + expected**2) / n)
    assert np.all(np.abs(sample - expected) <= STANDARD_ERRORS * errors + 1e-12)


def test_covariance_within_groups_is_compound_symmetric() -> None:
    n_groups, size, re_cov, sigma = 20_000, 3, 2.0, 0.5
    _, y, _ = make_mixed_regression(
        n_groups, size, beta=[10.0], re_cov=re_cov, sigma=sigma, shuffle=False, random_state=0
    )
    table = y.reshape(n_groups, size)
    expected = re_cov * np.ones((size, size)) + sigma**2 * np.eye(size)
    assert_covariance(np.cov(table, rowvar=False), expected, n_groups)
    assert_allclose(table.mean(axis=0), 10, atol=STANDARD_ERRORS * np.sqrt(2.25 / n_groups))


def test_whitened_residuals_follow_the_marginal_covariance() -> None:
    # With V = Z G Z' + sigma^2 I, r' V^-1 r is chi-squared with as many degrees of freedom as rows.
    G, sigma, size = np.array([[2.0, -0.6], [-0.6, 1.0]]), 0.7, 4
    X, y, groups = make_mixed_regression(
        3_000, size, beta=[1, 2, -3], re_cov=G, sigma=sigma, shuffle=False, random_state=1
    )
    assert_array_equal(groups, np.repeat(np.arange(3_000), size))
    Z = np.stack([np.ones_like(y), X[:, 0]], axis=1).reshape(-1, size, 2)
    r = (y - 1 - X @ [2, -3]).reshape(-1, size, 1)
    V = Z @ G @ Z.transpose(0, 2, 1) + sigma**2 * np.eye(size)
    statistic = np.sum(r * np.linalg.solve(V, r))
    assert abs(statistic - y.size) <= STANDARD_ERRORS * np.sqrt(2 * y.size)


def test_random_effects_have_the_requested_covariance() -> None:
    re_cov = np.array([[1.0, 0.5, 0.0], [0.5, 2.0, -0.3], [0.0, -0.3, 0.4]])
    *_, truth = make_mixed_regression(
        40_000, 1, beta=np.zeros(4), re_cov=re_cov, coef=True, random_state=2
    )
    assert_covariance(np.cov(truth.random_effects, rowvar=False), re_cov, 40_000)


def test_truth_reproduces_the_response_up_to_the_residuals() -> None:
    X, y, groups, truth = make_mixed_regression(
        500, 8, beta=[1, 2, 3], re_cov=np.diag([4.0, 1.0]), sigma=0.3, coef=True, random_state=3
    )
    C = truth.group_coef[groups]
    residuals = y - C[:, 0] - np.sum(C[:, 1:] * X, axis=1)
    assert abs(residuals.mean()) <= STANDARD_ERRORS * 0.3 / np.sqrt(y.size)
    assert_allclose(residuals.var(), 0.09, atol=STANDARD_ERRORS * 0.09 * np.sqrt(2 / y.size))
    assert_array_equal(C[:, 2], 3)


def test_group_covariates_move_intercepts_and_slopes() -> None:
    a = np.linspace(-1, 1, 30)[:, np.newaxis]
    X, y, groups, truth = make_mixed_regression(
        30,
        5,
        beta=[1, 2],
        re_cov=np.zeros((2, 2)),
        sigma=0,
        group_covariates=a,
        gamma=[[3], [-4]],
        coef=True,
        random_state=4,
    )
    x, a_rows = X.T
    assert_array_equal(a_rows, a[groups, 0])
    assert_allclose(y, 1 + 3 * a_rows + (2 - 4 * a_rows) * x)
    assert_allclose(truth.group_coef, np.hstack([1 + 3 * a, 2 - 4 * a]))
    assert_array_equal(truth.random_effects, 0)


def test_drawn_group_covariates_are_constant_within_groups() -> None:
    X, _, groups, truth = make_mixed_regression(
        n_groups=12, group_covariates=2, coef=True, random_state=0
    )
    assert X.shape == (120, 3)
    assert_array_equal(X[:, 1:], truth.group_covariates[groups])
    assert_array_equal(truth.gamma, np.ones((1, 2)))


@pytest.mark.parametrize("size", [3, [1, 2, 5, 1]])
@pytest.mark.parametrize("shuffle", [False, True])
def test_group_sizes(size, shuffle) -> None:
    X, y, groups = make_mixed_regression(4, size, shuffle=shuffle, random_state=0)
    assert_array_equal(np.bincount(groups), np.broadcast_to(size, 4))
    assert len(X) == len(y) == len(groups)
    assert (np.diff(groups) < 0).any() == shuffle


def test_zero_variance_means_equal_groups() -> None:
    X, y, _ = make_mixed_regression(beta=[5, 2], re_cov=0, sigma=0, random_state=0)
    assert_allclose(y, 5 + 2 * X[:, 0])


def test_singular_covariance_keeps_the_effects_on_a_line() -> None:
    *_, truth = make_mixed_regression(re_cov=[[4, 2], [2, 1]], coef=True, random_state=0)
    assert_allclose(truth.random_effects[:, 0], 2 * truth.random_effects[:, 1], atol=1e-7)


def test_no_features() -> None:
    X, y, groups = make_mixed_regression(6, 2, beta=[1.0], random_state=0)
    assert X.shape == (12, 0)
    assert y.shape == groups.shape == (12,)


def test_frame_holds_the_same_numbers_as_the_arrays() -> None:
    arguments = {"beta": [0, 1, 2], "group_covariates": 1, "random_state": 5}
    X, y, groups = make_mixed_regression(**arguments)
    frame = make_mixed_regression(as_frame=True, **arguments)
    assert list(frame.columns) == ["y", "x1", "x2", "a1", "group"]
    assert_array_equal(frame[["x1", "x2", "a1"]], X)
    assert_array_equal(frame["y"], y)
    assert_array_equal(frame["group"], groups)


@pytest.mark.parametrize("make", [int, np.random.default_rng, np.random.RandomState])
def test_same_random_state_gives_the_same_data(make) -> None:
    first, again = (make_mixed_regression(random_state=make(7)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_advances(make) -> None:
    source = make(7)
    first, second = (make_mixed_regression(random_state=source)[1] for _ in range(2))
    assert not np.any(first == second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_groups": 0}, "n_groups must be at least 1, got 0"),
        ({"sigma": -1.0}, "sigma must be a finite standard deviation >= 0, got -1.0"),
        ({"sigma": np.nan}, "sigma must be"),
        ({"beta": 1.0}, r"beta must be a vector .* got shape \(\)"),
        ({"beta": []}, "beta must be a vector"),
        ({"re_cov": [1.0, 2.0]}, r"re_cov must be a variance, or a square .* got shape \(2,\)"),
        ({"re_cov": np.eye(3)}, r"at most 1 feature\(s\), got shape \(3, 3\)"),
        ({"re_cov": [[1, 0.5], [0, 1]]}, "re_cov must be symmetric"),
        ({"re_cov": [[1, 2], [2, 1]]}, "re_cov must have no negative eigenvalue, got -1"),
        ({"re_cov": -1.0}, "re_cov must have no negative eigenvalue, got -1"),
        ({"group_size": 0}, "group_size must hold integers >= 1, got 0"),
        ({"group_size": 2.5}, "group_size must hold integers >= 1, got 2.5"),
        ({"group_size": [1, 2]}, r"one integer for each of the 30 groups, got shape \(2,\)"),
        ({"group_covariates": -1}, "group_covariates must be a number >= 0, got -1"),
        ({"group_covariates": np.ones((3, 1))}, r"\(30, n_covariates\), got shape \(3, 1\)"),
        ({"gamma": [[1.0]]}, r"gamma must have .* shape \(1, 0\), got shape \(1, 1\)"),
    ],
)
def test_errors_say_what_was_got(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        make_mixed_regression(**arguments)
