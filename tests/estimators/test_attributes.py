"""The fitted attributes that issue 2 names, against closed forms and each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_dyestuff, load_sleepstudy

ATTRIBUTES = [
    "coef_",
    "intercept_",
    "random_effects_",
    "random_effects_sd_",
    "group_coef_",
    "groups_",
    "variance_components_",
    "theta_",
    "sigma_",
    "residual_variance_",
    "log_likelihood_",
    "aic_",
    "bic_",
    "icc_",
    "is_singular_",
    "converged_",
    "n_iter_",
]


@pytest.fixture(scope="module")
def dyes() -> pd.DataFrame:
    return load_dyestuff()


@pytest.fixture(scope="module")
def one_way(dyes) -> RandomInterceptRegressor:
    return RandomInterceptRegressor("Batch", tol=1e-10).fit(dyes[["Batch"]], dyes["Yield"])


@pytest.fixture(scope="module")
def slopes() -> MixedLM:
    data = load_sleepstudy()
    return MixedLM("Subject", random_slopes="Days").fit(data[["Days", "Subject"]], data["Reaction"])


def test_attributes_are_there_after_fit_and_not_before(one_way, slopes):
    for model in (one_way, slopes):
        for name in ATTRIBUTES:
            assert getattr(model, name) is not None, name
            assert not hasattr(clone(model), name), name


def test_one_way_layout_has_closed_forms(one_way, dyes):
    """REML of a balanced one-way layout: mean squares (Searle et al. 1992, section 3.8)."""
    means = dyes.groupby("Batch", observed=True)["Yield"].mean()
    centred = dyes["Yield"] - dyes["Batch"].map(means).astype(float)
    within = np.sum(centred**2) / 24
    between = (5 * means.var() - within) / 5
    assert_allclose(one_way.residual_variance_, within, rtol=1e-9)
    assert_allclose(one_way.group_variance_, between, rtol=1e-8)
    assert_allclose(one_way.sigma_, np.sqrt(within), rtol=1e-9)
    assert_allclose(one_way.theta_, [np.sqrt(between / within)], rtol=1e-8)
    assert_allclose(one_way.icc_, between / (between + within), rtol=1e-8)
    shrinkage = 5 / (5 + within / between)
    assert_allclose(one_way.shrinkage_, shrinkage, rtol=1e-8)
    modes = one_way.random_effects_["Batch"]["Intercept"]
    assert_allclose(modes, shrinkage * (means - means.mean()), rtol=1e-7)
    assert_allclose(
        one_way.random_effects_sd_["Batch"]["Intercept"],
        np.sqrt(between * (1 - shrinkage)),
        rtol=1e-7,
    )
    assert_allclose(one_way.intercept_, means.mean(), rtol=1e-12)


def test_information_criteria_count_every_parameter(slopes):
    assert_allclose(slopes.aic_, -2 * slopes.log_likelihood_ + 2 * 6)
    assert_allclose(slopes.bic_, -2 * slopes.log_likelihood_ + np.log(180) * 6)


def test_group_coefficients_are_population_plus_deviation(slopes):
    deviations = slopes.random_effects_["Subject"]
    assert_allclose(
        slopes.group_coef_["Subject"].to_numpy(),
        deviations.to_numpy() + np.array([slopes.intercept_, slopes.coef_[0]]),
    )
    assert deviations.shape == (18, 2)
    assert_allclose(deviations.mean(), 0.0, atol=1e-8)


def test_variance_components_are_tidy(slopes):
    table = slopes.variance_components_
    assert list(table["group"]) == ["Subject", "Subject", "Subject", "Residual"]
    assert {"group", "name1", "name2", "vcov", "sdcor", "share"} <= set(table.columns)
    covariance = slopes.lmm_fit_.random[0].effect_covariance
    assert_allclose(table["vcov"].iloc[[0, 1]], np.diagonal(covariance))
    assert_allclose(table["vcov"].iloc[2], covariance[0, 1])
    assert_allclose(table["vcov"].iloc[3], slopes.residual_variance_)


def test_theta_is_the_relative_cholesky_factor(slopes):
    a, b, c = slopes.theta_
    factor = slopes.sigma_ * np.array([[a, 0], [b, c]])
    assert_allclose(factor @ factor.T, slopes.lmm_fit_.random[0].effect_covariance, rtol=1e-10)


def test_array_and_formula_and_statsmodels_call_agree(slopes):
    data = load_sleepstudy()
    formula = MixedLM(formula="Reaction ~ Days + (1 + Days | Subject)").fit(data)
    call = mixedlm("Reaction ~ Days", data, groups="Subject", re_formula="~Days")
    assert_allclose(formula.log_likelihood_, slopes.log_likelihood_, rtol=1e-13)
    assert_allclose(call.llf, slopes.log_likelihood_, rtol=1e-13)
    assert_allclose(formula.theta_, slopes.theta_, rtol=1e-9)
    arrays = MixedLM(random_slopes=0).fit(
        data[["Days"]].to_numpy(), data["Reaction"], groups=data["Subject"]
    )
    assert list(arrays.random_effects_) == ["groups"]
    assert_allclose(arrays.log_likelihood_, slopes.log_likelihood_, rtol=1e-13)


def test_random_slopes_without_an_intercept():
    data = load_sleepstudy()
    model = MixedLM("Subject", random_slopes="Days", random_intercept=False)
    model.fit(data[["Days", "Subject"]], data["Reaction"])
    formula = mixedlm("Reaction ~ Days + (0 + Days | Subject)", data)
    assert_allclose(model.log_likelihood_, formula.llf, rtol=1e-12)
    assert list(model.random_effects_["Subject"].columns) == ["Days"]


def test_shrinkage_with_weights_counts_weight_not_rows(dyes):
    weights = np.linspace(0.5, 2.0, len(dyes))
    model = RandomInterceptRegressor("Batch")
    model.fit(dyes[["Batch"]], dyes["Yield"], sample_weight=weights)
    total = pd.Series(weights).groupby(dyes["Batch"].to_numpy(), observed=True).sum()
    ratio = model.residual_variance_ / model.group_variance_
    assert_allclose(model.shrinkage_, total / (total + ratio), rtol=1e-10)
