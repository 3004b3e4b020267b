"""R2 and intraclass correlations of generalised models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, polygamma

from inference.generalised_models import (
    binary_data,
    count_data,
    counts,
    crossed,
    variance_of,
    yes_or_no,
)
from skmixed import MixedGLM, MixedLogisticRegression, mixedglm, mixedlm
from skmixed.inference import icc, r2, variance_decomposition


class TestLink:
    """Shares on the scale of the link."""

    @pytest.mark.parametrize(
        ("link", "variance"), [("logit", np.pi**2 / 3), ("probit", 1.0), ("cloglog", np.pi**2 / 6)]
    )
    def test_latent_response(self, link, variance):
        results = yes_or_no("y ~ x + (1 | g)", link)
        between = variance_of(results)
        assert_allclose(icc(results)["adjusted"].iloc[-1], between / (between + variance))
        assert_allclose(results.icc, between / (between + variance))
        fixed = np.var(results.params["x"] * binary_data()["x"], ddof=1)
        whole = fixed + between + variance
        assert_allclose(r2(results), [fixed / whole, (fixed + between) / whole])

    @pytest.mark.parametrize("family", ["poisson", "negative_binomial", "negative_binomial_1"])
    def test_counts_at_a_given_mean(self, family):
        results = counts(family, dispersed=True)
        parts = {
            method: variance_decomposition(results, method=method, mean=2.5)["variance"].iloc[-1]
            for method in ("delta", "lognormal", "trigamma")
        }
        fit = results.fitted_model.fit
        extra = [one.coefficients for one in fit.extra]
        delta = fit.family.variance(np.log([2.5]), extra)[0] / 2.5**2
        assert_allclose(parts["delta"], delta)
        assert_allclose(parts["lognormal"], np.log1p(delta))
        assert_allclose(parts["trigamma"], polygamma(1, 1.0 / delta))

    def test_null_model(self):
        results = counts()
        null = mixedglm("y ~ 1 + offset(log(t)) + (1 | g)", count_data(), family="poisson")
        mean = np.exp(null.params["Intercept"] + 0.5 * variance_of(null))
        assert_allclose(r2(results), r2(results, mean=mean), rtol=1e-5)
        observed = r2(results, mean="response")
        assert_allclose(observed, r2(results, mean=count_data()["y"].mean()))

    def test_gaussian_identity_is_the_linear_model(self):
        data = binary_data().assign(
            z=lambda d: d["x"] + np.sin(d["g"]) + np.sin(5.0 * np.arange(len(d)))
        )
        formula = "z ~ x + (1 | g)"
        general = mixedglm(formula, data, family="gaussian")
        linear = mixedlm(formula, data, method="ml")
        assert_allclose(r2(general), r2(linear), rtol=1e-5)
        assert_allclose(icc(general).iloc[:, 1:], icc(linear).iloc[:, 1:], rtol=1e-5)

    def test_what_there_is_no_rule_for(self):
        with pytest.raises(ValueError, match="'delta'"):
            r2(counts(), method="theoretical")
        with pytest.raises(ValueError, match="log link"):
            r2(yes_or_no(), method="trigamma")
        with pytest.raises(ValueError, match="method must be"):
            r2(counts(), method="exact")
        with pytest.raises(ValueError, match="mean must be"):
            r2(counts(), mean="median")
        inflated = mixedglm(
            "y ~ x + (1 | g)", count_data(inflated=True), family="poisson", zero_inflation="~1"
        )
        with pytest.raises(ValueError, match="zero inflation"):
            icc(inflated)
        assert 0.0 < icc(inflated, scale="response")["adjusted"].iloc[0] < 1.0

    def test_estimators(self):
        data = binary_data()
        model = MixedLogisticRegression("g").fit(data[["x", "g"]], data["y"])
        assert_allclose(model.icc_, yes_or_no("y ~ x + (1 | g)").icc, rtol=1e-4)
        number = MixedGLM("g", family="poisson").fit(data[["x", "g"]], data["y"])
        with pytest.raises(AttributeError, match=r"inference\.icc"):
            _ = number.icc_


class TestResponse:
    """Shares in the variance of the response itself."""

    def test_against_simulated_effects(self):
        results = crossed()
        data, rng = binary_data(), np.random.default_rng(0)
        eta = (results.params["Intercept"] + results.params["x"] * data["x"]).to_numpy()
        sd = {name: np.sqrt(variance_of(results, i)) for i, name in enumerate(("g", "h"))}
        own, first, second = rng.standard_normal((3, 2000))
        other = {"g": "h", "h": "g"}
        p = expit(eta[:, None] + sd["g"] * own + sd["h"] * first)
        total = np.mean(p.mean(axis=1) * (1.0 - p.mean(axis=1)))
        found = icc(results, scale="response").set_index("group")
        assert_allclose(found.loc["All", "adjusted"], np.mean(p.var(axis=1)) / total, rtol=0.06)
        for name, rest in other.items():
            shared = [expit(eta[:, None] + sd[name] * own + sd[rest] * z) for z in (first, second)]
            between = np.mean((shared[0] * shared[1]).mean(axis=1) - p.mean(axis=1) ** 2)
            assert abs(found.loc[name, "adjusted"] - between / total) < 0.015

    def test_with_a_log_link(self):
        results = counts()
        data, variance = count_data(), variance_of(results)
        mean = data["t"] * np.exp(
            results.params["Intercept"] + results.params["x"] * data["x"] + 0.5 * variance
        )
        between = np.mean(mean**2) * np.expm1(variance)
        found = icc(results, scale="response").iloc[-1]
        assert_allclose(found["adjusted"], between / (between + mean.mean()), rtol=1e-6)
        whole = between + mean.mean() + np.var(mean, ddof=1)
        assert_allclose(found["unadjusted"], between / whole, rtol=1e-6)
