"""Residual structures from products summed once: the same likelihood as from whitened rows."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from residual.structured_rows import (
    STRUCTURES,
    WEIGHTS,
    based,
    learned_rows,
    model_of,
    some_parameters,
    whitening,
    whitening_of,
)

from skmixed.fitting import basis_objective, class_products, residual_fit, residual_identification
from skmixed.fitting.basis_objective import BasisObjective, row_columns, with_basis
from skmixed.fitting.class_products import sum_by_class
from skmixed.fitting.model import LMMModel
from skmixed.fitting.optimise import measured_hessian
from skmixed.fitting.residual_identification import some_groups, undetermined_parameters
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.residual import AR1, Heterogeneous, VariancePower
from skmixed.residual.cliques import find_cliques

WITH_PARAMETERS = [name for name in STRUCTURES if name != "known"]
CASES = [
    case
    for case in itertools.product(STRUCTURES, [0, 1, 2], [False, True], WEIGHTS)
    # Weights of groups ask for a factor.
    if case[1] or case[3] != "groups"
]


@pytest.mark.exhaustive(5)
@pytest.mark.parametrize(("name", "n_effects", "reml", "weights"), CASES)
def test_both_ways_have_the_same_likelihood(name, n_effects, reml, weights):
    rows = whitening(STRUCTURES[name], n_effects, reml=reml, weights=weights)
    sums, at = based(rows), some_parameters(rows)
    expected, found = rows.first_order(at), sums(at)
    assert sums._at(rows.split(at)[1]) is not None
    assert_allclose(found.value, expected.value, rtol=1e-11)
    assert sums.value(at) == pytest.approx(expected.value, rel=1e-11)
    scale = np.abs(expected.gradient).max(initial=1.0)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-10, atol=1e-10 * scale)


@pytest.mark.parametrize("name", ["heterogeneous", "known"])
def test_both_ways_count_rows_alike(name):
    # Correlated rows cannot be repeated.
    rows = whitening(STRUCTURES[name], 1, weights="frequency")
    sums, at = based(rows), some_parameters(rows)
    expected, found = rows.first_order(at), sums(at)
    assert_allclose(found.value, expected.value, rtol=1e-11)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-9)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(("name", "n_effects"), list(itertools.product(WITH_PARAMETERS, [0, 1, 2])))
def test_the_hessian_is_exact(name, n_effects):
    reml = n_effects != 1
    rows = whitening(STRUCTURES[name], n_effects, reml=reml)
    sums, at = based(rows), some_parameters(rows)
    expected = measured_hessian(rows.first_order, at)
    size = np.abs(expected).max(initial=1.0)
    assert_allclose(sums.hessian(sums(at)), expected, rtol=1e-6, atol=1e-7 * size)
    assert sums.exact_hessian
    assert not rows.exact_hessian


@pytest.mark.parametrize("name", ["ar1, arms * heterogeneous", "any covariance"])
def test_both_ways_tell_how_the_information_changes(name):
    for n_effects, weights in ((0, "precision"), (2, "groups")):
        rows = whitening(STRUCTURES[name], n_effects, weights=weights)
        sums = based(rows)
        at = rows.first_order(some_parameters(rows))
        there = sums(at.theta)
        assert_allclose(sums.residual_slope(there), rows.residual_slope(at), rtol=1e-9, atol=1e-11)
        expected = rows.information_changes(at)
        size = np.abs(expected).max()
        assert_allclose(sums.information_changes(there), expected, rtol=1e-9, atol=1e-10 * size)


@pytest.mark.parametrize("name", ["ar1", "any covariance", "toeplitz, arms * two"])
def test_a_level_may_hold_several_groups_of_residuals(name):
    rows = whitening(STRUCTURES[name], 2, merged=3)
    sums, at = based(rows), some_parameters(rows)
    expected, found = rows.first_order(at), sums(at)
    assert_allclose(found.value, expected.value, rtol=1e-11)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-9)


def test_rows_are_whitened_where_the_sums_cancel():
    rows = whitening(AR1("time"))
    sums, at = based(rows), np.array([0.5, 8.5])
    assert sums._at(at[1:]) is None
    assert sums(at).value == rows(at).value
    assert_allclose(sums.hessian(sums(at)), rows.hessian(rows(at)), rtol=1e-12)
    assert sums.of_theta(at[1:]) is sums.at_rho(at[1:]).objective


def test_negative_curvatures_far_from_the_optimum_do_not_lead_the_search(monkeypatch):
    rows = whitening(STRUCTURES["unstructured"])
    sums, at = based(rows), np.append(0.8, [3.0, -2.0, 2.0, 0.0, -1.0, 2.0])
    exact = sums.hessian(sums(at))
    curvatures = np.linalg.eigvalsh(exact)
    assert curvatures[0] < -0.05 * curvatures[-1]
    assert_allclose(sums(at).hessian, rows(at).hessian, rtol=1e-9)
    # Near a saddle the search needs to know which way leads downhill.
    monkeypatch.setattr(basis_objective, "NEAR", np.inf)
    assert_allclose(sums(at).hessian, exact, rtol=1e-9)


def test_variances_in_a_covariate_are_no_sum_of_known_matrices():
    structure = AR1("time") * VariancePower("covariate")
    assert find_cliques(*learned_rows(structure), 10**6) is None
    rows = whitening(structure)
    assert with_basis(rows) is rows


def test_too_many_patterns_are_no_basis():
    structure = STRUCTURES["exponential"]
    assert find_cliques(*learned_rows(structure), 20) is None


@pytest.mark.parametrize("name", ["ar1", "toeplitz, arms * two"])
def test_sums_are_the_same_sparse_and_full(name, monkeypatch):
    rows = whitening(STRUCTURES[name], 2)
    cliques = find_cliques(rows.residual.learned, rows.residual.rows, 10**6)
    found = {}
    for part in (0.0, 2.0):
        monkeypatch.setattr(class_products, "FULL", part)
        found[part] = sum_by_class(cliques, row_columns(rows))
    assert isinstance(found[0.0], np.ndarray)
    assert_allclose(found[2.0].toarray(), found[0.0], rtol=1e-14)


@pytest.fixture(scope="module")
def model() -> LMMModel:
    """Return a model of 40 subjects at up to six visits."""
    rows = np.random.default_rng(8).random(240) > 0.1
    subject, visit = np.repeat(np.arange(40), 6)[rows], np.tile(np.arange(6), 40)[rows]
    return model_of(AR1("visit") * Heterogeneous("visit"), subject, visit)


@pytest.mark.parametrize("reml", [False, True])
def test_both_ways_give_the_same_fit(model, reml, monkeypatch):
    model = replace(model, reml=reml)
    by_sums = model.fit()
    chosen = []
    monkeypatch.setattr(residual_fit, "with_basis", lambda one: chosen.append(one) or one)
    by_rows = model.fit()
    assert chosen
    assert isinstance(with_basis(chosen[0]), BasisObjective)
    assert by_sums.convergence.converged
    assert by_sums.convergence.n_iter < by_rows.convergence.n_iter
    assert by_sums.log_likelihood == pytest.approx(by_rows.log_likelihood, rel=1e-11)
    for a, b in (
        (by_sums.residual.rho, by_rows.residual.rho),
        (by_sums.fixed.standardised, by_rows.fixed.standardised),
        (by_sums.residual.information_changes, by_rows.residual.information_changes),
        (by_sums.convergence.residual_slope, by_rows.convergence.residual_slope),
        (by_sums.convergence.hessian, by_rows.convergence.hessian),
    ):
        assert_allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(b).max())


def test_some_groups_tell_what_the_rows_determine(model, monkeypatch):
    rows = whitening_of(model)
    start = np.append(0.8, np.zeros(6))
    expected = undetermined_parameters(rows, start)
    some = some_groups(rows, 100)
    assert 50 <= len(some.groups) <= 200
    assert set(some.groups) < set(rows.groups)
    assert some_groups(rows, 10**6) is None
    asked = []
    average_information = ResidualObjective.average_information
    monkeypatch.setattr(residual_identification, "ENOUGH", 100)
    monkeypatch.setattr(
        ResidualObjective,
        "average_information",
        lambda self, at: asked.append(len(self.groups)) or average_information(self, at),
    )
    undetermined, hidden = undetermined_parameters(rows, start)
    assert not undetermined.any()
    assert hidden == expected[1] == []
    assert asked == [len(some.groups)]


def test_what_some_groups_do_not_tell_is_asked_of_all_rows(monkeypatch):
    # Every other group is looked at, and only those left out have the last visit.
    groups, visit = np.repeat(np.arange(12), 4), np.tile(np.arange(4), 12)
    visit[(groups % 2 == 1) & (visit == 3)] = 4
    rows = whitening_of(model_of(AR1("visit") * Heterogeneous("visit"), groups, visit))
    start = np.append(0.8, np.zeros(5))
    some = some_groups(rows, 24)
    assert some is not None
    assert not some.average_information(start)[-1].any()
    monkeypatch.setattr(residual_identification, "ENOUGH", 24)
    undetermined, hidden = undetermined_parameters(rows, start)
    assert not undetermined.any()
    assert not hidden
