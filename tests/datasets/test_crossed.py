"""Simulated crossed data have the levels that were asked for, and the moments of their model."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.datasets import levels, make_crossed_regression

# Monte-Carlo checks allow this many standard errors.
STANDARD_ERRORS = 5


def assert_chi_squared(statistic, degrees):
    """Compare a chi-squared variable with its mean and standard deviation."""
    assert abs(statistic - degrees) <= STANDARD_ERRORS * np.sqrt(2 * degrees)


def assert_counts(counts, n, probabilities):
    """Compare binomial counts with their means."""
    errors = np.sqrt(n * probabilities * (1 - probabilities))
    assert np.all(np.abs(counts - n * probabilities) <= STANDARD_ERRORS * errors)


def test_mean_squares_of_a_complete_design() -> None:
    # Two-way random effects without replication: the expectations of the three mean squares are
    # sigma^2 + n_columns tau_rows^2, sigma^2 + n_rows tau_columns^2 and sigma^2.
    shape, (tau_rows, tau_columns), sigma = (300, 200), (0.5, 2.0), 0.8
    _, y, groups = make_crossed_regression(
        60_000,
        shape,
        beta=[3.0],
        re_sd=[tau_rows, tau_columns],
        sigma=sigma,
        unique=True,
        random_state=0,
    )
    table = np.full(shape, np.nan)
    table[tuple(groups.T)] = y
    rows, columns = (table.mean(axis=axis, keepdims=True) - table.mean() for axis in (1, 0))
    within = table - table.mean() - rows - columns
    by_rows, by_columns = 200 * np.sum(rows**2), 300 * np.sum(columns**2)
    assert_chi_squared(by_rows / (sigma**2 + 200 * tau_rows**2), 299)
    assert_chi_squared(by_columns / (sigma**2 + 300 * tau_columns**2), 199)
    assert_chi_squared(np.sum(within**2) / sigma**2, 299 * 199)
    error = np.sqrt(tau_rows**2 / 300 + tau_columns**2 / 200 + sigma**2 / 60_000)
    assert abs(table.mean() - 3) <= STANDARD_ERRORS * error


def test_truth_reproduces_the_response_up_to_the_residuals() -> None:
    X, y, groups, truth = make_crossed_regression(
        20_000,
        [3_000, 2_000, 10],
        beta=[1, 2, -3],
        re_sd=[0.5, 1.5, 0.0],
        sigma=0.3,
        popularity=0.5,
        coef=True,
        random_state=1,
    )
    effects = [b[labels] for b, labels in zip(truth.random_effects, groups.T, strict=True)]
    residuals = y - 1 - X @ [2, -3] - np.sum(effects, axis=0)
    assert_chi_squared(np.sum(residuals**2) / 0.3**2, y.size)
    assert_chi_squared(np.sum(truth.random_effects[0] ** 2) / 0.5**2, 3_000)
    assert_chi_squared(np.sum(truth.random_effects[1] ** 2) / 1.5**2, 2_000)
    assert_array_equal(truth.random_effects[2], np.zeros(10))
    assert_array_equal(truth.beta, [1, 2, -3])
    assert_array_equal(truth.re_sd, [0.5, 1.5, 0.0])
    assert truth.sigma == 0.3


def test_a_number_is_the_standard_deviation_of_every_factor() -> None:
    *_, truth = make_crossed_regression(re_sd=2.0, coef=True, random_state=0)
    assert_array_equal(truth.re_sd, [2.0, 2.0])


def test_no_variance_is_a_regression() -> None:
    X, y, _ = make_crossed_regression(beta=[5, 2], re_sd=0, sigma=0, random_state=0)
    assert_allclose(y, 5 + 2 * X[:, 0])


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("n_samples", [40, 41, 400])
def test_every_level_has_a_row(n_samples, unique) -> None:
    # A level as rare as (j + 1)^-6 is practically never drawn.
    for seed in range(20):
        X, y, groups = make_crossed_regression(
            n_samples, (12, 40), popularity=6, unique=unique, random_state=seed
        )
        assert groups.shape == (n_samples, 2)
        assert len(X) == len(y) == n_samples
        assert groups.dtype == np.int32
        assert_array_equal(np.unique(groups[:, 0]), np.arange(12))
        assert_array_equal(np.unique(groups[:, 1]), np.arange(40))


def test_levels_are_drawn_by_popularity() -> None:
    n_samples, sizes, skews = 200_000, (8, 5, 6), (1.0, 2.0, 0.0)
    _, _, groups = make_crossed_regression(n_samples, sizes, popularity=skews, random_state=2)
    for labels, size, skew in zip(groups.T, sizes, skews, strict=True):
        weights = np.arange(1.0, size + 1) ** -skew
        more_than_one = np.sort(np.bincount(labels))[::-1] - 1
        assert_counts(more_than_one, n_samples - size, weights / weights.sum())


def test_popular_levels_have_any_label() -> None:
    favourites = {
        tuple(np.bincount(labels).argmax() for labels in groups.T)
        for _, _, groups in (
            make_crossed_regression(popularity=3, random_state=seed) for seed in range(5)
        )
    }
    assert len(favourites) == 5


def test_factors_are_drawn_independently() -> None:
    _, _, groups = make_crossed_regression(100_000, (30, 20), popularity=1, random_state=3)
    table = np.zeros((30, 20))
    np.add.at(table, tuple(groups.T), 1)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / 100_000
    assert_chi_squared(np.sum((table - expected) ** 2 / expected), 29 * 19)


def test_rows_come_in_random_order() -> None:
    _, _, groups = make_crossed_regression(10_000, (100, 100), unique=True, random_state=4)
    correlations = np.corrcoef(np.column_stack([np.arange(10_000), groups]), rowvar=False)
    assert np.abs(correlations[0, 1:]).max() <= STANDARD_ERRORS / np.sqrt(10_000)


@pytest.mark.parametrize(("n_samples", "skew"), [(50, 0), (900, 1), (1_000, 2)])
@pytest.mark.parametrize("list_all", [False, True])
def test_unique_combinations(n_samples, skew, list_all, monkeypatch) -> None:
    if not list_all:
        monkeypatch.setattr(levels, "FEW_COMBINATIONS", 0)
        monkeypatch.setattr(levels, "COMBINATIONS_PER_ROW", 0)
        monkeypatch.setattr(levels, "SMALLEST_YIELD", 0)
    _, _, groups = make_crossed_regression(
        n_samples, (50, 20), popularity=skew, unique=True, random_state=5
    )
    assert len(np.unique(groups, axis=0)) == n_samples


@pytest.mark.parametrize("draw", [levels.draw_from_list, levels.draw_from_batch])
def test_new_combinations_are_drawn_by_weight(draw, monkeypatch) -> None:
    # One after the other without replacement, with the first of the six combinations taken:
    # P(i, then j) = w_i / S * w_j / (S - w_i).
    monkeypatch.setattr(levels, "SMALLEST_BATCH", 200)
    weights = [np.array([1.0, 0.3]), np.array([0.5, 1.0, 0.2])]
    w = np.outer(*weights).ravel()
    w[0] = 0
    probabilities = np.zeros(6)
    for i, j in permutations(range(1, 6), 2):
        probabilities[[i, j]] += w[i] / w.sum() * w[j] / (w.sum() - w[i])

    generator, n = np.random.default_rng(6), 4_000
    logs = [np.log(part) for part in weights]
    drawn = [draw(np.array([0]), 2, logs, generator) for _ in range(n)]
    assert_counts(np.bincount(np.concatenate(drawn), minlength=6), n, probabilities)


def test_too_many_unique_combinations_for_the_popularity() -> None:
    with pytest.raises(
        ValueError, match=r"n_samples is too large for unique=True .* draws are new"
    ):
        make_crossed_regression(10_000, (3_000, 3_000), popularity=9, unique=True, random_state=0)


def test_no_features_and_one_factor() -> None:
    X, y, groups = make_crossed_regression(12, [3], beta=[1.0], random_state=0)
    assert X.shape == (12, 0)
    assert y.shape == (12,)
    assert groups.shape == (12, 1)


def test_frame_holds_the_same_numbers_as_the_arrays() -> None:
    X, y, groups = make_crossed_regression(beta=[0, 1, 2], random_state=5)
    frame, truth = make_crossed_regression(beta=[0, 1, 2], coef=True, as_frame=True, random_state=5)
    assert list(frame.columns) == ["y", "x1", "x2", "group1", "group2"]
    assert_array_equal(frame[["x1", "x2"]], X)
    assert_array_equal(frame["y"], y)
    assert_array_equal(frame[["group1", "group2"]], groups)
    assert [effects.shape for effects in truth.random_effects] == [(50,), (20,)]


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("make", [int, np.random.default_rng, np.random.RandomState])
def test_same_random_state_gives_the_same_data(make, unique) -> None:
    first, again = (
        make_crossed_regression(popularity=1, unique=unique, random_state=make(7)) for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_advances(make) -> None:
    source = make(7)
    first, second = (make_crossed_regression(random_state=source)[1] for _ in range(2))
    assert not np.any(first == second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_levels": 50}, r"n_levels must be a vector .* got shape \(\); \[50\] is one factor"),
        ({"n_levels": []}, r"n_levels must be a vector .* got shape \(0,\)"),
        ({"n_levels": [5, 0]}, r"n_levels must hold integers >= 1, got \[5, 0\]"),
        ({"n_levels": [5, 2.5]}, r"n_levels must hold integers >= 1, got \[5.0, 2.5\]"),
        ({"n_samples": 49}, "n_samples must be at least 50, the largest of n_levels.* got 49"),
        ({"n_samples": 1001, "unique": True}, "n_samples must be at most 1000.* got 1001"),
        ({"beta": 1.0}, r"beta must be a vector .* got shape \(\)"),
        ({"sigma": -1.0}, "sigma must be a finite standard deviation >= 0, got -1.0"),
        ({"re_sd": [1.0]}, r"re_sd must be .* each of the 2 factors, got shape \(1,\)"),
        ({"re_sd": -1.0}, "re_sd must be finite and >= 0, got -1.0"),
        ({"re_sd": [1.0, np.nan]}, r"re_sd must be finite and >= 0, got \[1.0, nan\]"),
        ({"popularity": np.ones(3)}, r"popularity must be .* got shape \(3,\)"),
        ({"popularity": [0.0, -1.0]}, r"popularity must be finite and >= 0, got \[0.0, -1.0\]"),
    ],
)
def test_errors_say_what_was_got(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        make_crossed_regression(**arguments)
