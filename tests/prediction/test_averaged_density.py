"""Densities and probabilities over a normal predictor, against brute force."""

import numpy as np
import pytest
from prediction.laws import average, grid
from scipy import integrate, special, stats

from skmixed.families.binomial import Binomial
from skmixed.families.gamma import Gamma
from skmixed.families.links import Inverse
from skmixed.families.poisson import Poisson
from skmixed.families.probability_links import Cauchit, CLogLog, Logit, LogLog, Probit
from skmixed.families.zero_inflation import ZeroInflated
from skmixed.prediction.averaged_density import (
    averaged_log_density,
    averaged_log_probabilities,
    averaged_probabilities,
)


@pytest.mark.parametrize("link", [Logit(), Probit(), CLogLog(), LogLog(), Cauchit()])
def test_both_probabilities_have_all_digits(link) -> None:
    mean, spread = grid()
    found = averaged_log_probabilities(Binomial(link), mean, spread**2)
    for column, logarithm in enumerate((link.log_complement, link.log_mean)):
        expected = average(lambda eta, f=logarithm: np.exp(f(eta).value), mean, spread)
        seen = expected > 1e-300
        np.testing.assert_allclose(np.exp(found[seen, column]), expected[seen], rtol=1e-9)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, rtol=1e-14)


def test_a_probability_too_small_for_a_number_has_its_logarithm() -> None:
    # exp(-exp(eta)) at 30 +- 0.3: most of it is 90 standard deviations below the mean.
    family, mean, variance = Binomial(CLogLog()), np.array([30.0]), np.array([0.09])
    found = averaged_log_probabilities(family, mean, variance)[0, 0]
    z = np.linspace(-95.0, -80.0, 200_001)
    logarithms = -np.exp(30.0 + 0.3 * z) - 0.5 * z * z
    expected = special.logsumexp(logarithms) + np.log((z[1] - z[0]) / np.sqrt(2.0 * np.pi))
    assert found == pytest.approx(expected, rel=1e-10)
    assert averaged_probabilities(family, mean, variance)[0, 0] == 0.0


def test_quad_agrees() -> None:
    value, _ = integrate.quad(
        lambda z: special.expit(1.0 + 2.5 * z) * stats.norm.pdf(z), -12.0, 12.0, epsabs=1e-13
    )
    found = averaged_probabilities(Binomial(), np.array([1.0]), np.array([6.25]))
    np.testing.assert_allclose(found, [[1.0 - value, value]], rtol=1e-10)


@pytest.mark.parametrize("y", [0.0, 3.0, 500.0])
@pytest.mark.parametrize("family", [Poisson(), ZeroInflated(Poisson())], ids=["poisson", "zero"])
def test_log_density_of_counts(family, y: float) -> None:
    mean, spread = grid((-4.0, 0.0, 2.0, 5.0), (0.0, 0.3, 1.0, 3.0))
    omegas = [np.array([-0.4])] * len(family.extra_names)

    def density(eta):
        count = stats.poisson.pmf(y, np.exp(eta))
        share = special.expit(-0.4) if omegas else 0.0
        return share * (y == 0.0) + (1.0 - share) * count

    expected = average(density, mean, spread)
    found = averaged_log_density(family, np.full(len(mean), y), mean, spread**2, omegas)
    seen = expected > 1e-250
    np.testing.assert_allclose(np.exp(found[seen]), expected[seen], rtol=1e-8)


def test_trials_share_their_predictor() -> None:
    mean, spread = grid((-2.0, 1.0), (0.0, 0.5, 2.0))
    y, trials = np.full(len(mean), 0.25), np.full(len(mean), 8.0)
    family = Binomial()
    found = averaged_log_density(family, y, mean, spread**2, weights=trials)
    found += family.normalising(y, trials)
    expected = average(lambda eta: stats.binom.pmf(2, 8, special.expit(eta)), mean, spread)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-10)


def test_a_predictor_that_must_be_positive_is_lognormal() -> None:
    family, shape = Gamma(Inverse()), np.log([3.0])
    mean, variance = np.array([0.5, 0.5]), np.array([0.0, 0.04])
    found = averaged_log_density(family, np.array([2.5, 2.5]), mean, variance, [shape])
    spread = np.sqrt(np.log1p(0.04 / 0.25))
    centre = -(np.log(0.5) - 0.5 * spread**2)
    expected = average(
        lambda eta: stats.gamma.pdf(2.5, 3.0, scale=np.exp(eta) / 3.0),
        np.array([np.log(2.0), centre]),
        np.array([0.0, spread]),
    )
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-10)
