"""Residual structures from products summed once: the same likelihood as from whitened rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.groups import factorise
from skmixed.design.weights import Weights
from skmixed.fitting.basis_objective import BasisObjective, row_columns, with_basis
from skmixed.fitting.optimise import measured_hessian
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.standardise import standardised
from skmixed.residual import (
    AR1,
    AnteDependence,
    CompoundSymmetry,
    Heterogeneous,
    KnownVariance,
    ResidualStructure,
    Toeplitz,
    VariancePower,
)
from skmixed.residual import Unstructured as AnyCovariance
from skmixed.residual.cliques import find_cliques
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.learning import learn_residual
from skmixed.residual.model import ResidualModel
from skmixed.residual.registry import CORRELATIONS

RNG = np.random.default_rng(5)
VISITS = [(0, 1, 2, 3), (0, 1, 2, 3), (0, 2, 3), (1,), (0, 1, 2, 3), (0, 2, 3), (1, 2), (0, 3)]
N_GROUPS = len(VISITS)
GROUPS = np.repeat(np.arange(N_GROUPS), [len(one) for one in VISITS])
N = len(GROUPS)
ORDER = RNG.permutation(N)
COLUMNS = {
    "time": np.concatenate(VISITS)[ORDER],
    "stratum": RNG.integers(0, 3, N)[ORDER],
    "arm": (GROUPS % 2)[ORDER],
    "variance": RNG.uniform(0.5, 2.0, N)[ORDER],
    "x": RNG.normal(size=N)[ORDER],
    "y": RNG.normal(size=N)[ORDER],
    "covariate": RNG.uniform(1.0, 2.0, N)[ORDER],
}
GROUPS = GROUPS[ORDER]
X = RNG.normal(size=(N, 2))
RESPONSE = RNG.normal(size=N)
PRECISIONS = RNG.uniform(0.5, 2.0, N)
WEIGHTS = ("no weights", "precision", "groups")
STRUCTURES: dict[str, ResidualStructure] = {
    **CORRELATIONS,
    "heterogeneous": Heterogeneous("stratum"),
    "known": KnownVariance("variance"),
    "ar1, arms": AR1("time", by="arm"),
    "ar1 * heterogeneous": AR1("time") * Heterogeneous("stratum"),
    "ar1, arms * heterogeneous": AR1("time", by="arm") * Heterogeneous("stratum"),
    "ante-dependence * heterogeneous": AnteDependence("time") * Heterogeneous("time"),
    "compound symmetry * heterogeneous": CompoundSymmetry() * Heterogeneous("stratum"),
    "toeplitz, arms * two": Toeplitz("time", by="arm")
    * Heterogeneous("stratum")
    * Heterogeneous("arm"),
    "ar1 * known": AR1("time") * KnownVariance("variance"),
    "unstructured": AnyCovariance("time"),
    "unstructured, arms": AnyCovariance("time", by="arm"),
}


def learned_rows(structure: ResidualStructure) -> tuple[LearnedResidual, ResidualRows]:
    learned = learn_residual(structure, COLUMNS, GROUPS)
    return learned, learned.rows(COLUMNS, GROUPS)


def whitening(
    structure: ResidualStructure,
    n_effects: int = 1,
    *,
    reml: bool = True,
    weights: str = "no weights",
    merged: int = 1,
) -> ResidualObjective:
    """Return the objective with whitened rows; so many groups of residuals are one level."""
    factor = factorise(GROUPS // merged, "g")
    names = ("Intercept", "x")[:n_effects]
    columns = np.column_stack([np.ones(N), X[:, 0]])[:, :n_effects]
    blocks = (RandomBlock(factor, columns, (TermLayout(names),)),) if n_effects else ()
    covariance = JointCovariance(tuple(DirectSum((Unstructured(),), (n_effects,)) for _ in blocks))
    own = {
        "no weights": Weights(),
        "precision": Weights(PRECISIONS),
        "groups": Weights(groups=1.0 + np.arange(len(factor.levels)), codes=factor.codes),
    }[weights]
    design = Design(RESPONSE, X, ("x", "z"), True, blocks, weights=own)
    rows = standardised(design, covariance)[1]
    model = ResidualModel(*learned_rows(structure))
    sigma2 = 1.3 if model.learned.fixes_sigma else None
    kept = list(range(len(blocks)))
    return ResidualObjective(rows, covariance, kept, model, reml=reml, sigma2=sigma2)


def based(objective: ResidualObjective) -> BasisObjective:
    residual = objective.residual
    cliques = find_cliques(residual.learned, residual.rows, 10**6)
    assert cliques is not None
    return BasisObjective(objective, cliques, row_columns(objective))


def some_parameters(objective: ResidualObjective) -> np.ndarray:
    m, n = objective.covariance.n_parameters, objective.residual.learned.n_parameters
    rng = np.random.default_rng(1)
    return np.append([0.8, 0.3, 0.5][:m], rng.uniform(-0.6, 0.6, n))


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


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize(("name", "n_effects"), list(itertools.product(WITH_PARAMETERS, [0, 1, 2])))
def test_the_hessian_is_exact(name, n_effects):
    reml = n_effects != 1
    rows = whitening(STRUCTURES[name], n_effects, reml=reml)
    sums, at = based(rows), some_parameters(rows)
    expected = measured_hessian(rows.first_order, at)
    size = np.abs(expected).max(initial=1.0)
    assert_allclose(sums(at).hessian, expected, rtol=1e-6, atol=1e-7 * size)
    assert sums.exact_hessian
    assert not rows.exact_hessian


@pytest.mark.parametrize("name", ["ar1, arms * heterogeneous", "unstructured"])
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


@pytest.mark.parametrize("name", ["ar1", "unstructured", "toeplitz, arms * two"])
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


def test_variances_in_a_covariate_are_no_sum_of_known_matrices():
    structure = AR1("time") * VariancePower("covariate")
    assert find_cliques(*learned_rows(structure), 10**6) is None
    rows = whitening(structure)
    assert with_basis(rows) is rows


def test_too_many_patterns_are_no_basis():
    structure = CORRELATIONS["exponential"]
    assert find_cliques(*learned_rows(structure), 20) is None
