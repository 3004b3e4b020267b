"""Rows 17 and 18, and 84 to 89, of the promised features: generalised models."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedGLM, MixedLogisticRegression, mixedglm, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import overdispersion_test, quantile_residuals, zero_inflation_test

SLEEP = load_sleepstudy()


@pytest.fixture(scope="module")
def decisions():
    """Return yes-or-no answers of 40 groups, 10 each."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 10)
    x = rng.normal(size=400)
    eta = 0.5 + x + 1.5 * rng.normal(size=40)[group]
    return pd.DataFrame({"x": x, "g": group, "y": (rng.random(400) < 1 / (1 + np.exp(-eta))) * 1})


@pytest.fixture(scope="module")
def counts():
    """Return counts of 40 groups, overdispersed and with a fifth of zeros that mean nothing."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 15)
    x, hours = rng.normal(size=600), rng.uniform(1, 4, 600)
    rate = hours * np.exp(0.8 + 0.4 * x + 0.5 * rng.normal(size=40)[group])
    y = rng.poisson(rate * rng.gamma(4.0, 0.25, 600))
    return pd.DataFrame(
        {"x": x, "hours": hours, "g": group, "y": y, "z": np.where(rng.random(600) < 0.2, 0, y)}
    )


@pytest.fixture(scope="module")
def speed_dating(shared):
    """Return the data of the course notes, and what glmer gives."""
    case = json.loads((shared / "reference/reference.json").read_text("utf-8"))["cases"]["sdating"]
    frame = pd.read_csv(shared / "data/speed_dating.csv").dropna(
        subset=["attractive_sc", "sincere_sc", "intelligent_sc"]
    )
    return frame, case


class TestRow17LogisticRandomIntercept:
    def test_row_17_formula_gives_the_figures_of_glmer(self, speed_dating):
        data, glmer = speed_dating
        terms = "sex + samerace + attractive_sc + sincere_sc + intelligent_sc"
        results = mixedglm(f"decision ~ {terms} + (1 | iid)", data, family="binomial")
        assert_allclose(results.params, list(glmer["fixef"].values()), atol=1e-5)
        assert_allclose(results.bse, list(glmer["se"].values()), rtol=1e-3)
        assert_allclose(results.theta, glmer["theta"], atol=1e-5)
        assert_allclose(results.llf, glmer["loglik"], atol=1e-5)

    def test_row_17_classifier_and_regressor_are_the_same_model(self, decisions):
        X, y, g = decisions[["x"]], decisions["y"], decisions["g"]
        classifier = MixedLogisticRegression().fit(X, y, groups=g)
        regressor = MixedGLM(family="binomial").fit(X, y, groups=g)
        formula = mixedglm("y ~ x + (1 | g)", decisions)
        for one in (classifier, regressor):
            assert_allclose(one.coef_, formula.params.iloc[1:], rtol=1e-6)
        probabilities = classifier.predict_proba(X, groups=g)
        assert_allclose(probabilities[:, 1], regressor.predict(X, groups=g), rtol=1e-6)
        plugged_in = classifier.predict_proba(X, groups=g, average=False)[:, 1]
        assert_allclose(plugged_in, formula.predict(decisions), rtol=1e-6)


def test_row_18_gaussian_identity_is_the_linear_model():
    formula = "Reaction ~ Days + (Days | Subject)"
    generalised = mixedglm(formula, SLEEP, family="gaussian")
    linear = mixedlm(formula, SLEEP, method="ml")
    assert_allclose(generalised.llf, linear.llf, atol=1e-7)
    assert_allclose(generalised.params, linear.params, rtol=1e-6)
    assert_allclose(generalised.cov_re, linear.cov_re, rtol=1e-3)
    assert_allclose(generalised.predict(SLEEP), linear.predict(SLEEP), rtol=1e-5)


class TestRow85Counts:
    def test_row_85_dispersion_and_zero_inflation_are_found(self, counts):
        options = {"family": "negative_binomial", "exposure": "hours"}
        results = mixedglm("z ~ x + (1 | g)", counts, zero_inflation="~ 1", **options)
        assert_allclose(results.params["x"], 0.4, atol=4 * results.bse["x"])
        assert_allclose(results.dispersion, 0.25, atol=0.12)
        share = 1 / (1 + np.exp(-results.zero_inflation_params["Intercept"]))
        assert_allclose(share, 0.2, atol=0.05)
        assert results.aic < mixedglm("z ~ x + (1 | g)", counts, **options).aic - 10

    @pytest.mark.parametrize("family", ["poisson", "negative_binomial", "negative_binomial_1"])
    def test_row_85_exposure_is_an_offset_of_its_logarithm(self, counts, family):
        by_name = mixedglm("y ~ x + (1 | g)", counts, family=family, exposure="hours")
        offset = mixedglm("y ~ x + offset(log(hours)) + (1 | g)", counts, family=family)
        assert_allclose(by_name.params, offset.params, rtol=1e-6)
        assert_allclose(by_name.llf, offset.llf, atol=1e-7)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian"])
def test_row_86_positive_responses(family):
    results = mixedglm("Reaction ~ Days + (1 | Subject)", SLEEP, family=family, link="log")
    assert 1.02 < np.exp(results.params["Days"]) < 1.05
    assert results.converged


def test_row_86_shares_and_proportions(decisions):
    wide = decisions.assign(high=decisions["x"] > 0).groupby(["g", "high"], as_index=False)
    wide = wide.agg(yes=("y", "sum"), met=("y", "size"))
    long = mixedglm("y ~ high + (1 | g)", decisions.assign(high=decisions["x"] > 0))
    for formula, options in (
        ("yes / met ~ high + (1 | g)", {}),
        ("share ~ high + (1 | g)", {"weights": "met"}),
    ):
        data = wide.assign(share=wide["yes"] / wide["met"])
        assert_allclose(mixedglm(formula, data, **options).params, long.params, atol=1e-6)
    shares = wide.assign(share=(wide["yes"] + 1) / (wide["met"] + 2))
    assert mixedglm("share ~ high + (1 | g)", shares, family="beta").params.iloc[1] > 0


def test_row_87_quadrature_settles(decisions):
    llf = [mixedglm("y ~ x + (1 | g)", decisions, n_quadrature=k).llf for k in (1, 9, 15, 25)]
    assert abs(llf[1] - llf[3]) < 1e-3 < abs(llf[0] - llf[3])
    assert abs(llf[2] - llf[3]) < 1e-5


def test_row_88_averaged_probabilities_are_nearer_to_one_half(decisions):
    model = MixedLogisticRegression("g").fit(decisions[["x", "g"]], decisions["y"])
    new = decisions[["x", "g"]].assign(g=-1)
    averaged = model.predict_proba(new)[:, 1] - 0.5
    plugged_in = model.predict_proba(new, average=False)[:, 1] - 0.5
    assert (np.abs(averaged) < np.abs(plugged_in)).all()
    assert (averaged * plugged_in > 0).all()


def test_row_89_simulated_residuals_and_tests(counts):
    poisson, negative = (
        mixedglm("y ~ x + (1 | g)", counts, family=family, exposure="hours")
        for family in ("poisson", "negative_binomial")
    )
    spread = [
        overdispersion_test(fit, n_simulations=100, random_state=0) for fit in (poisson, negative)
    ]
    assert spread[0]["p_value"] < 0.02 < spread[1]["p_value"]
    inflated = mixedglm("z ~ x + (1 | g)", counts, family="poisson", exposure="hours")
    assert zero_inflation_test(inflated, n_simulations=100, random_state=0)["p_value"] < 0.02
    residuals = quantile_residuals(negative, random_state=0)
    assert residuals.between(0, 1).all()
    assert abs(residuals.mean() - 0.5) < 0.05
