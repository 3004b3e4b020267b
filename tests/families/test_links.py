"""Links and their derivatives, in the middle and in the tails."""

from __future__ import annotations

import numpy as np
import pytest
from families.test_densities import central
from numpy.testing import assert_allclose
from scipy import special

from skmixed.families.base import LinkDerivatives
from skmixed.families.links import Identity, Inverse, Log
from skmixed.families.probability_links import CLogLog, Logit, ProbabilityLink, Probit
from skmixed.families.reading import LINKS

PROBABILITIES = {n: link for n, link in LINKS.items() if issubclass(link, ProbabilityLink)}
ETA = np.array([0.2, 0.7, 1.0, 1.9, 2.6])
FAR = np.array([-700.0, -38.0, -10.1, -9.9, -3.0, -1e-3, 0.0, 0.4, 3.0, 9.0, 38.0, 700.0])


def assert_derivatives(function, eta, tolerance: float = 1e-8) -> None:
    found = function(eta)
    for of, expected in (("value", "first"), ("first", "second"), ("second", "third")):
        difference = central(lambda h, of=of: getattr(function(eta + h), of))
        assert_allclose(getattr(found, expected), difference, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", LINKS)
def test_mean_and_derivatives_belong_together(name: str) -> None:
    link = LINKS[name]()
    assert link.name == name
    assert_allclose(link.predictor(link.mean(ETA)), ETA, rtol=1e-12)
    assert_allclose(link.mean(ETA), link.derivatives(ETA).value, rtol=1e-14)
    assert_allclose(np.log(link.mean(ETA)), link.log_mean(ETA).value, rtol=1e-12, atol=1e-14)
    assert_derivatives(link.derivatives, ETA)
    assert_derivatives(link.log_mean, ETA)


@pytest.mark.parametrize("name", PROBABILITIES)
def test_logarithms_of_probabilities_in_both_tails(name: str) -> None:
    link = PROBABILITIES[name]()
    success, failure = link.log_mean(FAR), link.log_complement(FAR)
    assert_allclose(np.exp(success.value) + np.exp(failure.value), 1.0, rtol=1e-13)
    for log_probability in (success, failure):
        assert all(np.isfinite(array).all() for array in log_probability)
    middle = np.array([-9.9, -3.0, -1e-3, 0.0, 0.4, 3.0])
    assert_derivatives(link.log_mean, middle, 3e-7)
    assert_derivatives(link.log_complement, -middle, 3e-7)


def test_probit_in_the_lower_tail() -> None:
    x = np.array([15.0, 40.0, 700.0])
    found = Probit().log_mean(-x)
    u = 1.0 / x**2
    # The asymptotic series of the hazard, differentiated term by term.
    series = LinkDerivatives(
        special.log_ndtr(-x),
        x * (1.0 + u * (1.0 - u * (2.0 - u * (10.0 - 74.0 * u)))),
        -(1.0 - u * (1.0 - u * (6.0 - u * (50.0 - 518.0 * u)))),
        u / x * (2.0 - u * (24.0 - u * (300.0 - 4144.0 * u))),
    )
    assert_allclose(found.first, series.first, rtol=1e-7)
    assert_allclose(found.second, series.second, rtol=1e-6)
    assert_allclose(found.third, series.third, rtol=2e-4)
    assert_allclose(found.third[2], series.third[2], rtol=1e-12)
    # Nothing jumps where the continued fraction begins.
    near = Probit().log_mean(np.array([-10.0 - 1e-9, -10.0 + 1e-9]))
    assert_allclose(near.third[0], near.third[1], rtol=1e-8)


def test_complementary_log_log_of_a_rare_success() -> None:
    eta = np.array([-2.31, -2.30, -5.0, -30.0, -200.0])
    rate = np.exp(np.maximum(eta, -170.0))
    found = CLogLog().log_mean(eta)
    assert_allclose(found.value[:4], np.log(-np.expm1(-rate[:4])), rtol=1e-13)
    assert_allclose(found.second[3:], -rate[3:] / 2.0, rtol=1e-12)
    assert_allclose(found.third[3:], -rate[3:] / 2.0, rtol=1e-12)
    exact = 1.0 - rate - rate / np.expm1(rate)
    assert_allclose(found.second[:2], (found.first * exact)[:2], rtol=1e-12)


def test_logit_keeps_its_digits_in_the_tails() -> None:
    found = Logit().log_mean(np.array([40.0, -700.0]))
    assert_allclose(found.value, [-np.exp(-40.0), -700.0], rtol=1e-13)
    assert_allclose(found.second, [-np.exp(-40.0), -np.exp(-700.0)], rtol=1e-13)


def test_an_eta_outside_has_no_mean() -> None:
    eta = np.array([-1.0, 0.0, 2.0])
    assert_allclose(Inverse().mean(eta), [np.nan, np.nan, 0.5])
    assert_allclose(Identity().log_mean(eta).first, [np.nan, np.nan, 0.5])
    assert_allclose(Log().mean(np.array([-1000.0, 1000.0])), np.exp([-170.0, 170.0]))
