"""Draws of fixed and random effects have the distribution that the data leave."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from prediction.henderson import henderson, three_factors

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy
from skmixed.prediction.sampling import sample_effects

N = 40_000
MODELS = {
    "one factor": lambda: mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy()),
    "weighted": lambda: mixedlm(
        "Reaction ~ Days + (Days || Subject)",
        load_sleepstudy().assign(w=np.random.default_rng(3).uniform(0.2, 3.0, 180)),
        weights="w",
    ),
    "crossed": lambda: mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin()),
    "nested": lambda: mixedlm("strength ~ 1 + (1 | batch / cask)", load_pastes()),
    "three factors": three_factors,
}


@pytest.fixture(scope="module", params=MODELS, ids=str)
def results(request):
    return MODELS[request.param]()


@pytest.mark.parametrize("beta_known", [False, True])
def test_draws_have_the_joint_covariance_of_the_errors(results, beta_known):
    errors = henderson(results)
    expected = errors.given_beta if beta_known else errors.covariance
    drawn = sample_effects(results.fit, N, np.random.default_rng(0), beta_known=beta_known)
    parts = [effects.reshape(N, -1) for effects in drawn.effects]
    centers = [effects.modes.ravel() for effects in results.fit.random]
    if beta_known:
        assert (drawn.coefficients == results.params.to_numpy()).all()
    else:
        parts, centers = [drawn.coefficients, *parts], [results.params.to_numpy(), *centers]
    draws = np.hstack(parts)
    sd = np.sqrt(np.diagonal(expected))
    # Standard errors: 1 / sqrt(N) of a mean, at most that of a correlation; up to 3,000 of them.
    assert_allclose((draws.mean(axis=0) - np.concatenate(centers)) / sd, 0.0, atol=5 / np.sqrt(N))
    covariance = np.cov(draws.T) / np.outer(sd, sd)
    assert_allclose(covariance, expected / np.outer(sd, sd), atol=7 / np.sqrt(N))


def test_draws_of_the_iterative_kernel():
    """They follow the covariance that the kernel itself estimates for predictions."""
    data = load_penicillin()
    model = MixedLM(formula="diameter ~ 1 + (1 | plate) + (1 | sample)", solver="iterative")
    fit = model.fit(data).lmm_fit_
    drawn = sample_effects(fit, N, np.random.default_rng(0))
    rows = data.drop_duplicates(["plate", "sample"]).head(40)
    plate = fit.random[0].levels.encode([rows["plate"]])
    sample = fit.random[1].levels.encode([rows["sample"]])
    means = drawn.coefficients + drawn.effects[0][:, plate, 0] + drawn.effects[1][:, sample, 0]
    expected, covariance = model.predict(rows, return_cov=True)
    covariance = covariance - fit.sigma**2 * np.eye(len(rows))
    sd = np.sqrt(np.diagonal(covariance))
    assert_allclose((means.mean(axis=0) - expected) / sd, 0.0, atol=5 / np.sqrt(N))
    scaled = np.cov(means.T) / np.outer(sd, sd)
    assert_allclose(scaled, covariance / np.outer(sd, sd), atol=7 / np.sqrt(N))


def test_same_seed_same_draws(results):
    one, two = (sample_effects(results.fit, 3, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.coefficients, two.coefficients)
    for left, right in zip(one.effects, two.effects, strict=True):
        assert np.array_equal(left, right)
