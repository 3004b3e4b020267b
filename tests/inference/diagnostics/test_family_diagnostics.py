"""Residuals, leverages and tests of generalised models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from inference.generalised_models import binary_data, count_data, counts, yes_or_no
from skmixed import MixedGLM, mixedglm, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import (
    autocorrelation,
    cooks_distance,
    leverage,
    overdispersion_test,
    quantile_residual_tests,
    quantile_residuals,
    residuals,
    simulate,
    zero_inflation_test,
)


class TestResiduals:
    """Each kind by its definition."""

    def test_of_counts(self):
        results, data = counts(), count_data()
        y, mean = data["y"], results.fittedvalues
        assert_allclose(residuals(results), y - mean)
        assert_allclose(residuals(results, kind="pearson"), (y - mean) / np.sqrt(mean))
        assert_allclose(residuals(results, kind="working"), (y - mean) / mean)
        unit = 2.0 * (
            stats.poisson.logpmf(y, np.maximum(y, 1e-300)) - stats.poisson.logpmf(y, mean)
        )
        deviance = residuals(results, kind="deviance")
        assert_allclose(deviance**2, unit, atol=1e-10)
        assert ((deviance > 0.0) == (y > mean)).all()
        average = results.predict(data.assign(g=-1), average=True)
        assert_allclose(residuals(results, kind="marginal"), y - average)

    def test_trials_weight_shares(self):
        long = binary_data()[["y", "g"]]
        wide = long.groupby("g", as_index=False).agg(s=("y", "sum"), n=("y", "size"))
        wide["p"] = wide["s"] / wide["n"]
        results = mixedglm("p ~ 1 + (1 | g)", wide, weights="n")
        mean = results.fittedvalues
        expected = (wide["p"] - mean) / np.sqrt(mean * (1.0 - mean) / wide["n"])
        assert_allclose(residuals(results, kind="pearson"), expected)

    def test_zero_inflation_has_its_whole_variance(self):
        data = count_data(inflated=True)
        results = mixedglm("y ~ x + (1 | g)", data, family="poisson", zero_inflation="~1")
        share = results.predict_further(data)["zero_inflation"]
        mean = results.fittedvalues / (1.0 - share)
        variance = (1.0 - share) * mean * (1.0 + share * mean)
        expected = (data["y"] - results.fittedvalues) / np.sqrt(variance)
        assert_allclose(residuals(results, kind="pearson"), expected)
        with pytest.raises(ValueError, match="zero inflation"):
            residuals(results, kind="deviance")

    def test_estimators_need_their_rows(self):
        data = count_data()
        X, y = data[["x", "g"]], data["y"]
        model = MixedGLM("g", family="poisson").fit(X, y)
        results = mixedglm("y ~ x + (1 | g)", data, family="poisson")
        assert_allclose(residuals(model, X, y), residuals(results), rtol=1e-4, atol=1e-6)
        with pytest.raises(TypeError, match="rows"):
            residuals(model)

    def test_unknown_kind(self):
        with pytest.raises(ValueError, match="'working'"):
            residuals(counts(), kind="normalised")

    def test_gaussian_algebra_is_refused(self):
        with pytest.raises(ValueError, match="linear mixed model"):
            autocorrelation(counts(), time="x")


class TestLeverage:
    """Leverages are those of the working linear model."""

    def test_against_dense_algebra(self):
        results = yes_or_no()
        data, fit = binary_data(), results.fitted_model.fit
        design = results.fitted_model.rows.model.design
        X = np.column_stack([np.ones(len(data)), design.fixed])
        columns, codes = design.blocks[0].columns, design.blocks[0].factor.codes
        Z = np.zeros((len(data), 40, 2))
        Z[np.arange(len(data)), codes] = columns
        Z = Z.reshape(len(data), 80)
        Psi = np.kron(np.eye(40), fit.random[0].effect_covariance)
        p = results.fittedvalues.to_numpy()
        W = np.diag(p * (1.0 - p))
        A = np.column_stack([X, Z])
        penalty = np.zeros((X.shape[1] + 80,) * 2)
        penalty[X.shape[1] :, X.shape[1] :] = np.linalg.inv(Psi)
        hat = A @ np.linalg.solve(A.T @ W @ A + penalty, A.T @ W)
        assert_allclose(leverage(results), np.diag(hat), rtol=1e-6)
        h, pearson = np.diag(hat), residuals(results, kind="pearson")
        assert_allclose(residuals(results, kind="standardised"), pearson / np.sqrt(1.0 - h))
        expected = pearson**2 * h / (X.shape[1] * (1.0 - h) ** 2)
        assert_allclose(cooks_distance(results), expected, rtol=1e-5)


class TestOverdispersion:
    """The sum of squared Pearson residuals, against its distribution or against simulations."""

    def test_definition(self):
        test = overdispersion_test(counts())
        total = np.sum(residuals(counts(), kind="pearson") ** 2)
        assert_allclose(test["statistic"], total)
        assert test["df"] == 600 - 3
        assert_allclose(test["p_value"], stats.chi2.sf(total, 597))

    @pytest.mark.parametrize("n_simulations", [None, 99])
    def test_finds_it(self, n_simulations):
        options = {"n_simulations": n_simulations, "random_state": 0}
        assert overdispersion_test(counts(dispersed=True), **options)["p_value"] < 0.011
        assert overdispersion_test(counts(), **options)["p_value"] > 0.05
        negative = counts("negative_binomial", dispersed=True)
        assert overdispersion_test(negative, **options)["p_value"] > 0.05

    def test_simulations_hold_for_small_groups(self):
        rng = np.random.default_rng(1)
        data = pd.DataFrame({"g": np.repeat(np.arange(150), 2)})
        data["y"] = rng.poisson(np.exp(0.5 + rng.normal(size=150))[data["g"]])
        results = mixedglm("y ~ 1 + (1 | g)", data, family="poisson")
        assert overdispersion_test(results)["ratio"] < 0.75
        simulated = overdispersion_test(results, n_simulations=200, random_state=0)
        assert 0.85 < simulated["ratio"] < 1.15

    def test_linear_models_are_refused(self):
        results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        with pytest.raises(ValueError, match="got a linear one"):
            overdispersion_test(results)


class TestZeros:
    """Observed and expected zeros."""

    def test_at_the_modes(self):
        test = zero_inflation_test(counts(), n_simulations=50, random_state=0)
        assert test["observed"] == (count_data()["y"] == 0).sum()
        assert_allclose(test["expected"], np.exp(-counts().fittedvalues).sum())
        assert_allclose(test["ratio"], test["expected"] / test["observed"])
        assert test["p_value"] > 0.05

    def test_integrated(self):
        test = zero_inflation_test(counts(), average=True, n_simulations=50, random_state=0)
        drawn = simulate(counts(), 400, random_state=1)
        assert_allclose(test["expected"], (drawn == 0).sum(axis=0).mean(), rtol=0.03)

    @pytest.mark.parametrize("average", [False, True])
    def test_finds_them(self, average):
        results = counts(inflated=True)
        test = zero_inflation_test(results, average=average, n_simulations=99, random_state=0)
        assert test["ratio"] < 0.9
        assert test["p_value"] == 0.01

    def test_counts_only(self):
        with pytest.raises(ValueError, match="of counts"):
            zero_inflation_test(yes_or_no())


class TestQuantileResiduals:
    """Uniform if the model is right, whatever the family."""

    @pytest.mark.parametrize("options", [{}, {"n_simulations": 200}, {"random_effects": "new"}])
    @pytest.mark.parametrize("make", [yes_or_no, counts])
    def test_of_the_right_model(self, make, options):
        tests = quantile_residual_tests(make(), random_state=2, **options)
        assert list(tests["test"]) == ["uniformity", "dispersion", "outliers"]
        assert (tests["p_value"] > 0.01).all()

    def test_overdispersion_is_seen(self):
        tests = quantile_residual_tests(counts(dispersed=True), random_state=0).set_index("test")
        assert tests.loc["dispersion", "statistic"] > 1.2
        assert (tests["p_value"] < 0.01).all()

    def test_continuous_responses_are_not_drawn(self):
        data = count_data().assign(
            z=lambda d: np.exp(0.1 * d["x"] + np.sin(d["g"]) + 0.7 * np.sin(5.0 * np.arange(600)))
        )
        results = mixedglm("z ~ x + (1 | g)", data, family="gamma")
        first, second = (
            quantile_residuals(results, random_effects="conditional", random_state=seed)
            for seed in (0, 1)
        )
        assert_allclose(first, second)
        fit = results.fitted_model.fit
        shape = 1.0 / fit.family.variance(np.zeros(1), [fit.extra[0].coefficients])[0]
        mean = results.fittedvalues
        assert_allclose(first, stats.gamma.cdf(data["z"], shape, scale=mean / shape), rtol=1e-6)

    def test_discrete_ones_are_between_two_probabilities(self):
        results, y = counts(), count_data()["y"]
        mean = results.fittedvalues
        u = quantile_residuals(results, random_effects="conditional", random_state=0)
        assert (u > stats.poisson.cdf(y - 1, mean) - 1e-9).all()
        assert (u < stats.poisson.cdf(y, mean) + 1e-9).all()
        normal = quantile_residuals(
            results, random_effects="conditional", random_state=0, scale="normal"
        )
        assert_allclose(stats.norm.cdf(normal), u)

    def test_modes_follow_the_data_and_draws_do_not(self):
        rng = np.random.default_rng(1)
        data = pd.DataFrame({"g": np.repeat(np.arange(200), 2)})
        data["y"] = rng.poisson(np.exp(1.5 + rng.normal(size=200))[data["g"]])
        results = mixedglm("y ~ 1 + (1 | g)", data, family="poisson")
        spread = {
            kind: quantile_residual_tests(results, random_effects=kind, random_state=0)[
                "statistic"
            ].iloc[1]
            for kind in ("conditional", "posterior")
        }
        assert spread["conditional"] < 0.75
        assert abs(spread["posterior"] - 1.0) < 0.2

    def test_the_seed_decides(self):
        first, again, other = (
            quantile_residuals(yes_or_no(), random_state=seed) for seed in (0, 0, 1)
        )
        assert_allclose(first, again)
        assert not np.allclose(first, other)

    def test_unknown_options(self):
        with pytest.raises(ValueError, match="random_effects must be"):
            quantile_residuals(counts(), random_effects="modes")
        with pytest.raises(ValueError, match="scale must be"):
            quantile_residuals(counts(), scale="link")
