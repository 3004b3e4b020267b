"""Densities and conventions against SciPy, R and what glmmTMB reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed.families.beta import Beta
from skmixed.families.binomial import Binomial
from skmixed.families.gamma import Gamma
from skmixed.families.gaussian import Gaussian
from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.links import Log
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson
from skmixed.families.zero_inflation import ZeroInflated

# The mean is 1.5, phi 2.5.
ETA, OMEGA = np.log(np.full(4, 1.5)), np.log(np.full(4, 2.5))
COUNTS, AMOUNTS = np.array([0.0, 1.0, 4.0, 30.0]), np.array([0.01, 0.8, 1.5, 9.0])


@pytest.mark.parametrize(
    ("family", "y", "reference"),
    [
        (Poisson(), COUNTS, stats.poisson(1.5).logpmf(COUNTS)),
        (NegativeBinomial(), COUNTS, stats.nbinom(2.5, 2.5 / 4.0).logpmf(COUNTS)),
        (NegativeBinomial1(), COUNTS, stats.nbinom(1.5 / 2.5, 1.0 / 3.5).logpmf(COUNTS)),
        (Gamma(), AMOUNTS, stats.gamma(2.5, scale=1.5 / 2.5).logpdf(AMOUNTS)),
        (InverseGaussian(), AMOUNTS, stats.invgauss(1.5 * 2.5, scale=1 / 2.5).logpdf(AMOUNTS)),
        (Gaussian(Log()), AMOUNTS, stats.norm(1.5, np.sqrt(2.5)).logpdf(AMOUNTS)),
        # dnbinom(c(0, 1, 4, 30), size = 2.5, mu = 1.5, log = TRUE) of R 4.2.2
        (NegativeBinomial(), COUNTS[:2], np.array([-1.175009073114, -1.239547594251])),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_density_is_that_of_scipy(family: Any, y: Any, reference: Any) -> None:
    n = len(y)
    found = family.derivatives(y, ETA[:n], (OMEGA[:n],)[: len(family.extra_names)], full=False)
    assert_allclose(found.value, reference, rtol=1e-11)


def test_beta_density_is_that_of_scipy() -> None:
    y, mean = np.array([0.02, 0.5, 0.97]), np.array([0.1, 0.5, 0.6])
    found = Beta().derivatives(y, Beta().link.predictor(mean), (OMEGA[:3],), full=False)
    assert_allclose(found.value, stats.beta(2.5 * mean, 2.5 * (1 - mean)).logpdf(y), rtol=1e-12)


def test_inflated_density_mixes() -> None:
    omega = np.full(4, -0.4)
    p = 1.0 / (1.0 + np.exp(0.4))
    found = ZeroInflated(Poisson()).derivatives(COUNTS, ETA, (omega,), full=False)
    mixed = (1.0 - p) * stats.poisson(1.5).pmf(COUNTS) + p * (COUNTS == 0.0)
    assert_allclose(found.value, np.log(mixed), rtol=1e-12)


def test_inflation_of_every_row_leaves_zeros() -> None:
    family, omega = ZeroInflated(Poisson()), np.full(4, 800.0)
    assert_allclose(family.quantile(np.full(4, 0.99), ETA, (omega,)), 0.0)
    assert_allclose(family.mean(ETA, (omega,)), 0.0)


def test_dispersion_as_users_know_it() -> None:
    omega = np.log([4.0])
    found = {f.name: f.dispersion_of(omega)[0] for f in (NegativeBinomial(), Beta(), Gamma())}
    assert_allclose([found["negative_binomial"], found["beta"], found["gamma"]], [0.25, 4.0, 0.25])
    inflated = ZeroInflated(NegativeBinomial())
    assert_allclose(inflated.dispersion_of(omega), 0.25)
    assert inflated.extra_names == ("dispersion", "zero_inflation")
    assert (inflated.dispersion_name, Poisson().dispersion_name) == (r"\alpha", None)


def test_weighted_shares_with_their_normalising_terms_are_binomial() -> None:
    successes, trials = np.array([0.0, 1.0, 3.0, 17.0]), np.array([1.0, 3.0, 3.0, 40.0])
    y, eta, family = successes / trials, np.array([0.3, -1.0, 2.0, 0.1]), Binomial()
    value = trials * family.derivatives(y, eta, (), full=False).value
    exact = stats.binom(trials, family.link.mean(eta))
    assert_allclose(value + family.normalising(y, trials), exact.logpmf(successes), rtol=1e-12)
    assert_allclose(family.cdf(y, eta, (), trials), exact.cdf(successes), rtol=1e-13)
    assert_allclose(family.survival(y, eta, (), trials), exact.sf(successes), rtol=1e-13)
    assert_allclose(family.quantile(exact.cdf(successes) - 1e-9, eta, (), trials), y)


@pytest.mark.parametrize("link", Binomial.links)
def test_shares_between_interpolate_failures_and_successes(link: Any) -> None:
    family, eta = Binomial(link()), np.array([-12.0, -1.0, 0.3, 4.0])
    of_no, of_yes, between = (
        family.derivatives(np.full(4, y), eta, (), full=True) for y in (0.0, 1.0, 0.25)
    )
    for name in ("value", "first", "second", "third"):
        mixed = 0.75 * getattr(of_no, name) + 0.25 * getattr(of_yes, name)
        assert_allclose(getattr(between, name), mixed, rtol=1e-12, atol=1e-14)


def test_each_share_keeps_its_successes_whatever_the_rounding() -> None:
    trials = np.repeat(np.arange(1.0, 120.0), np.arange(2, 121))
    successes = np.concatenate([np.arange(n + 1.0) for n in range(1, 120)])
    cdf = Binomial().cdf(successes / trials, np.zeros_like(trials), (), trials)
    assert_allclose(cdf, stats.binom(trials, 0.5).cdf(successes), rtol=1e-13)


def test_a_probability_that_is_rounded_to_one_has_a_deviance() -> None:
    deviance = Binomial().deviance(np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.5]), ())
    assert_allclose(deviance, [0.0, 0.0, 2.0 * np.log(2.0)])


def test_draws_of_shares_have_the_trials_given() -> None:
    trials = np.full(2_000, 7.0)
    drawn = Binomial().simulate(np.full(2_000, 0.5), (), np.random.default_rng(0), trials)
    assert_allclose(drawn * 7.0, np.round(drawn * 7.0), atol=1e-12)
    assert_allclose(drawn.mean(), 1.0 / (1.0 + np.exp(-0.5)), atol=0.02)


@pytest.mark.parametrize("family", [NegativeBinomial(), NegativeBinomial1(), Gamma()])
def test_nothing_of_a_vanishing_dispersion_is_lost_to_rounding(family: Any) -> None:
    # log(1 / dispersion) is 28: lgamma of the size alone is of the order of 1e13.
    y, eta = np.array([1.0, 5.0]), np.log([2.0, 4.0])
    omega = np.full(2, 28.0 if family.dispersion_power < 0.0 else -28.0)
    found = family.derivatives(y, eta, (omega,), full=True)
    if family.name != "gamma":
        poisson = Poisson().derivatives(y, eta, (), full=True)
        assert_allclose(found.value, poisson.value, atol=1e-11)
        assert_allclose(found.second, poisson.second, atol=1e-11)
        assert_allclose(found.extra[0].first, 0.0, atol=1e-11)
    else:
        at_mean = family.derivatives(np.exp(eta), eta, (omega,), full=True)
        assert_allclose(at_mean.extra[0].first, 0.5, rtol=1e-10)


@pytest.mark.parametrize(
    ("case", "family"),
    [
        ("tmb_grouse_nb2", NegativeBinomial()),
        ("tmb_grouse_nb1", NegativeBinomial1()),
        ("tmb_sleep_gamma", Gamma()),
        ("tmb_sleep_reml", Gaussian()),
    ],
)
def test_predictor_of_the_dispersion_is_that_of_glmmtmb(
    shared: Path, case: str, family: Any
) -> None:
    reference = json.loads((shared / "reference" / "reference.json").read_text())["cases"][case]
    found = family.dispersion_of(np.array([reference["fixef_disp"]["(Intercept)"]]))
    expected = {
        "negative_binomial": 1.0 / reference["sigma"],
        "negative_binomial_1": reference["sigma"],
        "gamma": reference["sigma"] ** 2,
        "gaussian": reference["sigma"] ** 2,
    }
    assert_allclose(found, expected[family.name], rtol=1e-10)


@pytest.mark.parametrize(
    ("family", "y", "message"),
    [
        (
            Binomial(),
            [0.0, 2.0],
            r"0 or 1, or shares between them, got \[2\] in 1 of 2 rows.*trials",
        ),
        (Poisson(), [0.5, -1.0, 3.0], r"counts: 0, 1, 2, ..., got \[-1\] in 1 of 3 rows"),
        (NegativeBinomial(), [np.inf], r"counts"),
        (Gamma(), [0.0, 1.0], r"family='gamma' must be positive, got \[0\] in 1 of 2 rows"),
        (Beta(), [0.0, 1.0, 0.5], r"strictly between 0 and 1, got \[0, 1\] in 2 of 3 rows"),
        (Gaussian(), [np.nan, 1.0], r"finite numbers, got \[nan\] in 1 of 2 rows"),
        (ZeroInflated(Poisson()), [-0.5], r"family='poisson' must be counts"),
    ],
)
def test_responses_outside_the_support_are_refused(family: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        family.check(np.array(y))
