"""Simulated responses of generalised models: their moments are those of the family."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed.estimators.generalised_api import mixedglm
from skmixed.inference.replication.simulation import simulate

N_DRAWS = 4000


def counts(seed: int = 0) -> pd.DataFrame:
    """Return counts and shares of successes in 12 groups of 5 rows."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(12), 5)
    x = rng.normal(size=60)
    eta = 0.5 + 0.5 * x + rng.normal(size=12)[group]
    trials = rng.integers(2, 9, 60)
    return pd.DataFrame(
        {
            "x": x,
            "group": group,
            "count": rng.poisson(np.exp(eta)),
            "share": rng.binomial(trials, 1.0 / (1.0 + np.exp(-eta))) / trials,
            "trials": trials.astype(float),
        }
    )


@pytest.fixture(scope="module")
def poisson():
    return mixedglm("count ~ x + (1 | group)", counts(), family="poisson")


@pytest.fixture(scope="module")
def shares():
    return mixedglm("share ~ x + (1 | group)", counts(), weights="trials")


def assert_near(draws: np.ndarray, expected: np.ndarray, variance: np.ndarray) -> None:
    """Compare means of draws with what is expected, in units of their Monte-Carlo errors."""
    errors = (draws.mean(axis=1) - expected) / np.sqrt(variance / draws.shape[1])
    assert np.abs(errors).max() < 5.0


def test_responses_at_the_modes_have_the_fitted_means(poisson, shares):
    fitted = poisson.fittedvalues.to_numpy()
    drawn = simulate(poisson, N_DRAWS, random_effects="conditional", random_state=1)
    assert drawn.shape == (60, N_DRAWS)
    assert_near(drawn, fitted, fitted)
    p, trials = shares.fittedvalues.to_numpy(), counts()["trials"].to_numpy()
    drawn = simulate(shares, N_DRAWS, random_effects="conditional", random_state=1)
    assert_near(drawn, p, p * (1.0 - p) / trials)
    assert np.allclose(drawn * trials[:, None], np.round(drawn * trials[:, None]))


def test_responses_of_drawn_effects_have_averaged_means(poisson):
    mean, std = poisson.predict(counts(), average=True, return_std=True, kind="observation")
    drawn = simulate(poisson, N_DRAWS, random_effects="posterior", random_state=1)
    assert_near(drawn, mean, std**2)


def test_responses_of_new_effects_share_them_within_groups(poisson):
    """exp(m + v / 2), and the covariance of log normal means of two rows of a group."""
    drawn = simulate(poisson, 4 * N_DRAWS, random_state=1)
    mean = poisson.predict(counts(), average=True, include_random_effects=False)
    variance = poisson.fit.random[0].effect_covariance[0, 0]
    assert_near(drawn, mean, mean + mean**2 * np.expm1(variance))
    between = np.cov(drawn)[np.arange(0, 60, 5), np.arange(1, 60, 5)]
    expected = (mean[::5] * mean[1::5]) * np.expm1(variance)
    assert np.median(between / expected) == pytest.approx(1.0, rel=0.2)


def test_the_first_of_many_are_the_same_as_a_few(poisson):
    for effects in ("new", "conditional", "posterior"):
        many = simulate(poisson, 9, random_effects=effects, random_state=3)
        assert np.array_equal(
            many[:, :2], simulate(poisson, 2, random_effects=effects, random_state=3)
        )


def test_weights_that_are_no_trials_are_refused():
    data = counts()
    weighted = mixedglm("count ~ x + (1 | group)", data, family="poisson", weights="trials")
    with pytest.raises(ValueError, match="Repeat rows"):
        simulate(weighted)


def test_a_dispersion_is_that_of_the_rows():
    rng = np.random.default_rng(4)
    data = counts().assign(count=lambda d: rng.poisson(d["count"] * rng.gamma(1.0, size=60)))
    results = mixedglm("count ~ x + (1 | group)", data, family="negative_binomial")
    mean = results.fittedvalues.to_numpy()
    family, extra = results.fit.family, results.fit.extra[0].of_rows(None, 60)
    drawn = simulate(results, N_DRAWS, random_effects="conditional", random_state=1)
    assert_near(drawn, mean, family.variance(np.log(mean), (extra,)))
    assert np.median(drawn.var(axis=1) / mean) > 1.2
