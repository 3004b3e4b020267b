"""Probabilities where SciPy's lose their digits, or worse."""

import numpy as np
import pytest
from scipy import stats

from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson

NEARLY_POISSON = [(NegativeBinomial(), 1.0), (NegativeBinomial1(), -1.0)]


@pytest.mark.parametrize(("family", "sign"), NEARLY_POISSON, ids=["2", "1"])
@pytest.mark.parametrize("size", [19.0, 30.0, 40.0, 80.0])
def test_without_excess_variance_counts_are_poisson(family, sign: float, size: float) -> None:
    y, eta, omega = np.arange(6.0), np.ones(6), [np.full(6, sign * size)]
    for name in ("cdf", "survival"):
        expected = getattr(Poisson(), name)(y, eta, ())
        np.testing.assert_allclose(getattr(family, name)(y, eta, omega), expected, rtol=1e-7)
    found = family.quantile(np.linspace(0.1, 0.9, 6), eta, omega)
    assert np.array_equal(found, Poisson().quantile(np.linspace(0.1, 0.9, 6), eta, ()))


@pytest.mark.parametrize(("family", "sign"), NEARLY_POISSON, ids=["2", "1"])
def test_huge_counts_continue_the_large_ones(family, sign: float) -> None:
    # SciPy ends the process for some of these.
    z = np.array([-1.0, 0.0, 2.0])
    for mean in (0.99e12, 1.01e12, 1e17, 1e20):
        eta, omega = np.full(3, np.log(mean)), [np.full(3, sign * 8.0)]
        y = mean + z * np.sqrt(family.variance(eta, omega))
        below = family.cdf(y, eta, omega)
        np.testing.assert_allclose(below, stats.norm.cdf(z), atol=0.005)
        np.testing.assert_allclose(below + family.survival(y, eta, omega), 1.0)
        np.testing.assert_allclose(family.quantile(below, eta, omega), y, rtol=1e-6)


def test_inverse_gaussian_probabilities_in_both_tails() -> None:
    family, omega = InverseGaussian(), [np.zeros(1)]
    y, eta = np.array([0.02, 0.5, 2.0, 30.0]), np.full(4, 0.4)
    scipys = stats.invgauss(np.exp(0.4))
    np.testing.assert_allclose(family.cdf(y, eta, omega), scipys.cdf(y), rtol=1e-12)
    np.testing.assert_allclose(family.survival(y, eta, omega), scipys.sf(y), rtol=1e-10)
    # The overflow of SciPy's: a response far below a mean of exp(60).
    assert family.cdf(np.array([1.0]), np.array([60.0]), omega) == pytest.approx(
        2.0 * stats.norm.sf(1)
    )
