"""The inverse of M and its determinant from random probes: exact from all, unbiased from some."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.likelihood import sparse_pattern
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.iterative_errors import IterativeErrors
from skmixed.likelihood.penalised_errors import PenalisedErrors, errors_given_data
from skmixed.likelihood.penalised_factor import factored
from skmixed.likelihood.schur import exact_directions
from skmixed.likelihood.sparse_pattern import SparsePattern
from skmixed.likelihood.stochastic import every_direction, random_probes

from .test_elimination import ARRANGEMENTS, Case, joined

CROSSED = [
    "crossed",
    "crossed, with slopes",
    "nested and crossed",
    "crossed, then nested",
    "two nested, two crossed",
    "a coarse one behind",
]
# Standard errors that a Monte-Carlo mean may be off.
WIDE = 4.0


@pytest.fixture(autouse=True)
def few_exact_directions(monkeypatch):
    """Leave something to be estimated, although the factors have few levels."""
    monkeypatch.setattr("skmixed.likelihood.schur.FEW", 0)


def probed(case, probes):
    elimination = Elimination(case.rows)
    return factored(elimination, case.rows.gram(case.weights), case.factors, probes(elimination))


def every(elimination):
    return every_direction(elimination.n_dense)


def many(elimination, n_replicates=400):
    return random_probes(elimination.shapes, n_replicates)


def quadratic(case, blocks):
    return case.rows.quadratic(blocks, len(case.weights))


@pytest.mark.parametrize("held", ["dense", "sparse"])
@pytest.mark.parametrize("name", CROSSED)
def test_every_direction_is_exact(monkeypatch, name, held):
    monkeypatch.setattr(sparse_pattern, "DENSE", np.inf if held == "dense" else 0)
    case = Case(ARRANGEMENTS[name])
    exact, system = case.factored(), probed(case, every)
    assert system.schur.system.exact_directions().shape[1] < system.elimination.n_dense
    assert system.log_determinant == pytest.approx(exact.log_determinant, rel=1e-4)
    assert_allclose(quadratic(case, system.inverse), quadratic(case, exact.inverse), rtol=1e-4)


@pytest.mark.parametrize("name", ["crossed, with slopes", "nested and crossed"])
def test_some_probes_are_unbiased_and_tell_their_error(name):
    case = Case(ARRANGEMENTS[name])
    exact, system = case.factored(), probed(case, many)
    error = system.schur.log_determinant_error
    assert 0.0 < error < 0.1
    assert abs(system.log_determinant - exact.log_determinant) < WIDE * error
    h = np.array([quadratic(case, one).sum() for one in system.replicated_inverses()])
    assert_allclose(h.mean(), quadratic(case, system.inverse).sum(), rtol=1e-10)
    spread = h.std(ddof=1) / np.sqrt(len(h))
    assert spread > 0.0
    assert abs(h.mean() - quadratic(case, exact.inverse).sum()) < WIDE * spread


def test_solutions_are_exact():
    case = Case(ARRANGEMENTS["two nested, two crossed"])
    system = probed(case, lambda elimination: many(elimination, 2))
    right = case.right()
    expected = np.linalg.solve(case.M, joined(right).T).T
    assert_allclose(joined(system.solve(right)), expected, rtol=1e-5, atol=1e-6)


def test_an_exact_inverse_has_no_replicates():
    exact = Case(ARRANGEMENTS["crossed"]).factored()
    assert exact.replicated_inverses() == []
    assert exact.schur.log_determinant_error == 0.0


@pytest.mark.parametrize("name", ["crossed", "one factor"])
def test_the_least_pivot(name):
    case = Case(ARRANGEMENTS[name])
    assert 1.0 <= case.factored().least_pivot <= np.linalg.eigvalsh(case.M)[-1]
    if name == "crossed":
        assert probed(case, every).least_pivot >= 1.0


def test_indefinite_blocks_are_refused():
    case = Case(ARRANGEMENTS["crossed"], weights=lambda _, n: np.full(n, -0.02))
    case.weights[case.rows.codes[1] == 0] = -3.0
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        _ = probed(case, every).log_determinant


@pytest.mark.parametrize("name", CROSSED)
def test_errors_of_single_levels(name):
    """There are fewer effects than probes, so that every direction is one."""
    case = Case(ARRANGEMENTS[name])
    errors = errors_given_data(probed(case, lambda e: many(e, 2)), case.factors)
    assert isinstance(errors, IterativeErrors)
    exact = errors_given_data(case.factored(), case.factors)
    assert isinstance(exact, PenalisedErrors)
    for one, other in zip(errors.covariances(), exact.covariances(), strict=True):
        assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_errors_of_rows_count_what_levels_share():
    """An effect of one factor is told by moving against all of the other: rows know their sum."""
    case = Case(ARRANGEMENTS["crossed"], n=2000)
    errors = errors_given_data(probed(case, lambda e: many(e, 2)), case.factors)
    exact = errors_given_data(case.factored(), case.factors)
    expected = variances_of_rows(case, exact)
    assert_allclose(variances_of_rows(case, errors), expected, rtol=0.08)
    apart = replace(
        errors,
        blocks=tuple(errors.covariances()),
        shared=tuple(0.0 * one for one in errors.shared),
    )
    assert (variances_of_rows(case, apart) > 1.05 * expected).mean() > 0.8


def variances_of_rows(case, errors):
    roots = [root for root, _ in errors.parts(case.rows.Z, case.rows.codes)]
    dense = [root.toarray() if hasattr(root, "toarray") else root for root in roots]
    return sum(np.sum(one**2, axis=0) for one in dense)


def test_directions_that_all_levels_share_are_orthonormal():
    roots = [np.random.default_rng(0).random((2, 2, 30)) + 2.0 * np.eye(2)[:, :, None]]
    Q = exact_directions(roots)
    assert Q.shape == (60, 2)
    assert_allclose(Q.T @ Q, np.eye(2), atol=1e-12)


def test_a_pattern_is_filled_in_the_places_that_were_given(monkeypatch):
    rows, columns = np.array([2, 0, 2, 1]), np.array([1, 2, 0, 1])
    values = np.array([1.0, 2.0, 3.0, 4.0])
    expected = np.zeros((3, 3))
    expected[rows, columns] = values
    assert_allclose(SparsePattern.of(rows, columns, (3, 3)).filled(values), expected)
    monkeypatch.setattr(sparse_pattern, "DENSE", 0)
    filled = SparsePattern.of(rows, columns, (3, 3)).filled(values)
    assert_allclose(filled.toarray(), expected)
    assert filled.has_canonical_format
