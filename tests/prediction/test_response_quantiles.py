"""Distribution functions and quantiles of new responses over a normal predictor."""

import numpy as np
import pytest
from prediction.laws import average, grid
from scipy import stats

from skmixed.families.beta import Beta
from skmixed.families.binomial import Binomial
from skmixed.families.gamma import Gamma
from skmixed.families.gaussian import Gaussian
from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.links import Inverse, Log
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson
from skmixed.families.probability_links import CLogLog, Logit
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.prediction.averaged_cdf import averaged_cdf
from skmixed.prediction.averaged_density import averaged_probabilities
from skmixed.prediction.predictor_rows import predictor_rows
from skmixed.prediction.response_quantiles import response_quantiles

COUNTS = [Poisson(), NegativeBinomial(), NegativeBinomial1(), ZeroInflated(Poisson())]
CONTINUOUS = [
    Gamma(),
    InverseGaussian(),
    Beta(),
    Beta(CLogLog()),
    Gaussian(Log()),
    Gaussian(Logit()),
]
PROBABILITIES = np.array([0.025, 0.5, 0.99])


def omegas(family):
    return [np.array([0.4 - i]) for i in range(len(family.extra_names))]


@pytest.mark.parametrize("family", [*COUNTS, *CONTINUOUS], ids=repr)
@pytest.mark.parametrize("y", [0.02, 0.7, 3.0, 20.0])
def test_cdf_is_a_sum_over_a_dense_grid(family, y: float) -> None:
    if family.is_discrete:
        y = np.floor(y)
    if family.name == "beta":
        y /= 1.0 + y
    mean, spread = grid(centres=(-4.0, 0.0, 4.0), spreads=(0.0, 1e-6, 0.3, 2.0, 5.0))
    extra = omegas(family)
    found = averaged_cdf(predictor_rows(family, mean, spread**2, extra), np.full(len(mean), y))
    expected = average(lambda eta: family.cdf(np.array([y]), eta, extra), mean, spread)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_steep_distribution_function_beside_a_wide_law() -> None:
    # Counts of a million vary by a thousandth, and their mean by a factor.
    rows = predictor_rows(Poisson(), np.log([1e6]), np.array([1.0]))
    z = np.linspace(-0.02, 0.02, 20_001)
    steep = stats.poisson.cdf(1_000_000, 1e6 * np.exp(z)) * stats.norm.pdf(z)
    expected = stats.norm.cdf(-0.02) + np.trapezoid(steep, z)
    np.testing.assert_allclose(averaged_cdf(rows, np.array([1e6])), expected, atol=1e-9)


@pytest.mark.parametrize("family", COUNTS, ids=repr)
def test_quantiles_of_counts_are_the_first_to_reach(family) -> None:
    mean, spread = grid((-30.0, -1.0, 2.0, 6.0), (0.0, 1e-6, 0.3, 1.0, 3.0))
    extra = omegas(family)
    found = response_quantiles(family, mean, spread**2, extra, PROBABILITIES)
    rows = predictor_rows(family, mean, spread**2, extra)
    for column, probability in zip(found.T, PROBABILITIES, strict=True):
        assert np.array_equal(column, np.floor(column))
        assert (averaged_cdf(rows, column) >= probability - 1e-12).all()
        assert (averaged_cdf(rows, column - 1.0) < probability + 1e-12).all()


@pytest.mark.parametrize("family", CONTINUOUS, ids=repr)
def test_quantiles_of_continuous_responses_invert_the_cdf(family) -> None:
    mean, spread = grid((-2.0, 0.5, 3.0), (0.0, 1e-6, 0.3, 1.0, 3.0))
    extra = omegas(family)
    found = response_quantiles(family, mean, spread**2, extra, PROBABILITIES)
    rows = predictor_rows(family, mean, spread**2, extra)
    for column, probability in zip(found.T, PROBABILITIES, strict=True):
        around = 1e-8 * np.abs(column) + (1e-9 if family.name == "gaussian" else 0.0)
        below, above = averaged_cdf(rows, column - around), averaged_cdf(rows, column + around)
        # Shares nearer to 0 or 1 have no numbers for them.
        inside = (np.abs(column) > 1e-200) & (column != 1.0 - 1e-16)
        assert (below[inside] <= probability + 1e-11).all()
        assert (above[inside] >= probability - 1e-11).all()


def test_normal_responses_stay_normal() -> None:
    found = response_quantiles(
        Gaussian(), np.array([1.0]), np.array([3.0]), [np.zeros(1)], PROBABILITIES
    )
    np.testing.assert_allclose(found, [1.0 + 2.0 * stats.norm.ppf(PROBABILITIES)])


def test_one_trial_is_no_or_yes() -> None:
    mean, spread = grid()
    found = response_quantiles(Binomial(), mean, spread**2, (), PROBABILITIES)
    failure = averaged_probabilities(Binomial(), mean, spread**2)[:, :1]
    assert np.array_equal(found, failure < PROBABILITIES)


def test_shares_of_trials() -> None:
    mean, spread = grid((-6.0, 0.3, 2.0), (0.0, 1e-6, 0.5, 2.0, 6.0))
    trials = np.full(len(mean), 7.0)
    found = response_quantiles(Binomial(), mean, spread**2, (), PROBABILITIES, trials)
    shares = np.arange(8.0) / 7.0
    cdf = np.column_stack(
        [
            average(
                lambda eta, k=k: stats.binom.cdf(k, 7, 1.0 / (1.0 + np.exp(-eta))), mean, spread
            )
            for k in range(8)
        ]
    )
    expected = shares[(cdf[:, :, None] < PROBABILITIES - 1e-12).sum(axis=1)]
    np.testing.assert_allclose(found, expected)


def test_rows_do_not_depend_on_each_other() -> None:
    family, omega = Gaussian(Log()), [np.zeros(1)]
    mean, variance = np.array([-3.0, 25.0, 0.0]), np.array([4.0, 1.0, 0.0])
    together = response_quantiles(family, mean, variance, omega, PROBABILITIES)
    alone = [
        response_quantiles(family, mean[[i]], variance[[i]], omega, PROBABILITIES)[0]
        for i in range(3)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_the_inverse_link_turns_nothing_round() -> None:
    shape = [np.log([1e4])]
    found = response_quantiles(
        Gamma(Inverse()), np.array([2.0]), np.array([0.01]), shape, PROBABILITIES
    )[0]
    spread = np.sqrt(np.log1p(0.01 / 4.0))
    logarithms = (
        np.log(0.5) + 0.5 * spread**2 + np.hypot(spread, 0.01) * stats.norm.ppf(PROBABILITIES)
    )
    np.testing.assert_allclose(found, np.exp(logarithms), rtol=1e-3)


@pytest.mark.parametrize("mean", [1e3, 1e14, 1e22])
def test_counts_of_any_size_have_finite_quantiles(mean: float) -> None:
    eta = np.log([mean, mean])
    for family in COUNTS:
        found = response_quantiles(
            family, eta, np.array([0.0, 1.0]), omegas(family), np.array([0.9, 0.99])
        )
        assert np.isfinite(found).all()
        assert (found[:, 1] > found[:, 0]).all()
        assert (found[1] > mean).all()
