"""The covariance of the residuals in natural parameters: values and derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.residual import (
    AR1,
    CAR1,
    AnteDependence,
    CompoundSymmetry,
    Gaussian,
    Heterogeneous,
    KnownVariance,
    Toeplitz,
    Unstructured,
    UnstructuredCorrelation,
    VariancePower,
)
from skmixed.residual.learning import learn_residual
from skmixed.residual.natural_covariance import natural_covariance, pattern_keys
from skmixed.residual.whitening import residual_at

GROUPS = np.repeat(np.arange(6), [4, 3, 4, 1, 2, 4])


@pytest.fixture(name="columns", scope="module")
def fixture_of_columns() -> dict[str, np.ndarray]:
    """Return visits with gaps, arms and a covariate."""
    visit = np.concatenate([np.arange(4), [0, 1, 3], np.arange(4), [2], [3, 0], np.arange(4)])
    rng = np.random.default_rng(0)
    return {
        "subject": GROUPS,
        "visit": visit,
        "arm": np.array(list("aabbab"))[GROUPS],
        "site": np.array(list("uvuvuv"))[GROUPS],
        "x": 1.0 + rng.random(len(GROUPS)),
        "hours": visit + 0.3 * rng.random(len(GROUPS)),
    }


def structures() -> dict[str, object]:
    """Return structures of each kind."""
    found: dict[str, object] = {
        "ar1": AR1("visit"),
        "ar1 by arm": AR1("visit", by="arm"),
        "ar1h": AR1("visit") * Heterogeneous("visit"),
        "ar1 by arm, variances by arm and site": AR1("visit", by="arm")
        * Heterogeneous("arm")
        * Heterogeneous("site"),
        "variances": Heterogeneous("visit"),
        "us": Unstructured("visit"),
        "us by arm": Unstructured("visit", by="arm"),
        "correlations": UnstructuredCorrelation("visit"),
        "correlations by arm": UnstructuredCorrelation("visit", by="arm"),
        "unh": UnstructuredCorrelation("visit") * Heterogeneous("visit"),
    }
    return found | {
        "cs": CompoundSymmetry("visit"),
        "toep": Toeplitz("visit"),
        "ad": AnteDependence("visit"),
        "car1": CAR1("hours"),
        "sp_gau": Gaussian("hours"),
        "power": VariancePower("x"),
        "ar1, power, variances": AR1("visit") * VariancePower("x") * Heterogeneous("arm"),
        "known": KnownVariance("x"),
    }


@pytest.fixture(name="natural", params=structures())
def fixture_of_natural_covariances(request, columns):
    structure = structures()[request.param]
    learned = learn_residual(structure, columns, GROUPS)
    rows = learned.rows(columns, GROUPS)
    rho = 0.3 * np.random.default_rng(1).normal(size=learned.n_parameters)
    sigma = 1.0 if learned.fixes_sigma else 1.7
    return natural_covariance(learned, rows, rho, sigma, len(GROUPS))


def clusters(natural) -> np.ndarray:
    """Return a block of rows, two groups in it."""
    grouped = natural.rows.grouped
    order = np.arange(len(GROUPS)) if grouped is None else grouped.order
    return np.array([order[:7], order[7:14]])


def moved(natural, *, rho=None, sigma=None):
    """Return the same covariance at other parameters."""
    at = natural.rho if rho is None else rho
    size = natural.sigma if sigma is None else sigma
    return natural_covariance(natural.learned, natural.rows, at, size, natural.n_rows)


def test_it_is_the_covariance_that_whitens(natural):
    factor = residual_at(natural.learned, natural.rows, natural.rho).undo(np.eye(len(GROUPS)))
    whole = natural.sigma**2 * factor.T @ factor
    rows = clusters(natural)
    expected = np.stack([whole[np.ix_(one, one)] for one in rows])
    assert_allclose(natural.blocks(rows).values, expected, atol=1e-12)


def test_there_are_as_many_parameters_as_names(natural):
    free = len(natural.rho) + (not natural.learned.fixes_sigma)
    assert len(natural.names) == len(natural.values) == free
    assert len(set(natural.names)) == free
    assert natural.derivative.shape == (free, len(natural.rho) + 1)


def test_first_derivatives_by_the_chain_rule(natural):
    rows, h = clusters(natural), 1e-6
    steps = [(h * one, 1.0) for one in np.eye(len(natural.rho))]
    if not natural.learned.fixes_sigma:
        steps.append((np.zeros(len(natural.rho)), np.exp(h)))
    first = natural.blocks(rows).first
    for i, (step, factor) in enumerate(steps):
        ahead = moved(natural, rho=natural.rho + step, sigma=natural.sigma * factor)
        behind = moved(natural, rho=natural.rho - step, sigma=natural.sigma / factor)
        slope = (ahead.blocks(rows).values - behind.blocks(rows).values) / (2.0 * h)
        chain = np.tensordot(natural.derivative[:, i], first, axes=1)
        assert_allclose(chain, slope, atol=1e-8)


def test_second_derivatives_by_the_chain_rule(natural):
    rows, h = clusters(natural), 1e-6
    second = natural.blocks(rows).second
    k = len(natural.values)
    second = np.zeros((k, k, 2, 7, 7)) if second is None else second
    for i, step in enumerate(h * np.eye(len(natural.rho))):
        ahead, behind = (moved(natural, rho=natural.rho + s) for s in (step, -step))
        slope = (ahead.blocks(rows).first - behind.blocks(rows).first) / (2.0 * h)
        chain = np.tensordot(natural.derivative[:, i], second, axes=1)
        assert_allclose(chain, slope, atol=1e-8)


def test_unstructured_is_linear_in_its_covariances(columns):
    learned = learn_residual(Unstructured("visit"), columns, GROUPS)
    rows = learned.rows(columns, GROUPS)
    rho = 0.5 * np.random.default_rng(2).normal(size=learned.n_parameters)
    natural = natural_covariance(learned, rows, rho, 2.0, len(GROUPS))
    block = natural.blocks(rows.grouped.order[None, :4])
    assert block.second is None
    later, earlier = np.tril_indices(4, -1)
    assert_allclose(natural.values[:4], block.values[0].diagonal())
    assert_allclose(natural.values[4:], block.values[0][later, earlier])


@pytest.mark.parametrize("unit", [1e-3, 50.0])
def test_the_unit_of_a_covariate_changes_no_parameter(columns, unit):
    structure = VariancePower("x")
    found = []
    for scale in (1.0, unit):
        own = {**columns, "x": scale * columns["x"]}
        learned = learn_residual(structure, own, None)
        rows = learned.rows(own, None)
        rho = 0.4 * np.log(own["x"][:1]) / rows.deviations[0].values[:1]
        sigma = 1.3 * scale**-0.4
        natural = natural_covariance(learned, rows, rho, sigma, len(GROUPS))
        found.append((natural.values, natural.blocks(np.arange(3)[None]).second))
    for one, other in zip(*found, strict=True):
        assert_allclose(other, one, rtol=1e-7, atol=1e-9)


def test_keys_tell_rows_of_different_variances_apart(columns):
    learned = learn_residual(Heterogeneous("arm"), columns, None)
    keys = pattern_keys(learned.rows(columns, None), len(GROUPS))
    assert len(np.unique(keys, axis=0)) == 2
