"""Group variances very much larger or smaller than the residual one, against exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import RandomInterceptRegressor
from skmixed.covariance import STRUCTURES, DirectSum
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.profiled import ProfiledObjective

from .exact import balanced_one_way, logarithm, profiled_objective

RATIOS = [1e-6, 1e-3, 1.0, 1e3, 1e5, 1e6]


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("ratio", [*RATIOS, 1e8])
def test_balanced_one_way_layout_has_a_closed_form(ratio, reml):
    """Estimates and likelihood of Searle, Casella and McCulloch (1992), sections 3.7 and 3.8."""
    n_groups, size = 12, 5
    rng = np.random.default_rng(5)
    effects = rng.normal(size=n_groups)
    noise = rng.normal(size=(n_groups, size))
    noise -= noise.mean(axis=1, keepdims=True)
    values = ratio * effects[:, None] + noise
    if ratio < 1:
        # Between groups as much as the residual gives, and a little more: tau is small, but not 0.
        effects = (effects - effects.mean()) / effects.std(ddof=not reml)
        mean_square = np.sum(noise**2) / (n_groups * (size - 1))
        correction = 1.0 if reml else n_groups / n_groups
        tau2 = ratio**2 * mean_square
        values = noise + np.sqrt((tau2 + mean_square / size) * correction) * effects[:, None]
        if reml:
            values = noise + np.sqrt(tau2 + mean_square / size) * (
                effects / effects.std(ddof=1)
            )[:, None]
        else:
            values = noise + np.sqrt(tau2 + mean_square / size) * (effects / effects.std())[:, None]
    between, within = balanced_one_way(values.tolist())
    sigma2 = within / (n_groups * (size - 1))
    total = between / (n_groups - 1 if reml else n_groups)
    tau2 = (total - sigma2) / size
    assert tau2 > 0
    n, nu = n_groups * size, n_groups * size - reml
    expected = (
        nu * (1.0 + math.log(2.0 * math.pi))
        + n_groups * (size - 1) * logarithm(sigma2)
        + n_groups * logarithm(total)
        + reml * (math.log(n) - logarithm(total))
    )
    model = RandomInterceptRegressor(method="reml" if reml else "ml", tol=1e-9).fit(
        np.empty((n, 0)), values.ravel(), groups=np.repeat(np.arange(n_groups), size)
    )
    assert model.converged_
    assert_allclose(-2.0 * model.log_likelihood_, expected, rtol=1e-9)
    # y has one part in 1e16, so that sigma^2 has one in 1e16 * ratio.
    assert_allclose(model.residual_variance_, float(sigma2), rtol=max(1e-9, 1e-15 * ratio))
    # tau^2 is a difference of mean squares: below ratio 1 it has one part in 1e16 / ratio^2.
    assert_allclose(model.group_variance_, float(tau2), rtol=max(1e-7, 1e-14 / ratio**2), atol=1e-12)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("theta", RATIOS)
@pytest.mark.parametrize("name", STRUCTURES)
def test_objective_with_slopes_equals_exact_arithmetic(name, theta, reml):
    """Intercepts and slopes in groups of 1, 2, 4 and 6 rows, of numbers with a few binary digits."""
    rng = np.random.default_rng(11)
    codes = np.repeat(np.arange(4), [1, 2, 4, 6])
    n = len(codes)
    x = rng.integers(-16, 17, n) / 8.0
    y = rng.integers(-64, 65, n) / 16.0 + 2.0 * codes
    structure = DirectSum((STRUCTURES[name],), (2,))
    parameters = theta * np.array([1.0, 0.25, 0.5])[: structure.n_parameters]
    factor = structure.factor(parameters)
    Psi = [[_dot(a, b) for b in factor] for a in factor]
    Z = [[Fraction(1), Fraction(v)] for v in x]
    V = [
        [
            Fraction(i == j)
            + (_form(Z[i], Psi, Z[j]) if codes[i] == codes[j] else Fraction(0))
            for j in range(n)
        ]
        for i in range(n)
    ]
    expected = profiled_objective(Z, [Fraction(v) for v in y], V, reml=reml)
    columns = np.vstack([np.ones(n), x])
    A = np.vstack([columns, y])
    products = CrossProducts(n, 0.0, A @ A.T, factor_products(columns, A, codes, 4))
    at = ProfiledObjective(products, structure, reml=reml)(parameters)
    assert_allclose(at.value, expected, rtol=1e-11)


def _dot(left: np.ndarray, right: np.ndarray) -> Fraction:
    return sum((Fraction(a) * Fraction(b) for a, b in zip(left, right, strict=True)), Fraction(0))


def _form(left: list[Fraction], matrix: list[list[Fraction]], right: list[Fraction]) -> Fraction:
    return sum(
        (a * m * b for a, row in zip(left, matrix, strict=True) for m, b in zip(row, right, strict=True)),
        Fraction(0),
    )
