"""Fits in lock-step against ordinary fits of the same responses, one by one."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.covariance import AR1, CompoundSymmetry, Diagonal, Identity, Unstructured
from skmixed.datasets import load_dyestuff, load_pastes, load_sleepstudy
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.lockstep import LockstepModel, can_step_together
from skmixed.fitting.many_fits import ManyFits, WarmModel
from skmixed.fitting.model import LMMModel

pytestmark = pytest.mark.exhaustive(7)

STRUCTURES = [
    Unstructured(),
    Diagonal(),
    Identity(),
    AR1(),
    CompoundSymmetry(),
    CompoundSymmetry(equal_variances=True),
]
COLUMNS = ["a", "b", "c"]


def model_of(
    covariance, *, method="reml", weights=None, ratio=1.0, n=90, balanced=False, **options
) -> LMMModel:
    """Return a model of three effects that vary between 15 groups."""
    rng = np.random.default_rng(7)
    occasion = np.arange(n) % 3 if balanced else rng.integers(3, size=n)
    columns = pd.DataFrame(np.eye(3)[occasion], columns=COLUMNS)
    g = np.repeat(np.arange(15), n // 15) if balanced else rng.integers(15, size=n)
    x = rng.normal(size=n)
    b = ratio * rng.multivariate_normal(
        np.zeros(3), 0.5 + 0.5 * np.eye(3), size=15, method="cholesky"
    )
    y = 3.0 + x + b[g, occasion] + rng.normal(size=n)
    w = {
        "precision": rng.uniform(0.3, 3.0, size=n),
        "frequency": rng.integers(1, 4, size=n).astype(float),
    }
    estimator = MixedLM(
        "g",
        random_slopes={"g": COLUMNS},
        random_intercept=False,
        fit_intercept=False,
        covariance=covariance,
        method=method,
        weight_type=weights if weights in w else "precision",
        **options,
    )
    group_weight = dict(enumerate([1.0, 2.0, 3.0] * 5)) if weights == "group" else None
    return estimator.training_model(
        columns.assign(x=x, g=g), y, sample_weight=w.get(weights), group_weight=group_weight
    )


def responses_of(model: LMMModel, fit: LMMFit, m: int, seed: int = 0) -> np.ndarray:
    """Draw responses, each with random effects between none and twice the estimated ones."""
    rng = np.random.default_rng(seed)
    design = model.design
    y = design.fixed @ fit.fixed.coefficients[int(design.intercept) :]
    y = y + fit.sigma * rng.normal(size=(m, design.n_rows))
    for block, effects in zip(design.blocks, fit.random, strict=True):
        size = rng.uniform(0.0, 2.0, size=m)[:, None, None]
        u = size * rng.normal(size=(m, len(block.factor.levels), block.columns.shape[1]))
        b = fit.sigma * u @ effects.relative_factor.T
        y += np.einsum("rnk,nk->rn", b[:, block.factor.codes], block.columns)
    return y


def assert_same(many: ManyFits, model: LMMModel, responses: np.ndarray, *, most: int = 0) -> None:
    """Compare with ordinary fits; at most some responses may be left to them."""
    assert (~many.converged).sum() <= most
    for i in np.flatnonzero(many.converged):
        alone = model.with_response(responses[i]).fit()
        assert_allclose(many.log_likelihood[i], alone.log_likelihood, rtol=1e-11, atol=1e-9)
        assert_allclose(many.coefficients[i], alone.fixed.coefficients, rtol=1e-8, atol=1e-8)
        assert_allclose(many.sigma[i], alone.sigma, rtol=1e-8)
        for effects in alone.random:
            Lambda = many.standardised_factors[effects.position][i]
            expected = effects.standardised_factor @ effects.standardised_factor.T
            assert_allclose(Lambda @ Lambda.T, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("covariance", STRUCTURES, ids=str)
def test_structures(covariance, method, balanced):
    model = model_of(covariance, method=method, balanced=balanced)
    fit = model.fit()
    responses = responses_of(model, fit, 25)
    assert_same(LockstepModel(model, fit).fit(responses), model, responses, most=1)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("weights", ["precision", "frequency", "group"])
def test_weights(weights, method):
    model = model_of(Unstructured(), method=method, weights=weights)
    fit = model.fit()
    responses = responses_of(model, fit, 25)
    assert_same(LockstepModel(model, fit).fit(responses), model, responses)


@pytest.mark.parametrize("ratio", [1e-3, 10.0, 30.0])
@pytest.mark.parametrize("covariance", [Unstructured(), Diagonal()], ids=str)
def test_ratios_of_the_variances(covariance, ratio):
    model = model_of(covariance, ratio=ratio)
    fit = model.fit()
    responses = responses_of(model, fit, 25)
    assert_same(LockstepModel(model, fit).fit(responses), model, responses, most=3)


def test_enormous_variances_are_left_to_ordinary_fits():
    model = model_of(Unstructured(), ratio=1e5)
    fit = model.fit()
    assert not LockstepModel(model, fit).fit(responses_of(model, fit, 10)).converged.any()


def test_without_variation_between_groups_the_variance_is_exactly_zero():
    results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())
    rng = np.random.default_rng(1)
    responses = rng.normal(size=(200, 30))
    many = LockstepModel(results.model, results.fit).fit(responses)
    zero = many.standardised_factors[0][:, 0, 0] == 0.0
    assert 0.4 < zero.mean() < 0.75
    assert_same(many, results.model, responses)


@pytest.mark.parametrize(
    "formula",
    [
        "Reaction ~ Days + (Days | Subject)",
        "Reaction ~ Days + (Days || Subject)",
        "Reaction ~ 1 + (1 | Subject)",
        "Reaction ~ 0 + (Days | Subject)",
        "Reaction ~ Days + I(Days ** 2) + (Days + I(Days ** 2) | Subject)",
    ],
)
@pytest.mark.parametrize("rows", [180, 140])
def test_formulas(formula, rows):
    """With all rows the subjects are alike; without some they are not."""
    data = load_sleepstudy().sample(rows, random_state=0)
    results = mixedlm(formula, data)
    responses = responses_of(results.model, results.fit, 40)
    many = LockstepModel(results.model, results.fit).fit(responses)
    assert_same(many, results.model, responses, most=1)


def test_offset_units_and_order_of_the_responses():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    offset = np.linspace(0.0, 50.0, 180)
    design = replace(results.model.design, offset=offset)
    model = replace(results.model, design=design)
    responses = 1e3 + 1e-2 * responses_of(results.model, results.fit, 10)
    together = LockstepModel(model, results.fit)
    many = together.fit(responses + offset)
    assert_same(many, model, responses + offset)
    for i in (0, 9):
        alone = together.fit((responses + offset)[[i]])
        assert_allclose(alone.log_likelihood[0], many.log_likelihood[i], rtol=1e-12)


def test_a_response_that_x_explains_is_left_to_an_ordinary_fit():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    responses = responses_of(results.model, results.fit, 3)
    responses[1] = 5.0 + 2.0 * results.model.design.fixed[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        many = LockstepModel(results.model, results.fit).fit(responses)
    assert many.converged.tolist() == [True, False, True]


def test_a_search_that_is_cut_short_has_not_converged():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    responses = responses_of(results.model, results.fit, 20)
    short = LockstepModel(replace(results.model, max_iter=3), results.fit).fit(responses)
    assert not short.converged.all()


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_warm_refits_of_several_factors(method):
    results = mixedlm("strength ~ 1 + (1 | batch) + (1 | batch:cask)", load_pastes(), method=method)
    assert not can_step_together(results.fit)
    responses = responses_of(results.model, results.fit, 15)
    many = WarmModel(results.model, results.fit).fit(responses)
    assert_same(many, results.model, responses)
