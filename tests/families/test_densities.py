"""What must hold for every family with every link."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import joblib
import numpy as np
import pytest
from families.every_family import AnyFamily, FloatArray, every_family, rows_of
from numpy.testing import assert_allclose
from scipy import special

from skmixed.families.base import RowDerivatives

# Beyond these counts, none of the rows' families has any probability worth a digit.
COUNTS = np.arange(600.0)
EXTREME = np.array([-700.0, -100.0, -30.0, -1.0, 1.0, 30.0, 100.0, 700.0])
# Nodes of the integrals over a density on all numbers, and on the positive ones after a logarithm.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def central(function: Callable[[float], FloatArray], h: float = 1e-4) -> FloatArray:
    """Return the derivative at 0 by differences with an error of order h**4."""
    near = function(h) - function(-h)
    return (8.0 * near - (function(2.0 * h) - function(-2.0 * h))) / (12.0 * h)


def moved(extra: Sequence[FloatArray], which: int, by: float) -> list[FloatArray]:
    return [one + by if i == which else one for i, one in enumerate(extra)]


@every_family
class TestDerivatives:
    def test_in_eta_are_those_of_the_value(self, family: AnyFamily) -> None:
        rows = rows_of(family)

        def at(step: float) -> RowDerivatives:
            return family.derivatives(rows.y, rows.eta + step, rows.extra, full=True)

        found = at(0.0)
        assert found.third is not None
        scale = 1e-7 * (1.0 + np.abs(rows.eta) ** -3.0)
        for of, expected in (("value", "first"), ("first", "second"), ("second", "third")):
            error = central(lambda step, of=of: getattr(at(step), of)) - getattr(found, expected)
            assert (np.abs(error) < scale * (1.0 + np.abs(getattr(found, expected)))).all()

    def test_in_further_predictors_are_those_of_the_value(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        found = family.derivatives(rows.y, rows.eta, rows.extra, full=True)
        assert len(found.extra) == len(family.extra_names)
        for which, omega in enumerate(found.extra):

            def at(step: float, which: int = which) -> RowDerivatives:
                extra = moved(rows.extra, which, step)
                return family.derivatives(rows.y, rows.eta, extra, full=True)

            for of, expected in (("value", "first"), ("first", "mixed"), ("second", "twice_mixed")):
                difference = central(lambda step, of=of, at=at: getattr(at(step), of))
                assert_allclose(getattr(omega, expected), difference, rtol=2e-7, atol=2e-7)

    def test_fewer_are_the_same(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        full = family.derivatives(rows.y, rows.eta, rows.extra, full=True)
        few = family.derivatives(rows.y, rows.eta, rows.extra, full=False)
        assert few.third is None
        assert few.extra == ()
        for name in ("value", "first", "second"):
            assert_allclose(getattr(few, name), getattr(full, name), rtol=1e-13)

    def test_without_the_terms_free_of_eta_differ_by_these(self, family: AnyFamily) -> None:
        rows = rows_of(family)

        def rest(eta: FloatArray) -> FloatArray:
            with_it, without = (
                family.derivatives(rows.y, eta, rows.extra, full=False, normalised=normalised)
                for normalised in (True, False)
            )
            return with_it.value - without.value

        assert_allclose(rest(rows.eta), rest(1.1 * rows.eta), atol=1e-11)

    def test_one_dispersion_for_all_rows_need_not_be_repeated(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        one = [np.full(1, 0.5) for _ in rows.extra]
        repeated = [np.full_like(rows.eta, 0.5) for _ in rows.extra]
        found = family.derivatives(rows.y, rows.eta, one, full=True)
        expected = family.derivatives(rows.y, rows.eta, repeated, full=True)
        assert_allclose(found.value, expected.value, rtol=1e-13)
        assert_allclose(found.second, expected.second, rtol=1e-13)

    def test_are_finite_at_extremes(self, family: AnyFamily) -> None:
        eta = EXTREME if has_every_mean(family) else np.abs(EXTREME)
        for omega in (-700.0, -40.0, 0.0, 40.0, 700.0):
            extra = [np.full_like(eta, omega) for _ in family.extra_names]
            for y in np.unique(rows_of(family).y)[[0, -1]]:
                found = family.derivatives(np.full_like(eta, y), eta, extra, full=True)
                for array in all_of(found):
                    assert np.isfinite(array).all()
                if family.log_concave:
                    assert (found.second <= 1e-15 * np.abs(found.first)).all()
            weight = family.expected_weight(eta, extra)
            assert np.isfinite(weight).all()
            assert (weight >= 0.0).all()

    def test_there_is_no_density_where_eta_has_no_mean(self, family: AnyFamily) -> None:
        if has_every_mean(family):
            return
        rows = rows_of(family)
        found = family.derivatives(rows.y, -rows.eta, rows.extra, full=True)
        assert np.isneginf(found.value).all()
        assert np.isnan(found.first).all()

    def test_second_is_negative_where_log_concave(self, family: AnyFamily) -> None:
        seeds = range(5)
        second = np.concatenate(
            [
                family.derivatives(r.y, r.eta, r.extra, full=False).second
                for r in (rows_of(family, seed=seed) for seed in seeds)
            ]
        )
        assert not family.log_concave or (second <= 1e-13).all()


def has_every_mean(family: AnyFamily) -> bool:
    """Return whether each eta has a mean that the family can have."""
    if family.link.name == "identity":
        return family.name == "gaussian"
    return family.link.name not in {"sqrt", "inverse", "inverse_squared"}


def all_of(rows: RowDerivatives) -> list[FloatArray]:
    arrays = [rows.value, rows.first, rows.second]
    arrays += [] if rows.third is None else [rows.third]
    return arrays + [a for one in rows.extra for a in (one.first, one.mixed, one.twice_mixed)]


def grid(family: AnyFamily, eta: FloatArray, extra: Any) -> tuple[FloatArray, FloatArray]:
    """Return responses and weights that sum or integrate over the support, a column per row."""
    if family.name == "binomial":
        return np.array([[0.0], [1.0]]), np.ones((2, 1))
    if family.is_discrete:
        return COUNTS[:, None], np.ones((len(COUNTS), 1))
    low = family.quantile(np.full_like(eta, 1e-14), eta, extra)
    if family.name == "inverse_gaussian":
        mean = family.link.mean(eta)
        high = mean * (10.0 + 72.0 * mean * np.exp(extra[0]))
    else:
        high = family.quantile(np.full_like(eta, 1.0 - 1e-14), eta, extra)
    if family.name == "gaussian":
        half, centre = (high - low) / 2.0, (high + low) / 2.0
        return centre + half * NODES[:, None], half * WEIGHTS[:, None]
    if family.name == "beta":
        low, high = special.logit(low), special.logit(np.minimum(high, 1.0 - 1e-15))
    else:
        low, high = np.log(low), np.log(high)
    half, centre = (high - low) / 2.0, (high + low) / 2.0
    t = centre + half * NODES[:, None]
    y = special.expit(t) if family.name == "beta" else np.exp(t)
    slope = y * special.expit(-t) if family.name == "beta" else y
    return y, half * WEIGHTS[:, None] * slope


@every_family
class TestDistribution:
    def test_moments_are_those_of_the_density(self, family: AnyFamily) -> None:
        rows = rows_of(family, n=25)
        y, weights = grid(family, rows.eta, rows.extra)
        found = family.derivatives(
            np.broadcast_to(y, (len(y), 25)), rows.eta, rows.extra, full=False
        )
        density = weights * np.exp(found.value)
        mean, variance = (
            family.mean(rows.eta, rows.extra),
            family.variance(rows.eta, rows.extra),
        )
        assert_allclose(density.sum(axis=0), 1.0, rtol=1e-8)
        assert_allclose((density * y).sum(axis=0), mean, rtol=1e-7)
        assert_allclose((density * (y - mean) ** 2).sum(axis=0), variance, rtol=1e-6)
        weight = -(density * found.second).sum(axis=0)
        if "negative_binomial_1" in family.name:
            # Quasi-likelihood knows less.
            share = family.expected_weight(rows.eta, rows.extra) / weight
            assert ((share > 0.05) & (share < 1.0 + 1e-9)).all()
        else:
            assert_allclose(family.expected_weight(rows.eta, rows.extra), weight, rtol=1e-6)
        assert_allclose((density * found.first).sum(axis=0), 0.0, atol=1e-6)

    def test_cdf_sums_the_density(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        cdf, survival = (
            function(rows.y, rows.eta, rows.extra) for function in (family.cdf, family.survival)
        )
        assert_allclose(cdf + survival, 1.0, rtol=1e-12)
        h = 1.0 if family.is_discrete else 1e-5 * np.minimum(np.abs(rows.y), 1.0)
        below = rows.y - h
        above = rows.y if family.is_discrete else rows.y + h
        width = 1.0 if family.is_discrete else 2.0 * h
        mass = family.cdf(above, rows.eta, rows.extra) - family.cdf(below, rows.eta, rows.extra)
        density = np.exp(family.derivatives(rows.y, rows.eta, rows.extra, full=False).value)
        assert_allclose(mass / width, density, rtol=1e-5, atol=1e-9)

    def test_quantile_inverts_the_cdf(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        cdf = family.cdf(rows.y, rows.eta, rows.extra)
        y = family.quantile(cdf * (1.0 - 1e-12), rows.eta, rows.extra)
        assert_allclose(y, rows.y, rtol=1e-6, atol=1e-12)
        if family.is_discrete:
            assert (family.quantile(np.zeros_like(cdf), rows.eta, rows.extra) == 0.0).all()
            after = family.quantile(cdf * (1.0 + 1e-9), rows.eta, rows.extra)
            assert ((after > rows.y) | (cdf > 1.0 - 1e-8)).all()

    def test_draws_have_its_moments(self, family: AnyFamily) -> None:
        rows = rows_of(family, n=4)
        n = 20_000
        eta = np.repeat(rows.eta, n)
        extra = [np.repeat(one, n) for one in rows.extra]
        drawn = family.simulate(eta, extra, np.random.default_rng(1)).reshape(4, n)
        mean, variance = family.mean(rows.eta, rows.extra), family.variance(rows.eta, rows.extra)
        assert_allclose(drawn.mean(axis=1), mean, atol=0.0, rtol=0.15)
        assert_allclose(drawn.var(axis=1), variance, rtol=0.5)
        family.check(np.clip(drawn, 1e-9, 1.0 - 1e-9) if family.name == "beta" else drawn.ravel())

    def test_deviance_is_twice_the_loss_of_log_density(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        mean = family.link.mean(rows.eta)
        if "zero_inflated" in family.name:
            with pytest.raises(ValueError, match="not defined with zero inflation"):
                family.deviance(rows.y, mean, rows.extra)
            return
        deviance = family.deviance(rows.y, mean, rows.extra)
        assert (deviance >= 0.0).all()
        assert_allclose(family.deviance(mean, mean, rows.extra), 0.0, atol=1e-12)
        if family.name in {"beta", "negative_binomial_1"}:
            return
        # Of an exponential family: its slope in the mean is -2 (y - mean) / V(mean).
        slope = central(lambda h: family.deviance(rows.y, mean + h, rows.extra), 1e-4)
        variance = family.variance_at(mean, rows.extra)
        if family.name in {"gamma", "inverse_gaussian", "gaussian"}:
            variance = variance / family.dispersion_of(rows.extra[0])
        assert_allclose(slope, -2.0 * (rows.y - mean) / variance, rtol=1e-5, atol=1e-6)

    def test_starts_where_the_density_is_finite(self, family: AnyFamily) -> None:
        rows = rows_of(family)
        mean = family.starting_mean(rows.y)
        extra = family.starting_extra(rows.y, mean)
        assert len(extra) == len(family.extra_names)
        eta = family.link.predictor(mean)
        found = family.derivatives(rows.y, eta, [np.full_like(eta, e) for e in extra], full=True)
        for array in all_of(found):
            assert np.isfinite(array).all()


@every_family
def test_starting_dispersions_are_near_the_true_ones(family: AnyFamily) -> None:
    n = 5_000
    rows = rows_of(family, n=n)
    extra = [np.full(n, 0.3) for _ in rows.extra]
    y = family.simulate(rows.eta, extra, np.random.default_rng(2))
    y = np.clip(y, 1e-6, 1.0 - 1e-6) if family.name == "beta" else y
    found = family.starting_extra(y, family.link.mean(rows.eta))
    assert_allclose(found[: len(found) - ("zero_inflated" in family.name)], 0.3, atol=0.8)


@every_family
def test_equal_families_are_equal_and_can_be_saved(family: AnyFamily) -> None:
    buffer = io.BytesIO()
    joblib.dump(family, buffer)
    buffer.seek(0)
    for same in (copy.deepcopy(family), pickle.loads(pickle.dumps(family)), joblib.load(buffer)):
        assert same == family
        assert hash(same) == hash(family)
    skops = pytest.importorskip("skops.io")
    saved = skops.dumps(family)
    types = skops.get_untrusted_types(data=saved)
    assert [name for name in types if not name.startswith("skmixed.")] == []
    assert skops.loads(saved, trusted=types) == family
