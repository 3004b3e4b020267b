"""Group variances very much larger or smaller than the residual one, against exact arithmetic."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning
from skmixed.covariance import STRUCTURES, CompoundSymmetry, DirectSum, JointCovariance
from skmixed.likelihood.crossproducts import CrossProducts, factor_products
from skmixed.likelihood.profiled import ProfiledObjective

from .exact import balanced_one_way, logarithm, profiled_objective

pytestmark = pytest.mark.exhaustive(5)

RATIOS = [1e-3, 1e-2, 1.0, 1e3, 1e5, 1e6]
COVARIANCES = [*STRUCTURES, CompoundSymmetry(equal_variances=True)]


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("ratio", RATIOS)
def test_balanced_one_way_layout_has_a_closed_form(ratio, reml):
    """Estimates and likelihood of Searle, Casella and McCulloch (1992), sections 3.7 and 3.8."""
    values = one_way_data(ratio, reml=reml)
    n_groups, size = values.shape
    between, within = balanced_one_way(values.tolist())
    sigma2 = within / (n_groups * (size - 1))
    total = between / (n_groups - reml)
    tau2 = (total - sigma2) / size
    assert_allclose(math.sqrt(tau2 / sigma2), ratio, rtol=1e-3)
    n = n_groups * size
    expected = (
        (n - reml) * (1.0 + math.log(2.0 * math.pi))
        + n_groups * (size - 1) * logarithm(sigma2)
        + n_groups * logarithm(total)
        + reml * (math.log(n) - logarithm(total))
    )
    model = RandomInterceptRegressor(method="reml" if reml else "ml", tol=1e-9).fit(
        np.empty((n, 0)), values.ravel(), groups=np.repeat(np.arange(n_groups), size)
    )
    assert model.converged_
    assert_allclose(-2.0 * model.log_likelihood_, expected, rtol=1e-10)
    # The numbers that y is stored in tell sigma from rounding less well as the ratio grows ...
    assert_allclose(model.residual_variance_, float(sigma2), rtol=max(1e-10, 1e-14 * ratio))
    # ... and the standard error of theta is proportional to 1 / theta as the ratio vanishes.
    assert_allclose(model.group_variance_, float(tau2), rtol=max(1e-9, 1e-10 / ratio**2))


@pytest.mark.parametrize("reml", [False, True])
def test_a_ratio_of_zero_within_rounding(reml):
    """The mean squares are equal: the likelihood is flat to third order at tau = 0."""
    values = one_way_data(0.0, reml=reml)
    model = RandomInterceptRegressor(method="reml" if reml else "ml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        model.fit(np.empty((60, 0)), values.ravel(), groups=np.repeat(np.arange(12), 5))
    assert model.converged_
    assert model.group_variance_ < 1e-6 * model.residual_variance_
    assert_allclose(model.intercept_, values.mean(), atol=1e-14)
    sigma2 = np.sum((values - values.mean()) ** 2) / (60 - reml)
    assert_allclose(model.residual_variance_, sigma2, rtol=1e-6)


def one_way_data(ratio: float, *, reml: bool) -> np.ndarray:
    """Return 12 groups of 5 whose estimated standard deviations have a given ratio."""
    rng = np.random.default_rng(5)
    effects, noise = rng.normal(size=12), rng.normal(size=(12, 5))
    effects = (effects - effects.mean()) / effects.std(ddof=int(reml))
    noise -= noise.mean(axis=1, keepdims=True)
    sigma2 = np.sum(noise**2) / 48
    return noise + np.sqrt(sigma2 * (ratio**2 + 0.2)) * effects[:, None]


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("ratio", [1.0, 1e3, 1e5, 1e6])
@pytest.mark.parametrize("name", COVARIANCES, ids=str)
def test_likelihood_with_slopes_equals_exact_arithmetic(name, ratio, method):
    """Intercepts and slopes in groups of 1, 2, 4, 6, 3 and 5 rows; Psi is the estimated one."""
    rng = np.random.default_rng(11)
    codes = np.repeat(np.arange(6), [1, 2, 4, 6, 3, 5])
    n = len(codes)
    x = rng.integers(-16, 17, n) / 8.0
    effects = ratio * rng.normal(size=(2, 6))[:, codes]
    y = effects[0] + effects[1] * x + rng.normal(size=n)
    if name == "ar1":  # It takes no intercept: the column of ones is a column of X.
        model = MixedLM(random_slopes=[0, 1], random_intercept=False, fit_intercept=False)
        X = np.column_stack([np.ones(n), x])
    else:
        model, X = MixedLM(random_slopes=0), x[:, None]
    model.set_params(covariance=name, method=method).fit(X, y, groups=codes)
    assert model.converged_
    root = model.lmm_fit_.random[0].relative_factor
    Psi = [[_dot(a, b) for b in root] for a in root]
    Z = [[Fraction(1), Fraction(value)] for value in x]
    V = [
        [
            Fraction(i == j) + (_form(Z[i], Psi, Z[j]) if codes[i] == codes[j] else 0)
            for j in range(n)
        ]
        for i in range(n)
    ]
    expected = profiled_objective(Z, [Fraction(v) for v in y], V, reml=method == "reml")
    assert_allclose(-2.0 * model.log_likelihood_, expected, rtol=1e-9)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("theta", RATIOS)
def test_objective_of_scattered_rows_loses_only_what_theta_squared_costs(theta, reml):
    """Far from the optimum, from sums alone: X'V^-1 X is a part theta^-2 of X'X."""
    rng = np.random.default_rng(11)
    codes = np.repeat(np.arange(4), [1, 2, 4, 6])
    x, y = rng.integers(-16, 17, 13) / 8.0, rng.integers(-64, 65, 13) / 16.0
    structure = DirectSum((STRUCTURES["diagonal"],), (2,))
    parameters = np.array([1.0, 0.5]) * theta
    Psi = [[_dot(a, b) for b in np.diag(parameters)] for a in np.diag(parameters)]
    Z = [[Fraction(1), Fraction(value)] for value in x]
    V = [
        [
            Fraction(i == j) + (_form(Z[i], Psi, Z[j]) if codes[i] == codes[j] else 0)
            for j in range(13)
        ]
        for i in range(13)
    ]
    expected = profiled_objective(Z, [Fraction(v) for v in y], V, reml=reml)
    columns = np.vstack([np.ones(13), x])
    A = np.vstack([columns, y])
    products = CrossProducts(13, 0.0, A @ A.T, (factor_products(columns, A, codes, 4),))
    at = ProfiledObjective(products, JointCovariance((structure,)), reml=reml)(parameters)
    assert_allclose(at.value, expected, rtol=0, atol=1e-11 + 1e-14 * theta**2)


def _dot(left: np.ndarray, right: np.ndarray) -> Fraction:
    return sum((Fraction(a) * Fraction(b) for a, b in zip(left, right, strict=True)), Fraction(0))


def _form(left: list[Fraction], matrix: list[list[Fraction]], right: list[Fraction]) -> Fraction:
    return sum(
        (
            a * m * b
            for a, row in zip(left, matrix, strict=True)
            for m, b in zip(row, right, strict=True)
        ),
        Fraction(0),
    )
