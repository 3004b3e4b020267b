"""Limits of the parameters of generalised models."""

from __future__ import annotations

import numpy as np
import pytest
from behaviour.generalised_fits import fit, fitted, rows
from numpy.testing import assert_allclose
from scipy.stats import norm

from skmixed import inference, mixedglm, mixedlm
from skmixed.datasets import load_sleepstudy

CUTOFF = norm.isf(0.025) ** 2
FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def twins():
    """Return a Gaussian generalised model and the linear one, by maximum likelihood."""
    data = load_sleepstudy()
    return mixedglm(FORMULA, data, family="gaussian"), mixedlm(FORMULA, data, method="ml")


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_limits_of_a_gaussian_model_are_those_of_the_linear_one(twins, method):
    """Wald's standard errors of fixed effects count the uncertainty of the variances besides."""
    ours, theirs = (
        inference.confint(one, method, "all", df_method="normal").set_index("parameter")
        for one in twins
    )
    random = [name for name in ours.index if "|" in name]
    fixed = [name for name in ours.index if "|" not in name and not name.startswith("disp")]
    limits = ["estimate", "lower", "upper"]
    assert_allclose(ours.loc[random, limits], theirs.loc[random, limits], rtol=2e-4)
    rtol = 1e-6 if method == "profile" else 0.01
    assert_allclose(ours.loc[fixed, limits], theirs.loc[fixed, limits], rtol=rtol, atol=rtol)
    of_variance = ours.loc["dispersion_Intercept", limits].to_numpy(float)
    assert_allclose(np.exp(0.5 * of_variance), theirs.loc["sigma", limits], rtol=2e-4)


@pytest.mark.parametrize("name", ["poisson", "negative binomial", "zero inflation"])
def test_a_coefficient_at_its_limit_loses_what_the_level_allows(name):
    results = fitted(name)
    limits = inference.confint(results, "profile", "x").iloc[0]
    options = {"family": results.model.family.name.removeprefix("zero_inflated_")}
    if name == "zero inflation":
        options["zero_inflation"] = "~ 1"
    for value in (limits["lower"], limits["upper"]):
        held = fit("count ~ f + k + (1 | g)", offset=value * rows()["x"], **options)
        assert held.fit.criterion - results.fit.criterion == pytest.approx(CUTOFF, abs=1e-6)


def test_a_standard_deviation_at_its_limit_loses_what_the_level_allows():
    results = fitted("gamma")
    row = inference.confint(results, "profile", "sd_Intercept|g").iloc[0]
    profile = inference.profile(results, "sd_Intercept|g")
    assert_allclose(profile.zeta("sd_Intercept|g", [row["lower"], row["upper"]]) ** 2, CUTOFF)
    _, objective = results.model.objective()
    best = results.fit.joint.parameters
    at = objective(np.where(np.arange(len(best)) == results.fit.joint.n_beta, row["upper"], best))
    assert at.value - objective(best).value > CUTOFF


def test_a_variance_of_0_has_the_lower_limit_0():
    results = fitted("variance 0")
    assert results.fit.singular
    for method in ("wald", "profile"):
        row = inference.confint(results, method, "sd_Intercept|g").iloc[0]
        assert row["estimate"] == row["lower"] == 0.0
        assert 0.0 < row["upper"] < 1.0


def test_dispersion_and_zero_inflation_have_profiles_on_their_own_scales():
    for name, parameter in (
        ("dispersion", "dispersion_x"),
        ("zero inflation", "zero_inflation_Intercept"),
    ):
        results = fitted(name)
        profile = inference.profile(results, parameter)
        (curve,) = profile.curves.values()
        [one] = [extra for extra in results.fit.extra if parameter.startswith(extra.name)]
        assert curve.estimate == pytest.approx(one.coefficients[-1], abs=1e-8)
        assert profile.log_likelihood == pytest.approx(results.llf)
        assert curve.limits[0] < curve.estimate < curve.limits[1]


def test_wald_limits_of_further_coefficients_are_normal():
    results = fitted("dispersion")
    row = inference.confint(results, "wald", "dispersion_x", level=0.9).iloc[0]
    reach = norm.isf(0.05) * results.dispersion_bse["x"]
    assert row["upper"] - row["estimate"] == pytest.approx(reach)


def test_bootstrap_limits_name_all_parameters():
    results = fitted("negative binomial")
    table = inference.confint(results, "bootstrap", "all", n=4, random_state=0)
    assert list(table["parameter"])[-2:] == ["sd_Intercept|g", "dispersion_Intercept"]
    assert table[["lower", "upper"]].notna().to_numpy().all()


def test_a_profile_needs_the_rows():
    with pytest.raises(TypeError, match="mixedglm"):
        inference.profile(fitted("poisson").fit)
