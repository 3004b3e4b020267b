"""Generalised models against integrals and closed forms that need no other library's fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import expit, gammaln, logsumexp, ndtr

from skmixed import SingularFitWarning, mixedglm, mixedlm
from skmixed.datasets import load_sleepstudy

LINKS = {
    "logit": expit,
    "probit": ndtr,
    "cloglog": lambda eta: -np.expm1(-np.exp(eta)),
    "log": np.exp,
    "identity": lambda eta: eta,
}


def counted(mean, size):
    """Return the negative binomial distribution of a mean and a size, as SciPy writes it."""
    return stats.nbinom(size, size / (size + mean))


# Distribution of the response given its mean and glmmTMB's dispersion (exp of its coefficient).
FAMILIES = {
    "binomial": lambda mean, _: stats.bernoulli(mean),
    "poisson": lambda mean, _: stats.poisson(mean),
    "negative_binomial": counted,
    "negative_binomial_1": lambda mean, phi: counted(mean, mean / phi),
    "gamma": lambda mean, shape: stats.gamma(shape, scale=mean / shape),
    "beta": lambda mean, phi: stats.beta(mean * phi, (1.0 - mean) * phi),
    "gaussian": lambda mean, variance: stats.norm(mean, np.sqrt(variance)),
}
MODELS = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("negative_binomial", "log"),
    ("negative_binomial_1", "log"),
    ("gamma", "log"),
    ("beta", "logit"),
    ("gaussian", "identity"),
]
DISPERSION = 4.0


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def simulated(request):
    """Return family, link and rows of 15 groups."""
    family, link = request.param
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(15), 8), "x": rng.normal(size=120)})
    eta = 0.2 + 0.5 * data["x"] + 0.8 * rng.normal(size=15)[data["g"]]
    mean = LINKS[link](eta.to_numpy())
    y = FAMILIES[family](mean, DISPERSION).rvs(random_state=rng)
    data["y"] = np.clip(y, 1e-3, 1 - 1e-3) if family == "beta" else y
    return family, link, data


@pytest.fixture(scope="module")
def fitted(simulated):
    family, link, data = simulated
    return mixedglm("y ~ x + (1 | g)", data, family=family, link=link, n_quadrature=25)


@pytest.fixture(scope="module")
def estimates(fitted):
    """Return intercept, slope, SD of the groups and glmmTMB's dispersion (1 without one)."""
    sd = fitted.variance_components["sdcor"].iloc[0]
    omega = 0.0 if fitted.dispersion_params is None else fitted.dispersion_params.iloc[0]
    return np.array([*fitted.params, sd, np.exp(omega)])


def integrated(simulated, estimates):
    """Return the log-likelihood, each group's integral by the trapezoidal rule.

    For smooth integrands that vanish at both ends its error falls faster than any power of the
    step; the nodes are those of no Gaussian rule.
    """
    family, link, data = simulated
    intercept, slope, sd, dispersion = estimates
    b = np.linspace(-9.0, 9.0, 901) * sd
    mean = LINKS[link](intercept + slope * data[["x"]].to_numpy() + b)
    law, y = FAMILIES[family](mean, dispersion), data[["y"]].to_numpy()
    discrete = isinstance(law.dist, stats.rv_discrete)
    log_density = law.logpmf(y) if discrete else law.logpdf(y)
    joint = np.add.reduceat(log_density, np.flatnonzero(~data["g"].duplicated()))
    joint += stats.norm.logpdf(b, scale=sd)
    return np.sum(logsumexp(joint, axis=1) + np.log(b[1] - b[0]))


def test_quadrature_is_the_integral(simulated, fitted, estimates):
    assert fitted.converged
    assert_allclose(fitted.llf, integrated(simulated, estimates), rtol=1e-8)


def test_the_estimates_are_the_maximum(simulated, estimates):
    """The integral falls to all sides, and as much to one side as to the other."""
    best = integrated(simulated, estimates)
    parameters = 4 if simulated[0] not in ("binomial", "poisson") else 3
    for factors in 1.0 + 1e-3 * np.eye(4)[:parameters]:
        above = best - integrated(simulated, estimates * factors)
        below = best - integrated(simulated, estimates / factors)
        assert above > 0.0
        assert_allclose(above, below, rtol=0.05)


def test_gaussian_identity_is_the_linear_model():
    data = load_sleepstudy()
    ours = mixedglm("Reaction ~ Days + (Days | Subject)", data, family="gaussian")
    linear = mixedlm("Reaction ~ Days + (Days | Subject)", data, method="ml")
    assert_allclose(ours.llf, linear.llf, rtol=1e-9)
    assert_allclose(ours.params, linear.params, rtol=1e-6)
    assert_allclose(ours.dispersion, linear.scale, rtol=1e-6)


def test_one_node_holds_all_of_a_normal_density(simulated, fitted):
    family, link, data = simulated
    laplace = mixedglm("y ~ x + (1 | g)", data, family=family, link=link)
    distance = abs(laplace.llf - fitted.llf)
    assert (distance < 1e-8) == (family == "gaussian")


def test_laplace_of_single_counts_by_hand():
    """With one count a group and no covariate, the approximation is one expression."""
    y = np.array([0, 1, 1, 2, 3, 5, 8, 13, 2, 0])
    data = pd.DataFrame({"y": y, "g": np.arange(10)})
    results = mixedglm("y ~ 1 + (1 | g)", data, family="poisson")
    (mu,), (sd,) = results.params, results.theta
    b = np.zeros(10)
    for _ in range(50):
        mean = np.exp(mu + b)
        b += (y - mean - b / sd**2) / (mean + 1.0 / sd**2)
    mean = np.exp(mu + b)
    log_law = y * (mu + b) - mean - gammaln(y + 1.0) - 0.5 * (b / sd) ** 2
    assert_allclose(results.llf, np.sum(log_law - 0.5 * np.log1p(mean * sd**2)), rtol=1e-9)


def test_proportions_are_long_rows():
    """The binomial coefficients apart, k successes in m trials are k ones and m - k zeros."""
    rng = np.random.default_rng(3)
    wide = pd.DataFrame({"g": np.repeat(np.arange(12), 4), "x": np.tile(np.arange(4.0), 12)})
    wide["trials"] = rng.integers(2, 9, 48)
    probability = expit(-1.0 + 0.4 * wide["x"] + rng.normal(size=12)[wide["g"]])
    wide["successes"] = rng.binomial(wide["trials"], probability)
    ones = [np.arange(m) < k for m, k in zip(wide["trials"], wide["successes"], strict=True)]
    long = wide.loc[wide.index.repeat(wide["trials"])].assign(y=np.concatenate(ones).astype(int))
    short = mixedglm("successes / trials ~ x + (1 | g)", wide, family="binomial", weights="trials")
    rows = mixedglm("y ~ x + (1 | g)", long, family="binomial")
    k, m = wide["successes"], wide["trials"]
    coefficients = gammaln(m + 1.0) - gammaln(k + 1.0) - gammaln(m - k + 1.0)
    assert_allclose(short.params, rows.params, atol=1e-6)
    assert_allclose(short.bse, rows.bse, rtol=1e-5)
    assert_allclose(short.llf, rows.llf + coefficients.sum(), rtol=1e-9)


def test_without_groups_to_tell_apart_the_variance_is_zero():
    """Equal groups: the estimates are those of one probability, in closed form."""
    data = pd.DataFrame({"y": [0, 0, 0, 1] * 10, "g": np.repeat(np.arange(10), 4)})
    with pytest.warns(SingularFitWarning):
        results = mixedglm("y ~ 1 + (1 | g)", data, family="binomial")
    assert results.is_singular
    assert_allclose(results.params, np.log(1.0 / 3.0), rtol=1e-7)
    assert_allclose(results.llf, 10 * np.log(0.25) + 30 * np.log(0.75), rtol=1e-10)
