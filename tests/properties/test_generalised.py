"""What holds for every generalised model: exact gradients, and answers that know their twins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.families.reading import FAMILIES, family_from
from skmixed.fitting.generalised_estimates import generalised_estimates
from skmixed.fitting.generalised_search import GeneralisedOptimum, measured
from skmixed.fitting.newton import Optimum

from .hard_generalised import hard_generalised, model_of

STRUCTURES = {
    "unstructured": "(x | g)",
    "diagonal": "(x || g)",
    "categories": "diag(0 + f | g)",
    "compound symmetry": "cs(0 + f | g)",
    "autoregression": "ar1(0 + f | g)",
    "nested": "(1 | above/g)",
    "crossed": "(1 | g) + (0 + x | crossed)",
}
LINKS = [
    (name, link().name)
    for name, family in FAMILIES.items()
    for link in family.links
    if link().name not in ("inverse", "inverse_squared", "1/mu^2", "sqrt")
]
COMBINED = [(*LINKS[i], list(STRUCTURES)[i % len(STRUCTURES)]) for i in range(len(LINKS))] + [
    ("poisson", "log", structure) for structure in STRUCTURES
]


def rows(n_groups: int = 12, n: int = 96) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    g = np.arange(n) % n_groups
    return pd.DataFrame(
        {
            "g": g,
            "above": g // 3,
            "crossed": rng.integers(0, 4, n),
            "x": rng.normal(size=n),
            "f": rng.choice(["a", "b", "c"], n),
            "effect": rng.normal(size=n_groups)[g],
        }
    )


def drawn(family: Any, data: pd.DataFrame, level: float, scale: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    eta = level + scale * (0.3 * data["x"] + 0.6 * data["effect"]).to_numpy()
    y = np.asarray(family.simulate(eta, [np.zeros(len(eta)) for _ in family.extra_names], rng))
    y = np.clip(y, 1e-4, 1.0 - 1e-4) if family.name == "beta" else y.astype(float)
    return data.assign(y=y)


@pytest.mark.parametrize(("name", "link", "structure"), COMBINED)
def test_the_gradient_is_that_of_the_value(name: str, link: str, structure: str) -> None:
    family = family_from(name, link)
    identity = link == "identity" and name != "gaussian"
    level, scale = (6.0, 0.3) if identity else (0.2, 1.0)
    data = drawn(family, rows(), level, scale)
    _, objective = model_of(f"y ~ x + {STRUCTURES[structure]}", data, family).objective()
    x = np.concatenate(
        [
            [level, 0.2],
            np.linspace(0.2, 0.5, objective.n_theta),
            [0.3 for _ in family.extra_names],
        ]
    )
    differences = [
        (objective.value(x + move) - objective.value(x - move)) / 2e-5
        for move in 1e-5 * np.eye(len(x))
    ]
    assert_allclose(objective(x).gradient, differences, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("term", ["(1 | g)", "(x | g)", "(1 | g) + (0 + x | g)"])
def test_a_gaussian_identity_is_the_linear_model_by_maximum_likelihood(term: str) -> None:
    data = drawn(family_from("gaussian", None), rows(), 0.5)
    fit = model_of(f"y ~ x + {term}", data, family_from("gaussian", None)).fit()
    linear = mixedlm(f"y ~ x + {term}", data, method="ml").fitted_model.fit
    assert_allclose(fit.log_likelihood, linear.log_likelihood, rtol=1e-9)
    assert_allclose(fit.fixed.coefficients, linear.fixed.coefficients, atol=1e-7)
    assert_allclose(np.exp(fit.extra[0].coefficients[0]), linear.sigma**2, rtol=1e-6)
    for one, other in zip(fit.random, linear.random, strict=True):
        assert_allclose(one.effect_covariance, other.effect_covariance, atol=1e-6)


def test_units_and_order_of_rows_make_no_difference() -> None:
    family = family_from("poisson", None)
    data = drawn(family, rows(), 0.2)
    fit = model_of("y ~ x + (x | g)", data, family).fit()
    for scale, shift in ((1e4, 0.0), (1.0, 50.0)):
        moved = data.assign(x=scale * data["x"] + shift).sample(frac=1.0, random_state=1)
        other = model_of("y ~ x + (x | g)", moved, family).fit()
        assert_allclose(other.log_likelihood, fit.log_likelihood, rtol=1e-9)
        assert_allclose(scale * other.fixed.coefficients[1], fit.fixed.coefficients[1], atol=1e-6)


@pytest.mark.parametrize("n_nodes", [1, 5])
def test_trials_are_their_single_rows(n_nodes: int) -> None:
    rng = np.random.default_rng(4)
    data = rows(8, 24)
    trials = rng.integers(1, 6, len(data))
    successes = rng.binomial(trials, 0.4)
    family = family_from("binomial", None)
    counted = model_of(
        "y ~ x + (1 | g)", data.assign(y=successes / trials), family, trials, n_quadrature=n_nodes
    ).fit()
    long = data.loc[data.index.repeat(trials)].assign(
        y=np.concatenate([np.arange(n) < k for n, k in zip(trials, successes, strict=True)]).astype(
            float
        )
    )
    single = model_of("y ~ x + (1 | g)", long, family, n_quadrature=n_nodes).fit()
    binomial = family.normalising(successes / trials, trials.astype(float)).sum()
    assert_allclose(counted.log_likelihood - binomial, single.log_likelihood, rtol=1e-9)
    assert_allclose(counted.fixed.coefficients, single.fixed.coefficients, atol=1e-6)


def test_counts_with_a_level_for_each_total_are_multinomial() -> None:
    """A Poisson model with a coefficient for each total has the conditional logit's slopes."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"unit": np.repeat(np.arange(30), 2), "choice": np.tile([0, 1], 30)})
    data["g"] = data["unit"] % 6
    data["x"] = rng.normal(size=60)
    first = rng.binomial(9, 0.5, 30)
    data["y"] = np.column_stack([first, 9 - first]).ravel().astype(float)
    data["z"] = data["choice"] * data["x"] - (1 - data["choice"]) * data["x"]
    wide = data[data["choice"] == 1]
    other = data[data["choice"] == 0]["x"].to_numpy()
    pairs = pd.DataFrame({"y": wide["y"] / 9.0, "g": wide["g"], "d": wide["x"].to_numpy() - other})
    logit = model_of(
        "y ~ d + (1 | g)", pairs, family_from("binomial", None), np.full(30, 9.0)
    ).fit()
    poisson = model_of(
        "y ~ choice + x + C(unit) + (0 + choice | g)", data, family_from("poisson", None)
    ).fit()
    names = list(poisson.fixed.names)
    ours = [poisson.fixed.coefficients[names.index(name)] for name in ("choice", "x")]
    assert logit.random[0].effect_covariance[0, 0] < 1e-6
    assert_allclose(ours, logit.fixed.coefficients, atol=1e-5)


def test_an_estimate_on_its_bound_is_held() -> None:
    """No difference of the Hessian crosses the bound, and the others' errors are given it."""
    family = family_from("poisson", None)
    model = model_of("y ~ x + cs(0 + f | g)", drawn(family, rows(), 0.2), family)
    coordinates, objective = model.objective()
    x = np.concatenate([[0.3, 0.2], [0.4, 0.5, 0.0], [0.5]])
    at: Any = objective(x)
    optimum = Optimum(at, True, 1, 0.0, "")
    hessian = measured(objective, optimum)
    inside = x.copy()
    inside[4] = 1e-4
    near = measured(objective, replace(optimum, at=objective(inside)))  # type: ignore[arg-type]
    assert_allclose(hessian[:4, :4], near[:4, :4], rtol=2e-3, atol=2e-2)
    fit = generalised_estimates(model, coordinates, objective, GeneralisedOptimum(optimum, hessian))
    assert not fit.joint.covariance[4].any()
    assert fit.joint.covariance[0, 0] > 0.0


def test_modes_are_found_from_far_away() -> None:
    """A step too far overflows exp(eta); the density must still fall there."""
    sample = hard_generalised(250)
    _, objective = sample.model.objective()
    x = np.array([1.75, 2.0, -0.02, 2.79, 3.48, 0.51, 1.49])
    modes = objective.modes(x)
    assert np.abs(modes.eta).max() < 100.0
    first = np.array(
        [
            objective.responses.family.derivatives(
                np.array([2.0]), np.array([eta]), [np.array([1.0])], full=False
            ).value[0]
            for eta in (300.0, 900.0)
        ]
    )
    assert first[1] < first[0] < 0.0
