"""Likelihoods with several optima: the best one is found, and ordinary data cost nothing more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.covariance import CompoundSymmetry, DirectSum, JointCovariance, Unstructured
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy
from skmixed.exceptions import SingularFitWarning
from skmixed.fitting.lockstep import LockstepModel
from skmixed.fitting.other_starts import corners, is_lopsided, lattice
from skmixed.likelihood.crossproducts import FactorProducts

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{SingularFitWarning.__module__}.SingularFitWarning"
)


def wild_value(seed: int) -> pd.DataFrame:
    """Simulate slopes that differ, and one value 1000 in their covariate."""
    rng = np.random.default_rng(seed)
    n = 100
    g = np.arange(n) % 10
    x = rng.normal(size=n)
    x[0] = 1000.0
    y = rng.normal(size=n) + x * rng.normal(size=10)[g]
    return pd.DataFrame({"x": x, "g": g, "y": y})


@pytest.mark.parametrize("seed", range(8))
def test_one_wild_value_leaves_the_optimum(seed):
    data = wild_value(seed)
    ml, reml = (mixedlm("y ~ x + (x | g)", data, method=method) for method in ("ml", "reml"))
    assert ml.converged
    assert reml.converged
    assert -2.0 * ml.llf <= ml.objective(reml.theta) + 1e-8
    assert -2.0 * reml.llf <= reml.objective(ml.theta) + 1e-8


def test_weights_over_decades_leave_the_optimum():
    data = pd.DataFrame(
        {
            "y": [0.6, 2.5, -1.0, -1.3, 0.6, -0.8, -0.5, -0.3],
            "w": [10.0, 1.0, 1.0, 0.1, 1.0, 0.1, 0.1, 1.0],
            "g": [0, 1, 2, 3] * 2,
        }
    )
    results = mixedlm("y ~ 1 + (1 | g)", data, weights="w", method="ml")
    grid = [results.objective(np.array([theta])) for theta in np.linspace(0.0, 5.0, 501)]
    assert -2.0 * results.llf <= min(grid)
    assert results.objective(np.zeros(1)) > -2.0 * results.llf + 0.7


def test_refits_find_the_optimum_too():
    results = mixedlm("y ~ x + (x | g)", wild_value(0), method="ml")
    responses = np.array([wild_value(seed)["y"] for seed in range(1, 9)])
    many = LockstepModel(results.model, results.fit).fit(responses)
    for response, log_likelihood in zip(responses, many.log_likelihood, strict=True):
        alone = mixedlm("y ~ x + (x | g)", wild_value(0).assign(y=response), method="ml")
        assert_allclose(log_likelihood, alone.llf, atol=1e-6)


@pytest.mark.parametrize(
    ("formula", "load"),
    [
        ("Reaction ~ Days + (Days | Subject)", load_sleepstudy),
        ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin),
        ("strength ~ 1 + (1 | batch / cask)", load_pastes),
    ],
)
def test_ordinary_data_are_searched_once(formula, load):
    fit = mixedlm(formula, load()).fit
    assert not is_lopsided(fit.objective().products.factors)


def products(*information: float) -> FactorProducts:
    """Return the products of one effect with this much information in each level."""
    d = np.array(information)
    return FactorProducts(d[None, None], np.zeros((1, 1, len(d))))


def test_lopsided_are_designs_in_which_few_levels_decide():
    assert not is_lopsided([products(*[1.0] * 3)])
    assert is_lopsided([products(1.0, 2.0, 3.0)])
    assert not is_lopsided([products(*np.linspace(1.0, 3.0, 20))])
    assert is_lopsided([products(*[1.0] * 1000, 1e6)])
    assert is_lopsided([products(*[1.0] * 10), products(*[1.0] * 3)])
    # Popularity by Zipf's law is ordinary.
    assert not is_lopsided([products(*(1000.0 * np.arange(1.0, 251.0) ** -0.9))])


def test_the_lattice_reaches_the_scales_of_all_levels():
    joint = JointCovariance((DirectSum((Unstructured(),), (1,)),))
    points = np.abs(lattice(joint, [products(*[1e-4] * 9, 1.0)]))
    assert points.min() < 1.0
    assert points.max() > 1000.0


def test_corners_have_extreme_correlations_and_absent_effects():
    joint = JointCovariance((DirectSum((CompoundSymmetry(),), (3,)),))
    found = corners(joint, np.array([1.0, 2.0, 3.0, 0.5]))
    angles = {round(float(theta[-1]), 6) for theta in found}
    assert {0.0, round(np.pi / 2.0, 6)} <= angles
    assert {tuple(theta[:3] == 0.0) for theta in found} == {
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    }
