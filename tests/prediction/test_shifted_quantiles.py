"""Quantiles of shifted samples, and the conformal limits made of them, against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmixed.prediction import shifted_quantiles as searched
from skmixed.prediction.conformal import group_score_distribution, limits
from skmixed.prediction.shifted_quantiles import shifted_quantiles


def by_definition(samples, cumulative, shifts, scales, level):
    """Sort all values of each row, and add up their weights."""
    weights = np.concatenate([np.diff(sums, prepend=0.0) for sums in cumulative])
    quantiles = []
    for shift, scale in zip(shifts.T, scales.T, strict=True):
        values = np.concatenate([a + b * x for a, b, x in zip(shift, scale, samples, strict=True)])
        order = np.argsort(values)
        place = np.searchsorted(np.cumsum(weights[order]), level)
        quantiles.append(values[order][place])
    return np.array(quantiles)


def samples_of(rng, n_samples, n, *, decimals=None):
    """Return sorted samples, and sums of weights that reach 0.97."""
    samples = [np.sort(np.abs(rng.normal(size=n + 7 * m))) for m in range(n_samples)]
    weights = [rng.uniform(0.1, 1, size=len(sample)) for sample in samples]
    total = sum(weight.sum() for weight in weights) / 0.97
    if decimals is not None:
        samples = [np.round(sample, decimals) for sample in samples]
    return samples, [np.cumsum(weight / total) for weight in weights]


@pytest.mark.parametrize("n_samples", [1, 2, 5, 12])
@pytest.mark.parametrize("spread", [0.0, 1e-9, 0.05, 3.0, 1e4])
@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_quantiles_are_those_of_the_definition(n_samples, spread, decimals, level):
    rng = np.random.default_rng(n_samples)
    samples, cumulative = samples_of(rng, n_samples, 60, decimals=decimals)
    shifts = 10 * rng.normal(size=20) + spread * rng.normal(size=(n_samples, 20))
    scales = rng.uniform(0.5, 2, size=(n_samples, 20)) ** np.sign(spread)
    if decimals is not None:
        shifts, scales = np.round(shifts), np.ones_like(scales)
    assert_array_equal(
        shifted_quantiles(samples, cumulative, shifts, scales, level),
        by_definition(samples, cumulative, shifts, scales, level),
    )


def test_samples_of_few_different_values():
    samples, cumulative = samples_of(np.random.default_rng(0), 3, 500, decimals=0)
    shifts, scales = np.zeros((3, 4)), np.ones((3, 4))
    assert_array_equal(shifted_quantiles(samples, cumulative, shifts, scales, 0.5), np.ones(4))


def test_the_search_takes_few_steps(monkeypatch):
    """Where halving the bracket would take 44, and as many searches in each sample."""
    samples, cumulative = samples_of(np.random.default_rng(0), 4, 5000)
    shifts = 0.1 * np.random.default_rng(1).normal(size=(4, 100))
    monkeypatch.setattr(searched, "MOST_STEPS", 12)
    scales = np.ones_like(shifts)
    assert_array_equal(
        shifted_quantiles(samples, cumulative, shifts, scales, 0.9),
        by_definition(samples, cumulative, shifts, scales, 0.9),
    )


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_limits_are_values_of_the_definition(coverage):
    rng = np.random.default_rng(3)
    groups = [np.repeat(np.arange(m, 40, 4), 6) for m in range(4)]
    distribution = group_score_distribution([rng.exponential(size=len(g)) for g in groups], groups)
    means, scales = rng.normal(size=(4, 30)), rng.uniform(0.5, 2, size=(4, 30))
    level = coverage * (1 - 1e-10)
    lower, upper = limits(distribution, means, scales, coverage).T
    known = (distribution.scores, distribution.cumulative_weights)
    assert_array_equal(upper, by_definition(*known, means, scales, level))
    assert_array_equal(lower, -by_definition(*known, -means, scales, level))
