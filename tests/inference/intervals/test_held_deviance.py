"""Derivatives of the deviance in each user's parameter, for every structure."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM
from skmixed.covariance import AR1, CompoundSymmetry, Diagonal, Identity, Unstructured
from skmixed.inference.intervals.held_parameters import held_parameter
from skmixed.inference.intervals.linear_maximum import linear_maximum
from skmixed.inference.intervals.model_parameters import model_parameters

pytestmark = pytest.mark.exhaustive(5)

STRUCTURES = [
    Unstructured(),
    Diagonal(),
    Identity(),
    CompoundSymmetry(),
    CompoundSymmetry(equal_variances=True),
    AR1(),
]
COLUMNS = ["a", "b", "c"]


def rows(seed: int = 1, n: int = 300) -> pd.DataFrame:
    """Simulate 25 groups with three correlated effects, crossed with 7 items."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 3)) + np.array([0.0, 1.0, 0.0])
    group, item = np.arange(n) % 25, rng.integers(7, size=n)
    root = np.array([[1.0, 0.0, 0.0], [0.4, 0.9, 0.0], [0.3, 0.5, 0.8]])
    effects = rng.normal(size=(25, 3)) @ root.T
    y = Z @ [1.0, 0.5, 0.0] + np.sum(Z * effects[group], axis=1) + rng.normal(size=n)
    y += 0.7 * rng.normal(size=7)[item]
    return pd.DataFrame(Z, columns=COLUMNS).assign(group=group, item=item, one=1.0, y=y)


def fit_of_structure(structure, *, crossed: bool, intercept: bool = False):
    data = rows()
    slopes = {"group": COLUMNS[: 2 if intercept else 3]} | ({"item": ["one"]} if crossed else {})
    model = MixedLM(
        list(slopes),
        random_slopes=slopes,
        random_intercept=["group"] if intercept else False,
        covariance={"group": structure},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(data.drop(columns="y"), data["y"]).lmm_fit_


def held_of_each(fit):
    best = linear_maximum(fit)
    for parameter in model_parameters(fit):
        if not parameter.identified:
            continue
        held = held_parameter(fit, best, parameter)
        if not held.flat:
            yield best, parameter, held


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_each_parameter_starts_at_the_optimum(structure, crossed):
    fit = fit_of_structure(structure, crossed=crossed)
    for best, parameter, held in held_of_each(fit):
        at = held.deviance(held.optimum)
        assert_allclose(at.value, best.at.value, rtol=1e-11, err_msg=parameter.name)
        assert np.abs(at.gradient).max() < 2e-4, parameter.name


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_derivatives_are_those_of_differences(structure, crossed):
    fit = fit_of_structure(structure, crossed=crossed)
    rng = np.random.default_rng(3)
    for _, parameter, held in held_of_each(fit):
        z = held.optimum + 0.05 * rng.normal(size=len(held.optimum))
        at = held.deviance(z)
        steps = 1e-5 * np.eye(len(z))
        up, down = ([held.deviance(z + s * step) for step in steps] for s in (1.0, -1.0))
        slopes = [(a.value - b.value) / 2e-5 for a, b in zip(up, down, strict=True)]
        assert_allclose(at.gradient, slopes, rtol=1e-5, atol=1e-4, err_msg=parameter.name)
        bends = [(a.gradient - b.gradient) / 2e-5 for a, b in zip(up, down, strict=True)]
        if crossed:  # The curvature in theta is the average information: only the rest is exact.
            continue
        assert_allclose(at.hessian, bends, rtol=1e-4, atol=1e-2, err_msg=parameter.name)


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_held_parameter_has_its_value_in_the_users_units(structure):
    fit = fit_of_structure(structure, crossed=True)
    rng = np.random.default_rng(4)
    for _, parameter, held in held_of_each(fit):
        if parameter.kind not in ("sd", "correlation"):
            continue
        z = held.optimum + 0.02 * rng.normal(size=len(held.optimum))
        at = held.deviance(z)
        effects = fit.random[parameter.place.factor]
        # The deviance depends on theta through Psi only, which the structure gives back.
        covariance = held.deviance.objective.covariance
        parameters, _ = held.deviance.chart(z)
        theta = parameters[: covariance.n_parameters]
        sigma = np.exp(z[-1]) if parameter.kind == "sd" else np.sqrt(at.solution.sigma2)
        Lambda = covariance.relative_factors(theta)[effects.position]
        root = effects.coordinates.matrix @ Lambda * sigma * effects.response_scale
        Psi = root @ root.T
        chosen = Psi[np.ix_(parameter.place.effects, parameter.place.effects)]
        value = np.sqrt(chosen[0, 0])
        if parameter.kind == "correlation":
            value = chosen[0, 1] / np.sqrt(chosen[0, 0] * chosen[1, 1])
        assert_allclose(held.scale.to_user(z[0]), value, rtol=1e-9, err_msg=parameter.name)


def test_centred_columns_do_not_change_what_is_held():
    """With an intercept the columns of Z are centred; the user's intercept is another direction."""
    fit = fit_of_structure(Unstructured(), crossed=False, intercept=True)
    assert fit.random[0].coordinates.center.any()
    names = [parameter.kind for _, parameter, _ in held_of_each(fit)]
    assert names.count("sd") == names.count("correlation") == 3
    for best, parameter, held in held_of_each(fit):
        assert_allclose(held.deviance(held.optimum).value, best.at.value, rtol=1e-11)
        if parameter.kind == "fixed":
            continue
        # The fit is of REML: its estimates are near those of ML, and far from other parameters'.
        estimate = held.scale.to_user(held.optimum[0])
        assert_allclose(estimate, parameter.estimate, rtol=0.1, atol=0.05, err_msg=parameter.name)
