"""Marginal means and slopes of generalised models, on both scales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from inference.generalised_models import binary_data, count_data, counts, variance_of, yes_or_no
from skmixed import mixedglm, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import contrasts, marginal_means, marginal_slopes, pairwise


def at_parameters(results, change):
    """Return results whose parameters are changed in standardised coordinates."""
    fit = results.fitted_model.fit
    joint = replace(fit.joint, parameters=fit.joint.parameters + change)
    matrix = fit.coordinates.fixed.matrix
    fixed = replace(fit.fixed, coefficients=matrix @ joint.parameters[joint.beta])
    theta, random = joint.parameters[joint.theta], []
    for effects in fit.random:
        own, theta = np.split(theta, [effects.covariance.n_parameters])
        random.append(replace(effects, standardised_factor=effects.covariance.factor(own)))
    moved = replace(fit, joint=joint, fixed=fixed, random=tuple(random))
    return replace(results.fitted_model, fit=moved)


class TestScales:
    """Tables on the scale of the response are those of the link, transformed."""

    def test_means_and_limits_are_transformed(self):
        means = marginal_means(yes_or_no(), "a")
        link, response = means.tidy(), means.tidy(scale="response")
        assert_allclose(response["estimate"], expit(link["estimate"]))
        assert_allclose(response[["lower", "upper"]], expit(link[["lower", "upper"]]))
        p = response["estimate"]
        assert_allclose(response["se"], p * (1.0 - p) * link["se"])
        assert_allclose(response["p_value"], link["p_value"])
        assert np.isinf(link["df"]).all()

    def test_the_scale_asked_for_is_the_default_of_the_tables(self):
        asked = marginal_means(yes_or_no(), "a", scale="response")
        pd.testing.assert_frame_equal(
            asked.tidy(), marginal_means(yes_or_no(), "a").tidy(scale="response")
        )
        assert "p / q" in list(pairwise(yes_or_no(), "a", scale="response")["contrast"])

    def test_differences_of_logits_are_odds_ratios(self):
        means = marginal_means(yes_or_no(), "a")
        link, ratios = means.contrasts(), contrasts(means, scale="response")
        assert list(ratios["contrast"]) == ["p / q", "p / r", "q / r"]
        columns = ["estimate", "lower", "upper"]
        assert_allclose(ratios[columns], np.exp(link[columns]))
        assert_allclose(ratios["se"], ratios["estimate"] * link["se"])
        assert_allclose(ratios["p_value"], link["p_value"])

    def test_other_links_have_no_ratios(self):
        means = marginal_means(yes_or_no(link="probit"), "a")
        pd.testing.assert_frame_equal(means.contrasts(scale="response"), means.contrasts())

    def test_a_falling_link_keeps_limits_in_order(self):
        data = pd.DataFrame({"g": np.arange(200) % 20})
        rng = np.random.default_rng(0)
        data["y"] = rng.gamma(20.0, rng.uniform(0.5, 1.0, 20)[data["g"]])
        results = mixedglm("y ~ 1 + (1 | g)", data, family="gamma", link="inverse")
        row = marginal_means(results).tidy(scale="response").iloc[0]
        assert row["lower"] < row["estimate"] < row["upper"]

    def test_linear_models_have_one_scale(self):
        results = mixedlm("Reaction ~ C(Days) + (1 | Subject)", load_sleepstudy())
        means = marginal_means(results, "Days", average=True)
        pd.testing.assert_frame_equal(means.tidy(), means.tidy(scale="response"))

    def test_unknown_scale(self):
        with pytest.raises(ValueError, match="scale must be one of"):
            marginal_means(yes_or_no(), "a", scale="odds")
        with pytest.raises(ValueError, match="scale must be one of"):
            marginal_means(yes_or_no(), "a").tidy(scale="odds")


class TestAverages:
    """Means over the random effects, which are those of a population."""

    def test_mean_is_the_integral(self):
        results = yes_or_no("y ~ x + a + (1 | g)")
        link = marginal_means(results, "a").tidy()["estimate"]
        sd = np.sqrt(variance_of(results))
        found = marginal_means(results, "a", average=True).tidy(scale="response")["estimate"]
        expected = [quad(lambda z, e=e: expit(e + sd * z) * norm.pdf(z), -9, 9)[0] for e in link]
        assert_allclose(found, expected, rtol=1e-8)

    def test_random_slopes_count_at_the_covariate(self):
        results = yes_or_no()
        rows = pd.DataFrame({"x": [2.0], "a": ["q"], "g": [-1]})
        means = marginal_means(results, "a", at={"a": ["q"], "x": [2.0]}, average=True)
        found = means.tidy(scale="response")["estimate"]
        assert_allclose(found, results.predict(rows, average=True), rtol=1e-8)

    def test_standard_errors_by_differences(self):
        results = yes_or_no()
        means = marginal_means(results, "a", average=True)
        joint = results.fitted_model.fit.joint
        gradient = np.empty((3, len(joint.parameters)))
        for j, change in enumerate(1e-4 * np.eye(len(joint.parameters))):
            ends = [
                marginal_means(at_parameters(results, sign * change), "a", average=True).tidy()
                for sign in (1.0, -1.0)
            ]
            gradient[:, j] = (ends[0]["estimate"] - ends[1]["estimate"]) / 2e-4
        expected = np.sqrt(np.diag(gradient @ joint.covariance @ gradient.T))
        assert_allclose(means.tidy()["se"], expected, rtol=1e-5)

    def test_with_a_log_link_the_average_moves_the_level_alone(self):
        results = counts()
        typical, average = (
            marginal_means(results, "x", at={"x": [0.0, 1.0]}, average=average)
            for average in (False, True)
        )
        variance = variance_of(results)
        shift = average.tidy()["estimate"] - typical.tidy()["estimate"]
        assert_allclose(shift, 0.5 * variance, rtol=1e-8)
        ratios = [one.contrasts(scale="response") for one in (typical, average)]
        assert_allclose(ratios[0]["estimate"], ratios[1]["estimate"], rtol=1e-8)
        assert_allclose(ratios[0]["se"], ratios[1]["se"], rtol=1e-6)

    def test_effects_of_columns_outside_the_grid(self):
        results = mixedglm("y ~ a + (1 | g) + (0 + x | g)", binary_data())
        with pytest.raises(ValueError, match=r"depends on \['x'\]"):
            marginal_means(results, "a", average=True)


class TestOffsets:
    """Offsets are at the means of their columns, unless a number is given."""

    def test_of_the_formula(self):
        results, t = counts(), count_data()["t"]
        row = marginal_means(results).tidy().iloc[0]
        x = count_data()["x"].mean()
        line = results.params["Intercept"] + results.params["x"] * x
        assert_allclose(row["estimate"], line + np.log(t.mean()))
        assert_allclose(marginal_means(results, offset=0.0).tidy()["estimate"], line)

    def test_beside_the_formula(self):
        data = count_data()
        results = mixedglm("y ~ x + (1 | g)", data, family="poisson", exposure="t")
        line = results.params["Intercept"] + results.params["x"] * data["x"].mean()
        row = marginal_means(results).tidy().iloc[0]
        assert_allclose(row["estimate"], line + np.log(data["t"]).mean())


class TestSlopes:
    """Slopes of the linear predictor, and of the mean response."""

    def test_exact_derivative_of_a_curve(self):
        results = yes_or_no("y ~ x + I(x ** 2) + a + (1 | g)")
        row = marginal_slopes(results, "x", at={"x": 0.5}).tidy().iloc[0]
        assert_allclose(row["estimate"], results.params["x"] + results.params["I(x ** 2)"])

    def test_response(self):
        results = yes_or_no()
        slopes = marginal_slopes(results, "x", "a", at={"x": 0.3}, scale="response").tidy()
        means = marginal_means(results, "a", at={"x": 0.3}).tidy(scale="response")["estimate"]
        assert_allclose(slopes["estimate"], results.params["x"] * means * (1.0 - means), rtol=1e-8)

    def test_standard_errors_of_the_response_by_differences(self):
        results = yes_or_no()
        fit = results.fitted_model.fit
        options = {"at": {"x": 0.3}, "scale": "response"}
        n = len(fit.joint.parameters)
        gradient = np.zeros((3, n))
        for j in range(fit.joint.n_beta):
            change = 1e-4 * np.eye(n)[j]
            ends = [
                marginal_slopes(at_parameters(results, sign * change), "x", "a", **options).tidy()
                for sign in (1.0, -1.0)
            ]
            gradient[:, j] = (ends[0]["estimate"] - ends[1]["estimate"]) / 2e-4
        found = marginal_slopes(results, "x", "a", **options).tidy()["se"]
        covariance = gradient @ fit.joint.covariance @ gradient.T
        assert_allclose(found, np.sqrt(np.diag(covariance)), rtol=1e-5)

    def test_slopes_stay_on_their_scale(self):
        slopes = marginal_slopes(yes_or_no(), "x")
        with pytest.raises(ValueError, match="marginal_slopes"):
            slopes.tidy(scale="response")
