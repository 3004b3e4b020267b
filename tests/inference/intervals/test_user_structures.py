"""A structure that a user wrote has tables, intervals, equations and descriptions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from covariance.user_structures import Decay, Plain, Toeplitz
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize

from skmixed import MixedLM
from skmixed.covariance import AR1, CompoundSymmetry, Diagonal, Identity, Unstructured
from skmixed.inference import bootstrap, confint, profile
from skmixed.inference.inputs import fitted_model_of
from skmixed.results import MixedLMResults

LIMITS = ["lower", "upper"]
PLACES = (0.0, 1.0, 2.0)
TOEPLITZ = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.6], [0.3, 0.6, 1.0]])
N_GROUPS = 40


@pytest.fixture(scope="module")
def responses():
    """Simulate 40 groups with two rows on each of three occasions."""
    rng = np.random.default_rng(4)
    effects = rng.multivariate_normal(np.zeros(3), TOEPLITZ, size=N_GROUPS, method="cholesky")
    return np.tile(effects, 2) + 0.4 * rng.normal(size=(N_GROUPS, 6))


def fitted(structure, y):
    columns = pd.DataFrame(np.tile(np.eye(3), (2 * N_GROUPS, 1)), columns=list("abc"))
    columns["g"] = np.repeat(np.arange(N_GROUPS), 6)
    estimator = MixedLM(
        "g",
        random_slopes=list("abc"),
        random_intercept=False,
        covariance=structure,
        fit_intercept=False,
        method="ml",
    )
    model = estimator.training_model(columns, y.ravel())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MixedLMResults(fitted_model_of(model))


def deviance(structure, y, z):
    """Return -2 log-likelihood at (theta, log sigma) by dense algebra."""
    Z = np.tile(np.eye(3), (2, 1))
    root = Z @ structure.factor(z[:-1], 3)
    V = np.exp(2.0 * z[-1]) * (root @ root.T + np.eye(6))
    beta = np.linalg.lstsq(Z, y.mean(axis=0), rcond=None)[0]
    residual = y - Z @ beta
    square = np.sum(residual * np.linalg.solve(V, residual.T).T)
    return len(y) * (np.linalg.slogdet(V)[1] + 6 * np.log(2.0 * np.pi)) + square


def natural_value(structure, name, z):
    """Return a natural parameter without the library's derivatives."""
    root = np.exp(z[-1]) * structure.factor(z[:-1], 3)
    Psi = root @ root.T
    if name == "sd_a..c|g":
        return np.sqrt(Psi[0, 0])
    correlation = Psi["bc".index(name[4]) + 1 if name[0] == "c" else 1, 0] / Psi[0, 0]
    return correlation if name[0] == "c" else -1.0 / np.log(correlation)


@pytest.mark.parametrize(
    ("structure", "name"),
    [
        (Toeplitz(), "sd_a..c|g"),
        (Toeplitz(), "cor_b.a|g"),
        (Toeplitz(), "cor_c.a|g"),
        (Decay(PLACES), "sd_a..c|g"),
        (Decay(PLACES), "range|g"),
    ],
    ids=str,
)
def test_profile_is_a_constrained_maximum(structure, name, responses):
    results = fitted(structure, responses)
    curve = profile(results, name).curves[name]
    z = np.append(results.fit.random[0].theta, np.log(results.fit.sigma))
    least = deviance(structure, responses, z)
    assert_allclose(least, -2.0 * results.llf, rtol=1e-9)
    for value, sign in zip(curve.limits, (-1.0, 1.0), strict=True):
        held = {
            "type": "eq",
            "fun": lambda z, value=value: natural_value(structure, name, z) - value,
        }
        found = minimize(
            lambda z: deviance(structure, responses, z) - least,
            z,
            method="SLSQP",
            bounds=[(one - 1.5, one + 1.5) for one in z],
            constraints=[held],
            options={"ftol": 1e-12, "maxiter": 200},
        )
        assert_allclose(sign * np.sqrt(found.fun), sign * stats.norm.isf(0.025), rtol=1e-5)
        assert_allclose(curve.zeta_at(value), sign * stats.norm.isf(0.025), rtol=1e-4)


@pytest.mark.parametrize("structure", [Toeplitz(), Decay(PLACES)], ids=repr)
def test_wald_limits_are_of_the_scale_of_each_parameter(structure, responses):
    results = fitted(structure, responses)
    table = confint(results, "wald", "random").set_index("parameter")
    z = np.append(results.fit.random[0].theta, np.log(results.fit.sigma))
    steps = 1e-4 * np.eye(len(z))
    hessian = np.array(
        [
            [
                sum(
                    s * t * deviance(structure, responses, z + s * a + t * b)
                    for s in (1, -1)
                    for t in (1, -1)
                )
                / 4e-8
                for b in steps
            ]
            for a in steps
        ]
    )
    for name in table.index[:-1]:
        scale = np.arctanh if name.startswith("cor") else np.log

        def on_scale(z, scale=scale, name=name):
            return scale(natural_value(structure, name, z))

        slope = np.array([(on_scale(z + s) - on_scale(z - s)) / 2e-4 for s in steps])
        error = np.sqrt(2.0 * slope @ np.linalg.solve(hessian, slope))
        reach = stats.norm.isf(0.025) * error
        expected = on_scale(z) + np.array([-reach, reach])
        assert_allclose(scale(table.loc[name, LIMITS].astype(float)), expected, atol=1e-4)


def test_bootstrap_has_every_parameter(responses):
    results = fitted(Decay(PLACES), responses)
    draws = bootstrap(results, 4, random_state=0)
    assert_allclose(draws.estimates["range|g"], np.exp(results.fit.random[0].theta[1]))
    assert draws.draws["range|g"].nunique() == 4
    table = confint(results, "bootstrap", "all", n=4, random_state=0).set_index("parameter")
    limits = draws.conf_int().set_index("parameter")
    assert_allclose(
        table.loc[["sd_a..c|g", "range|g"], LIMITS], limits.loc[["sd_a|g", "range|g"], LIMITS]
    )


def test_words_and_tables(responses):
    toeplitz, decay = (fitted(one, responses) for one in (Toeplitz(), Decay(PLACES)))
    assert (
        r"\tau^2 & \rho_{12} \tau^2 & \rho_{13} \tau^2 \\ \rho_{12} \tau^2 & \tau^2"
        r" & \rho_{12} \tau^2" in str(toeplitz.equation())
    )
    assert r"\tau^2 & \rho_{12} \tau^2 & \rho_{13} \tau^2" in str(decay.equation())
    components = toeplitz.variance_components
    assert list(components["name1"]) == ["a", "b", "c", "a", "a", "b", None]
    correlation = components["sdcor"].iloc[3]
    assert f"{correlation:.3f}" in str(toeplitz.summary())
    assert f"{correlation:.2f} between a and b" in str(toeplitz.describe())


@pytest.mark.parametrize(
    "structure",
    [Unstructured(), CompoundSymmetry(), CompoundSymmetry(equal_variances=True)],
    ids=repr,
)
def test_limits_without_a_parametrisation_are_those_with_one(structure, responses):
    tables = [
        confint(fitted(one, responses), "profile", "random")
        for one in (structure, Plain(structure))
    ]
    assert list(tables[0]["parameter"]) == list(tables[1]["parameter"])
    assert_allclose(tables[0][LIMITS], tables[1][LIMITS], rtol=1e-7)


def test_limits_of_a_variance_of_zero_without_a_parametrisation():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(N_GROUPS, 6))
    y -= np.tile(y[:, :3] + y[:, 3:], 2) / 2.0
    tables = []
    for structure in (Identity(), Plain(Identity())):
        table = confint(fitted(structure, y), "profile", "random").set_index("parameter")
        assert table.loc["sd_a..c|g", "estimate"] == table.loc["sd_a..c|g", "lower"] == 0.0
        tables.append(table.loc["sd_a..c|g", LIMITS].astype(float))
    assert_allclose(tables[0], tables[1], rtol=1e-5)


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_the_range_of_effects_that_do_not_vary_may_be_anything(method):
    rng = np.random.default_rng(2)
    y = rng.normal(size=(N_GROUPS, 6))
    y -= np.tile(y[:, :3] + y[:, 3:], 2) / 2.0
    row = confint(fitted(Decay(PLACES), y), method, "range|g").iloc[0]
    assert np.isnan(row.estimate)
    assert (row.lower, row.upper) == (0.0, np.inf)


def test_ordered_effects_are_checked_for_a_users_structure_too():
    @dataclass(frozen=True)
    class Occasions(Toeplitz):
        ordered = True

    columns = pd.DataFrame({"a": np.arange(8.0), "g": np.arange(8) % 2})
    model = MixedLM("g", random_slopes=["a"], covariance=Occasions())
    with pytest.raises(ValueError, match="expected one effect for each occasion"):
        model.fit(columns, np.arange(8.0))


def test_many_effects_are_written_as_a_rule():
    rng = np.random.default_rng(0)
    columns = pd.DataFrame(rng.normal(size=(120, 7)), columns=list("abcdefg"))
    columns["group"] = np.arange(120) % 8
    rules = {
        AR1(): r"\tau^2 \rho^{|r - s|}",
        Identity(): r"\tau^2 \,\mathbf{1}\{r = s\}",
        Diagonal(): r"\tau_r^2 \,\mathbf{1}\{r = s\}",
        CompoundSymmetry(): r"\rho^{\mathbf{1}\{r \ne s\}} \tau_r \tau_s",
        CompoundSymmetry(equal_variances=True): r"\tau^2 \rho^{\mathbf{1}\{r \ne s\}}",
        Decay(tuple(range(7))): r"\tau^2 \rho_{rs}^{\mathbf{1}\{r \ne s\}}",
    }
    for structure, rule in rules.items():
        slopes = list("abcdefg")
        model = MixedLM("group", random_slopes=slopes, random_intercept=False, covariance=structure)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(columns, rng.normal(size=120))
        assert rule in str(model.results_.equation())
