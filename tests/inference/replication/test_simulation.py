"""Simulated responses: their moments are those of the model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_penicillin, load_sleepstudy
from skmixed.inference.replication.simulation import simulate

N_DRAWS = 20_000


def marginal(results) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the rows from the tables of the results."""
    design = results.model.design
    X = np.column_stack([np.ones(design.n_rows), design.fixed])
    V = np.zeros((design.n_rows, design.n_rows))
    for block, effects in zip(design.blocks, results.fit.random, strict=True):
        same = np.equal.outer(block.factor.codes, block.factor.codes)
        V += same * (block.columns @ effects.effect_covariance @ block.columns.T)
    weights = np.ones(design.n_rows) if design.weights.values is None else design.weights.values
    return X @ results.params.to_numpy(), V + np.diag(results.sigma**2 / weights)


def assert_moments(responses: np.ndarray, mean: np.ndarray, V: np.ndarray) -> None:
    """Compare with the Monte-Carlo errors of a mean and of a covariance of normal variables."""
    n = responses.shape[1]
    sd = np.sqrt(V.diagonal())
    errors = (responses.mean(axis=1) - mean) / sd * np.sqrt(n)
    assert np.abs(errors).max() < 5.0
    spread = np.sqrt((np.outer(sd**2, sd**2) + V**2) / n)
    assert np.abs((np.cov(responses) - V) / spread).max() < 5.5


@pytest.mark.parametrize("weighted", [False, True])
def test_new_effects_have_the_marginal_covariance(weighted):
    data = load_sleepstudy().iloc[100:160]
    weights = np.linspace(0.3, 2.0, 60) if weighted else None
    results = mixedlm("Reaction ~ Days + (Days | Subject)", data, weights=weights)
    responses = simulate(results, n=N_DRAWS, random_state=1)
    assert_moments(responses, *marginal(results))


def test_crossed_factors():
    data = load_penicillin().iloc[:60]
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    assert_moments(simulate(results, n=N_DRAWS, random_state=2), *marginal(results))


def test_conditional_responses_lie_around_the_fitted_values():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy().iloc[:60])
    responses = simulate(results, n=N_DRAWS, random_effects="conditional", random_state=3)
    assert_moments(responses, results.fittedvalues.to_numpy(), results.sigma**2 * np.eye(60))


def test_the_first_of_many_are_the_same_as_a_few():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    for random_effects in ("new", "conditional"):
        few = simulate(results, n=2, random_effects=random_effects, random_state=5)
        many = simulate(results, n=9, random_effects=random_effects, random_state=5)
        assert_array_equal(few, many[:, :2])


def test_a_generator_goes_on():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    rng = np.random.default_rng(8)
    parts = [simulate(results, random_state=rng) for _ in range(2)]
    whole = simulate(results, n=2, random_state=8)
    assert_array_equal(np.hstack(parts), whole)


def test_units_do_not_matter():
    data = load_sleepstudy()
    far = data.assign(Days=1e6 + data["Days"], Reaction=1e-3 * data["Reaction"])
    near, moved = (mixedlm("Reaction ~ Days + (Days | Subject)", frame) for frame in (data, far))
    assert_allclose(
        1e3 * simulate(moved, n=3, random_state=0), simulate(near, n=3, random_state=0), rtol=1e-5
    )


def test_a_training_model_is_enough():
    data = load_sleepstudy()
    estimator = MixedLM("Subject", random_slopes=["Days"])
    model = estimator.training_model(data[["Days", "Subject"]], data["Reaction"])
    by_formula = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    assert_allclose(simulate(model, random_state=0), simulate(by_formula, random_state=0))


def test_what_cannot_be_simulated():
    data = load_sleepstudy()
    results = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    with pytest.raises(ValueError, match="random_effects must be one of"):
        simulate(results, random_effects="old")
    with pytest.raises(ValueError, match="n, the number of responses, must be at least 1"):
        simulate(results, n=0)
    counted = mixedlm(
        "Reaction ~ Days + (Days | Subject)",
        data,
        weights=np.tile([1.0, 2.0], 90),
        weight_type="frequency",
    )
    with pytest.raises(ValueError, match="stand for several responses"):
        simulate(counted)
    estimator = MixedLM("Subject").fit(data[["Days", "Subject"]], data["Reaction"])
    with pytest.raises(TypeError, match="does not keep"):
        simulate(estimator)


def test_drawn_effects_have_the_moments_of_the_effects_given_the_data():
    """Var(y) = Z Var(b | y, beta) Z' + sigma^2 I around the fitted values."""
    data = load_sleepstudy().iloc[:60]
    results = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    responses = simulate(results, n=N_DRAWS, random_effects="posterior", random_state=3)
    Z = results.model.design.blocks[0].columns
    codes = results.model.design.factors[0].codes
    D = results.fit.random[0].conditional_covariance[codes]
    V = np.equal.outer(codes, codes) * np.einsum("ni,nij,mj->nm", Z, D, Z)
    assert_moments(responses, results.fittedvalues.to_numpy(), V + results.sigma**2 * np.eye(60))
