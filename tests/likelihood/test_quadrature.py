"""Adaptive quadrature: brute-force integrals, the gradient, Laplace's approximation as one node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.families.reading import family_from
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.laplace import Laplace
from skmixed.likelihood.quadrature import Quadrature, check_quadrature
from skmixed.likelihood.responses import Responses

N_GROUPS, N = 4, 24
FAMILIES = [
    ("binomial", "logit"),
    ("binomial", "cauchit"),
    ("poisson", "log"),
    ("negative_binomial", "log"),
    ("gamma", "log"),
    ("beta", "logit"),
    ("gaussian", "identity"),
]


def covariance_of(*sizes: int) -> JointCovariance:
    return JointCovariance(tuple(DirectSum((Unstructured(),), (k,)) for k in sizes))


def made(family: str, link: str, k: int, n_nodes: int) -> tuple[GeneralisedObjective, Any]:
    """Return an objective with weights, and a point."""
    rng = np.random.default_rng(k)
    codes = np.arange(N) % N_GROUPS
    X = np.vstack([np.ones(N), rng.normal(size=N)])
    Z = np.vstack([np.ones(N), rng.normal(size=(k - 1, N))])
    chosen = family_from(family, link)
    omega = [np.full(N, 0.8) for _ in chosen.extra_names]
    y = np.asarray(chosen.simulate(0.3 + 0.2 * X[1], omega, rng), float)
    y = np.clip(y, 1e-3, 1.0 - 1e-3) if family == "beta" else y
    rows = EffectRows((Z,), (codes,), (N_GROUPS,))
    responses = Responses(chosen, y, rng.uniform(0.5, 2.0, N))
    covariance = covariance_of(k)
    objective = GeneralisedObjective(
        X,
        Elimination(rows),
        np.zeros(N),
        responses,
        covariance,
        [np.ones((1, N)) for _ in omega],
        criterion=Laplace(rows) if n_nodes == 0 else Quadrature(rows, responses, n_nodes),
    )
    theta = rng.uniform(0.2, 0.7, covariance.n_parameters)
    return objective, np.concatenate([[0.3, 0.2], theta, [0.8 for _ in omega]])


def brute_force(objective: GeneralisedObjective, x: Any) -> float:
    """Integrate each group's likelihood over its effects by SciPy."""
    fixed, extra = objective.predictors(x)
    (L,) = objective.covariance.relative_factors(objective.split(x).theta)
    (Z,), (codes,) = objective.rows.Z, objective.rows.codes
    total = 0.0
    for g in range(N_GROUPS):
        own = codes == g
        responses = Responses(
            objective.responses.family,
            objective.responses.y[own],
            objective.responses.weights[own],  # type: ignore[index]
        )

        def density(*u: float, own: Any = own, responses: Responses = responses) -> float:
            eta = fixed[own] + Z[:, own].T @ (L @ np.array(u))
            at = responses.at(eta, [one[own] for one in extra], full=False)
            return float(np.exp(at.value.sum() - 0.5 * np.dot(u, u)))

        value, _ = integrate.nquad(density, [(-9.0, 9.0)] * len(L), opts={"epsrel": 1e-9})
        total += np.log(value / (2.0 * np.pi) ** (0.5 * len(L)))
    return -2.0 * total


@pytest.mark.parametrize("family", [FAMILIES[0], FAMILIES[2], FAMILIES[4]], ids=str)
def test_one_effect_agrees_with_brute_force(family: tuple[str, str]) -> None:
    objective, x = made(*family, 1, 31)
    assert_allclose(objective.value(x), brute_force(objective, x), rtol=1e-9)


def test_two_effects_agree_with_brute_force() -> None:
    objective, x = made("binomial", "logit", 2, 15)
    assert_allclose(objective.value(x), brute_force(objective, x), rtol=1e-7)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_gradient_is_that_of_the_value(family: tuple[str, str], k: int) -> None:
    for n_nodes in (2, 3):
        objective, x = made(*family, k, n_nodes)
        differences = [
            (objective.value(x + move) - objective.value(x - move)) / 2e-5
            for move in 1e-5 * np.eye(len(x))
        ]
        assert_allclose(objective(x).gradient, differences, rtol=1e-6, atol=1e-6)


def test_one_node_is_the_approximation_of_laplace() -> None:
    one, x = made("poisson", "log", 2, 1)
    laplace, _ = made("poisson", "log", 2, 0)
    assert_allclose(one.value(x), laplace.value(x), rtol=1e-13)
    assert_allclose(one(x).gradient, laplace(x).gradient, rtol=1e-9, atol=1e-9)


def test_nodes_do_not_depend_on_the_root_of_the_covariance() -> None:
    """Signs of columns of Lambda, and origins of slopes, leave the model as it is."""
    objective, x = made("binomial", "logit", 2, 3)
    turned = x.copy()
    turned[2:4] *= -1.0
    assert_allclose(objective.value(turned), objective.value(x), rtol=1e-12)


def test_blocks_of_nodes_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, x = made("negative_binomial", "log", 2, 3)
    expected = whole(x)
    monkeypatch.setattr("skmixed.likelihood.quadrature.AT_ONCE", 2 * N)
    parts, _ = made("negative_binomial", "log", 2, 3)
    assert len(parts.integral.blocks) == 5  # type: ignore[attr-defined]
    assert_allclose(parts(x).value, expected.value, rtol=1e-13)
    assert_allclose(parts(x).gradient, expected.gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("n", "covariance", "error", "words"),
    [
        (0, covariance_of(1), ValueError, "at least 1"),
        (2.0, covariance_of(1), TypeError, "integer"),
        (True, covariance_of(1), TypeError, "integer"),
        (5, covariance_of(1, 1), ValueError, "single grouping factor"),
        (5, covariance_of(4), ValueError, "up to 3 random effects"),
    ],
)
def test_impossible_numbers_of_nodes_are_refused(
    n: Any, covariance: JointCovariance, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_quadrature(n, covariance)


def test_one_node_needs_nothing() -> None:
    check_quadrature(1, covariance_of(4, 1))
    check_quadrature(np.int64(4), covariance_of(3))
