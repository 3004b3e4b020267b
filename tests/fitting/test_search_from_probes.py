"""Generalised models estimated from random probes, beside the exact fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.estimators.formula_input import train_data
from skmixed.estimators.specification import formula_structures
from skmixed.families.reading import family_from
from skmixed.fitting import score_steps, search_from_probes
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.generalised_search import find_generalised_optimum
from skmixed.fitting.generalised_start import starting_parameters
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.monte_carlo import relative_error
from skmixed.formula import parse_formula
from skmixed.likelihood import stochastic
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.stochastic import random_probes

LEVELS = (90, 60)


def objective_of(family="binomial", sds=(0.8, 0.6), slopes=1, n=1500, n_replicates=8):
    """Return the objective of two crossed factors, the second with slopes if asked for."""
    rng = np.random.default_rng(4)
    X = np.vstack([np.ones(n), rng.normal(size=n)])
    codes = tuple(rng.integers(0, levels, n) for levels in LEVELS)
    Z = (X[:1], X[:slopes])
    eta = 0.5 * X[1] - 0.2
    for sd, own, levels, columns in zip(sds, codes, LEVELS, Z, strict=True):
        eta = eta + sum(sd * rng.normal(size=levels)[own] * column for column in columns)
    chosen = family_from(family)
    y = chosen.simulate(eta, [np.full(n, 1.0) for _ in chosen.extra_names], rng)
    elimination = Elimination(EffectRows(Z, codes, LEVELS))
    return GeneralisedObjective(
        X,
        elimination,
        np.zeros(n),
        Responses(chosen, y),
        JointCovariance(tuple(DirectSum((Unstructured(),), (len(z),)) for z in Z)),
        [np.ones((1, n)) for _ in chosen.extra_names],
        probes=random_probes(elimination.shapes, n_replicates),
    )


def searched(objective, **options):
    settings = {"tol": 1e-6, "max_iter": 100, **options}
    start = starting_parameters(objective)
    if objective.probes is None:
        return find_generalised_optimum(objective, start, **settings)
    return search_from_probes.search_from_probes(objective, start, **settings)


def errors_of(found):
    return np.sqrt(np.diagonal(2.0 * np.linalg.inv(found.hessian)))


@pytest.mark.parametrize(("family", "slopes"), [("binomial", 1), ("poisson", 2)])
def test_the_gradient_is_exact_but_for_the_error_it_tells(family, slopes):
    objective = objective_of(family, slopes=slopes)
    x = starting_parameters(objective)
    exact, estimated = replace(objective, probes=None)(x), objective(x)
    assert exact.replicated_gradients is None
    assert exact.value_error == 0.0
    replicates = estimated.replicated_gradients
    assert_allclose(replicates.mean(axis=0), estimated.gradient, rtol=1e-6, atol=1e-6)
    error = replicates.std(axis=0, ddof=1) / np.sqrt(len(replicates))
    assert (error > 0.0).all()
    assert (np.abs(estimated.gradient - exact.gradient) < 5.0 * error + 1e-6).all()
    assert abs(estimated.value - exact.value) < 5.0 * estimated.value_error


def test_the_error_is_told_honestly(monkeypatch):
    """Over many seeds, errors of the gradient in standard errors have mean square 1, about."""
    objective = objective_of(n=600)
    x = starting_parameters(objective)
    exact = replace(objective, probes=None)(x).gradient
    squares = []
    for seed in range(12):
        monkeypatch.setattr(stochastic, "SEED", seed)
        objective.probes = random_probes(objective.elimination.shapes, 16)
        at = objective(x)
        error = at.replicated_gradients.std(axis=0, ddof=1) / 4.0
        squares.append(((at.gradient - exact) / error) ** 2)
    assert 0.4 < np.mean(squares) < 2.5


@pytest.mark.parametrize(
    ("family", "slopes"), [("binomial", 1), ("poisson", 2), ("negative_binomial", 1)]
)
def test_the_optimum_is_the_exact_one_within_its_error(family, slopes):
    objective = objective_of(family, slopes=slopes)
    exact, found = searched(replace(objective, probes=None)), searched(objective)
    assert found.optimum.converged
    errors = errors_of(exact)
    away = np.abs(found.optimum.at.theta - exact.optimum.at.theta) / errors
    assert away.max() < 5.0 * relative_error(found.optimum.at) + 1e-3
    assert relative_error(found.optimum.at) < 0.05
    assert_allclose(errors_of(found), errors, rtol=1e-2)
    assert found.optimum.at.value == pytest.approx(
        exact.optimum.at.value, abs=5.0 * found.optimum.at.value_error
    )


def test_a_fit_can_be_repeated():
    first, second = (searched(objective_of(n=600)).optimum.at for _ in range(2))
    assert_array_equal(first.theta, second.theta)
    assert first.value == second.value


def test_more_probes_are_drawn_where_few_are_not_precise(monkeypatch):
    few = searched(objective_of(n=600)).optimum.at
    monkeypatch.setattr(score_steps, "PRECISE", relative_error(few) / 2.0)
    objective = objective_of(n=600)
    more = searched(objective).optimum
    assert more.converged
    assert objective.probes.n_replicates > 2 * 8
    assert relative_error(more.at) < 0.8 * relative_error(few)


def test_a_measured_hessian_helps_where_the_search_is_slow(monkeypatch):
    usual = searched(objective_of("negative_binomial", n=600)).optimum
    monkeypatch.setattr(search_from_probes, "QUICK", 2)
    other = searched(objective_of("negative_binomial", n=600)).optimum
    assert other.converged
    assert_allclose(other.at.theta, usual.at.theta, atol=1e-4)


def test_a_variance_of_zero_is_found():
    """Successes and failures alternate within the levels of the second factor."""
    objective = objective_of(n=600)
    y = np.empty(600)
    y[np.argsort(objective.rows.codes[1], kind="stable")] = np.arange(600) % 2
    objective.responses = replace(objective.responses, y=y)
    found, exact = searched(objective), searched(replace(objective, probes=None))
    assert exact.optimum.at.theta[-1] == 0.0
    assert found.optimum.converged
    assert_allclose(found.optimum.at.theta, exact.optimum.at.theta, atol=1e-3)
    assert found.optimum.at.theta[-1] == 0.0


def test_running_out_of_evaluations_is_told():
    found = searched(objective_of(n=600), max_iter=2)
    assert not found.optimum.converged
    assert "max_iter" in found.optimum.message


def test_the_noise_is_measured_once_near_the_optimum(monkeypatch):
    calls = []
    replicated = GeneralisedObjective._replicated_gradients

    def counted(self, *arguments):
        calls.append(1)
        return replicated(self, *arguments)

    monkeypatch.setattr(GeneralisedObjective, "_replicated_gradients", counted)
    at = searched(objective_of(n=600)).optimum.at
    assert relative_error(at) > 0.0
    assert len(calls) <= 2


def test_some_rows_are_exact():
    """They have other levels than the probes."""
    objective = objective_of(n=600)
    x = starting_parameters(objective)
    whole = objective.of_rows(np.arange(600))
    assert_allclose(whole.gradient(x), replace(objective, probes=None).gradient(x), atol=1e-6)
    assert np.isfinite(objective.of_rows(np.arange(20)).gradient(x)).all()


@pytest.mark.parametrize("solver", ["direct", "iterative"])
def test_a_model_passes_its_solver_on(solver):
    objective = objective_of(n=600)
    frame = pd.DataFrame({"y": objective.responses.y, "x": objective.X[1]})
    for name, codes in zip("uv", objective.rows.codes, strict=True):
        frame[name] = codes
    fit = fitted("y ~ x + (1 | u) + (1 | v)", frame, solver)
    assert fit.convergence.converged
    if solver == "direct":
        assert fit.monte_carlo is None
    else:
        assert 0.0 < fit.monte_carlo.relative < 0.1
        assert fit.monte_carlo.log_likelihood > 0.0
        assert fit.monte_carlo.theta.shape == (2,)
        exact = fitted("y ~ x + (1 | u) + (1 | v)", frame, "direct")
        for one, other in zip(fit.errors.covariances(), exact.errors.covariances(), strict=True):
            assert_allclose(one, other, rtol=0.1)


def fitted(formula, frame, solver):
    parsed = parse_formula(formula)
    design, form = train_data(parsed, frame)
    structures = formula_structures(parsed, design, form)
    return GLMMModel(design, structures, family_from("binomial"), solver=solver).fit()
