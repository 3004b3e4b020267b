"""Means, variances and limits of means over a normal predictor, against brute force."""

import numpy as np
import pytest
from prediction.laws import average, grid
from scipy import stats

from skmixed.families.beta import Beta
from skmixed.families.binomial import Binomial
from skmixed.families.gamma import Gamma
from skmixed.families.gaussian import Gaussian
from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.links import Identity, Inverse, InverseSquared, Log, Sqrt
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson
from skmixed.families.probability_links import Cauchit, CLogLog, Logit, LogLog, Probit
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.prediction.response_law import (
    averaged_mean,
    averaged_mean_and_derivative,
    averaged_variance,
    mean_quantiles,
)

SHARES = [Binomial(link()) for link in (Logit, Probit, CLogLog, LogLog, Cauchit)]
FAMILIES = [
    *SHARES,
    Beta(),
    Gaussian(),
    Gaussian(Log()),
    Gaussian(Logit()),
    Poisson(),
    NegativeBinomial(),
    NegativeBinomial1(),
    Gamma(),
    InverseGaussian(),
    ZeroInflated(Poisson()),
    ZeroInflated(NegativeBinomial()),
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=repr)
# eta positive, with powers of it as means.
POWERS = [
    (Poisson(Sqrt()), 2.0),
    (Poisson(Identity()), 1.0),
    (Gamma(Inverse()), -1.0),
    (InverseGaussian(InverseSquared()), -0.5),
]


def omegas(family):
    return [np.array([0.4 - i]) for i in range(len(family.extra_names))]


@every_family
def test_moments_are_sums_over_a_dense_grid(family) -> None:
    extra = omegas(family)
    # Powers of exp(eta) with a spread of 10 reach beyond the means that families have.
    wide = family.link.name not in {"log", "identity"}
    mean, spread = grid() if wide else grid(spreads=(0.0, 1e-6, 0.3, 1.0, 3.0))
    expected = average(lambda eta: family.mean(eta, extra), mean, spread)
    found = averaged_mean(family, mean, spread**2, extra)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    squares = average(
        lambda eta: family.variance(eta, extra) + family.mean(eta, extra) ** 2, mean, spread
    )
    between = squares - expected**2
    tolerance = 1e-9 * between + 1e-13 * expected**2
    total = averaged_variance(family, mean, spread**2, extra)
    assert (np.abs(total - between) <= tolerance + 1e-12).all()


@every_family
def test_derivative_is_that_of_the_mean(family) -> None:
    extra, h = omegas(family), 1e-5
    mean, spread = grid((-3.0, 0.2, 2.0), (0.0, 0.5, 2.0, 6.0))
    _, slope = averaged_mean_and_derivative(family, mean, spread**2, extra)
    up, down = (averaged_mean(family, mean + by, spread**2, extra) for by in (h, -h))
    np.testing.assert_allclose(slope, (up - down) / (2.0 * h), rtol=1e-6, atol=1e-9)


@every_family
def test_without_variance_nothing_is_averaged(family) -> None:
    extra, eta = omegas(family), np.linspace(-20.0, 20.0, 9)
    zero = np.zeros(9)
    assert np.array_equal(averaged_mean(family, eta, zero, extra), family.mean(eta, extra))
    variance = averaged_variance(family, eta, zero, extra)
    assert np.array_equal(variance, family.variance(eta, extra))


@pytest.mark.parametrize(("family", "power"), POWERS, ids=repr)
def test_powers_of_a_lognormal_predictor(family, power: float) -> None:
    mean, variance = np.array([0.5, 2.0, 2.0]), np.array([0.3, 1.0, 1e-4])
    extra = omegas(family)
    log_variance = np.log1p(variance / mean**2)
    centre = np.log(mean) - 0.5 * log_variance
    spread = np.sqrt(log_variance)
    expected = average(lambda x: np.exp(power * x), centre, spread)
    found, slope = averaged_mean_and_derivative(family, mean, variance, extra)
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    h = 1e-6
    up, down = (averaged_mean(family, mean + by, variance, extra) for by in (h, -h))
    np.testing.assert_allclose(slope, (up - down) / (2.0 * h), rtol=1e-7)
    total = average(
        lambda x: family.variance_at(np.exp(power * x), extra) + np.exp(2.0 * power * x),
        centre,
        spread,
    )
    found = averaged_variance(family, mean, variance, extra)
    np.testing.assert_allclose(found, total - expected**2, rtol=1e-7)


def test_a_predictor_without_a_mean_has_no_average() -> None:
    found = averaged_mean(Gamma(Inverse()), np.array([-1.0, 1.0]), np.ones(2))
    assert np.array_equal(np.isnan(found), [True, False])


def test_more_trials_vary_less() -> None:
    mean, variance, trials = np.zeros(2), np.array([0.0, 1.0]), np.array([4.0, 4.0])
    one = averaged_variance(Binomial(), mean, variance)
    four = averaged_variance(Binomial(), mean, variance, trials=trials)
    np.testing.assert_allclose(one, 0.25)
    between = average(lambda eta: (1.0 / (1.0 + np.exp(-eta)) - 0.5) ** 2, mean, np.sqrt(variance))
    np.testing.assert_allclose(four, (0.25 - between) / 4.0 + between)


def test_limits_go_through_the_link() -> None:
    probabilities = np.array([0.025, 0.975])
    z = stats.norm.ppf(probabilities)
    mean, variance = np.array([2.0]), np.array([0.09])
    up = mean_quantiles(Poisson(), mean, variance, (), probabilities)
    np.testing.assert_allclose(up, [np.exp(2.0 + 0.3 * z)])
    down = mean_quantiles(Gamma(Inverse()), mean, variance, (), probabilities)
    np.testing.assert_allclose(down, [1.0 / (2.0 - 0.3 * z)])
    share = mean_quantiles(ZeroInflated(Poisson()), mean, variance, [np.zeros(1)], probabilities)
    np.testing.assert_allclose(share, 0.5 * up)


def test_limits_end_where_the_predictor_does() -> None:
    probabilities = np.array([0.025, 0.975])
    low, high = mean_quantiles(Poisson(Sqrt()), np.ones(1), np.ones(1), (), probabilities)[0]
    assert low < 1e-100
    assert high == pytest.approx((1.0 + stats.norm.ppf(0.975)) ** 2)
    low, high = mean_quantiles(Gamma(Inverse()), np.ones(1), np.ones(1), (), probabilities)[0]
    assert low == pytest.approx(1.0 / (1.0 + stats.norm.ppf(0.975)))
    assert high > 1e50
