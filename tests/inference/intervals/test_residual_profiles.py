"""Limits of models with residual structures, against dense algebra and nlme."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from skmixed import SingularFitWarning, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import confint, profile
from skmixed.residual import (
    AR1,
    ARMA,
    CAR1,
    CompoundSymmetry,
    Exponential,
    Heterogeneous,
    KnownVariance,
    UnstructuredCorrelation,
    VarianceExponential,
    VariancePower,
)

TIMES, GROUPS = 4, 12
LAGS = np.abs(np.subtract.outer(np.arange(TIMES), np.arange(TIMES)))


@functools.cache
def rows():
    """Return twelve groups of four times, autocorrelated, of unequal spread."""
    rng = np.random.default_rng(5)
    root = np.linalg.cholesky(0.5**LAGS)
    t = np.tile(np.arange(TIMES), GROUPS)
    e = (rng.normal(size=(GROUPS, TIMES)) @ root.T).ravel() * (1.0 + 0.2 * t)
    x = rng.normal(size=len(t))
    g = np.repeat(np.arange(GROUPS), TIMES)
    table = pd.DataFrame({"g": g, "t": t, "half": np.where(t < 2, "a", "b"), "v": 1.0 + t, "x": x})
    return table.assign(y=2.0 + x + rng.normal(size=GROUPS)[g] + e)


def correlation(kind, value):
    """Return the correlation of the rows of a group."""
    if kind == "cs":
        return np.where(LAGS, value, 1.0)
    return np.sign(value) ** LAGS * np.abs(value) ** LAGS


# Formula, structure, names of (residual parameters), and R of a group with these.
CASES = {
    "ar1": ("y ~ x", AR1("t", group="g"), ["phi"], lambda p: correlation("ar1", p[0])),
    "cs": ("y ~ x", CompoundSymmetry(group="g"), ["rho"], lambda p: correlation("cs", p[0])),
    "ar1, unequal": (
        "y ~ x + (1 | g)",
        AR1("t") * Heterogeneous("half"),
        ["phi", "ratio b"],
        lambda p: correlation("ar1", p[0]) * np.outer(*[[1.0, 1.0, p[1], p[1]]] * 2),
    ),
    "power": (
        "y ~ x + (1 | g)",
        VariancePower("v"),
        ["power"],
        lambda p: np.diag(np.arange(1.0, 5.0) ** (2.0 * p[0])),
    ),
}


def deviance(case, beta, tau, sigma, values):
    """Return -2 log-likelihood by dense algebra."""
    V = tau**2 + sigma**2 * CASES[case][3](values)
    data = rows()
    e = (data["y"] - beta[0] - beta[1] * data["x"]).to_numpy().reshape(GROUPS, TIMES)
    try:
        root = np.linalg.cholesky(V)
    except np.linalg.LinAlgError:
        return 1e10
    white = np.linalg.solve(root, e.T)
    logs = 2.0 * GROUPS * np.log(root.diagonal()).sum()
    return logs + np.sum(white**2) + e.size * np.log(2.0 * np.pi)


@functools.cache
def fitted(case, method="ml"):
    formula, residual, *_ = CASES[case]
    return mixedlm(formula, rows(), residual=residual, method=method)


def free_parameters(case):
    """Return the estimates of (beta, log tau, log sigma, residual parameters), and their names."""
    results = fitted(case)
    names = ["Intercept", "x", "sd_Intercept|g", "sigma", *CASES[case][2]]
    table = confint(results, "wald", "all").set_index("parameter")["estimate"]
    if "(1 | g)" not in CASES[case][0]:
        names.remove("sd_Intercept|g")
    return names, table[names].to_numpy()


def deviance_of(case, names, values):
    """Return the deviance of named parameters."""
    of = dict(zip(names, values, strict=True))
    residual = [of[name] for name in CASES[case][2]]
    if of["sigma"] <= 0.0:
        return 1e10
    tau = of.get("sd_Intercept|g", 0.0)
    return deviance(case, (of["Intercept"], of["x"]), tau, of["sigma"], residual)


def held_deviance(case, name, value):
    """Return the least deviance where one parameter has a value."""
    names, best = free_parameters(case)
    i = names.index(name)

    def of_others(others):
        return deviance_of(case, names, np.insert(others, i, value))

    found = optimize.minimize(of_others, np.delete(best, i), method="BFGS", tol=1e-9)
    found = optimize.minimize(of_others, found.x, method="Nelder-Mead", tol=1e-9)
    return found.fun


PARAMETERS = [
    (case, name)
    for case, (formula, _, own, _) in CASES.items()
    for name in ["x", "sigma", *(["sd_Intercept|g"] if "|" in formula else []), *own]
]


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize(("case", "name"), PARAMETERS)
def test_profile_limits_are_where_the_deviance_is_a_quantile_above_its_minimum(case, name):
    limits = confint(fitted(case), "profile", name).iloc[0][["lower", "upper"]]
    names, best = free_parameters(case)
    least = deviance_of(case, names, best)
    assert_allclose(-0.5 * least, fitted(case).llf, rtol=1e-9)
    for value in limits:
        if name.startswith("sd") and value == 0.0:
            assert held_deviance(case, name, 0.0) - least < stats.chi2.ppf(0.95, 1) + 1e-6
        else:
            above = held_deviance(case, name, float(value)) - least
            assert_allclose(above, stats.chi2.ppf(0.95, 1), rtol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_wald_limits_are_those_of_the_observed_information(case):
    """Standard errors come from differences of the dense likelihood."""
    names, best = free_parameters(case)
    steps = np.diag(1e-3 * np.maximum(np.abs(best), 0.3))

    def at(step):
        return deviance_of(case, names, best + step)

    hessian = [
        [
            (at(a + b) - at(a - b) - at(b - a) + at(-a - b)) / (4.0 * a.sum() * b.sum())
            for a in steps
        ]
        for b in steps
    ]
    errors = np.sqrt(np.diag(2.0 * np.linalg.inv(hessian)))
    table = fitted(case).residual_table().set_index("parameter")
    own = CASES[case][2]
    assert_allclose(table.loc[own, "se"], [errors[names.index(one)] for one in own], rtol=1e-3)


def test_a_profile_of_reml_is_that_of_ml():
    limits = [
        confint(fitted("ar1", method), "profile", ["phi", "x"])[["lower", "upper"]]
        for method in ("reml", "ml")
    ]
    assert_allclose(*limits, rtol=1e-7)


def test_correlations_of_occasions_have_profiles_of_their_own():
    structure = UnstructuredCorrelation("t", group="g")
    results = mixedlm("y ~ x", rows(), residual=structure, method="ml")
    names = list(results.residual_parameters)
    found = profile(results, [names[0], names[-1]])
    for name in (names[0], names[-1]):
        curve = found.curves[name]
        assert_allclose(curve.estimate, results.residual_parameters[name], atol=1e-6)
        assert -1.0 < curve.limits[0] < curve.estimate < curve.limits[1] < 1.0


def test_the_deviation_between_studies_has_its_profile_where_variances_are_known():
    """Beta is a weighted mean at each tau, and there is no sigma."""
    rng = np.random.default_rng(2)
    v = rng.uniform(0.1, 1.0, size=20)
    z = 0.5 + rng.normal(size=20) * np.sqrt(v + 0.8)
    data = pd.DataFrame({"z": z, "v": v, "study": np.arange(20)})
    results = mixedlm("z ~ 1 + (1 | study)", data, residual=KnownVariance("v"), method="ml")
    table = confint(results, "profile", "all").set_index("parameter")
    assert list(table.index) == ["Intercept", "sd_Intercept|study"]

    def of_tau(tau, beta=None):
        w = 1.0 / (v + tau**2)
        center = np.average(z, weights=w) if beta is None else beta
        return np.sum(w * (z - center) ** 2 - np.log(w))

    cutoff = stats.chi2.ppf(0.95, 1)
    tau = table.loc["sd_Intercept|study"]
    for end in ("lower", "upper"):
        assert_allclose(of_tau(tau[end]) - of_tau(tau["estimate"]), cutoff, rtol=1e-5)
        beta = table.loc["Intercept", end]
        best = optimize.minimize_scalar(lambda one, beta=beta: of_tau(one, beta), bounds=(0.0, 9.0))
        assert_allclose(best.fun - of_tau(tau["estimate"]), cutoff, rtol=1e-5)


def test_a_profile_takes_the_rows():
    with pytest.raises(TypeError, match="mixedlm"):
        confint(fitted("ar1").fit, "profile")


def test_limits_of_a_correlation_that_the_rows_do_not_determine_are_missing():
    """With two times each group has one of its pairs; the third pair occurs nowhere."""
    data = rows()
    data = data[data["t"] < 3]
    data = data[~((data["t"] == 2) & (data["g"] % 2 == 0)) & ~((data["t"] == 0) & (data["g"] % 2))]
    with pytest.warns(UserWarning, match="do not determine"):
        results = mixedlm("y ~ x", data, residual=UnstructuredCorrelation("t", group="g"))
    table = confint(results, "wald", "random").set_index("parameter")
    missing = table["lower"].isna()
    assert missing["cor 0.2"]
    assert missing.sum() == 1
    assert results.residual_table().set_index("parameter")["se"].isna()["cor 0.2"]
    assert confint(results, "profile", "cor 0.2")["upper"].isna().all()


# nlme 3.1-162, intervals(gls(Reaction ~ Days, sleepstudy, correlation, weights), "var-cov"); half
# is "late" from day 5 on. nlme takes second derivatives from coarse differences: they are good to
# three digits.
OF_NLME = [
    (CompoundSymmetry(group="Subject"), {"rho": (0.39607765, 0.75106167)}),
    (
        AR1(group="Subject") * Heterogeneous("half"),
        {"phi": (0.70203453, 0.86975978), "ratio late": (1.34918848, 1.9292979)},
    ),
    (CAR1("Days", group="Subject"), {"phi": (0.70343913, 0.8708249)}),
    (
        ARMA(1, 1, group="Subject"),
        {"phi1": (0.7682387, 0.94327686), "theta1": (-0.43060052, -0.02377268)},
    ),
    (
        AR1(group="Subject") * VarianceExponential("Days"),
        {"phi": (0.69128469, 0.86162161), "expon": (0.0520265, 0.12209274)},
    ),
    (Exponential("Days", group="Subject"), {"range": (2.8056684, 7.1542872)}),
]


@pytest.mark.parametrize(("residual", "limits"), OF_NLME)
def test_wald_limits_are_those_of_nlme(residual, limits):
    data = load_sleepstudy().assign(half=lambda d: np.where(d["Days"] < 5, "early", "late"))
    table = confint(mixedlm("Reaction ~ Days", data, residual=residual), "wald", "random")
    found = table.set_index("parameter").loc[list(limits), ["lower", "upper"]]
    assert_allclose(found, list(limits.values()), rtol=1e-3, atol=7e-4)


def test_a_range_of_zero_is_on_the_boundary():
    """Rows that alternate have no positive correlation; phi and the range are then 0."""
    rng = np.random.default_rng(0)
    t, g = np.tile(np.arange(5.0), 12), np.repeat(np.arange(12), 5)
    y = rng.normal(size=60) + np.repeat(rng.normal(size=12), 5) * (-1.0) ** t * 3.0
    with pytest.warns(SingularFitWarning, match=r"boundary: phi = "):
        results = mixedlm("y ~ 1", {"y": y, "t": t, "g": g}, residual=CAR1("t", group="g"))
    assert results.residual_table()[["se", "lower", "upper"]].isna().to_numpy().all()
    assert confint(results, "wald", "phi")["upper"].isna().all()
