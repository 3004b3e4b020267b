"""Derivatives of the objective in the cross-products, against differences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts, factor_products
from skmixed.likelihood.product_derivatives import ProductDerivatives, ProductShape
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

N, N_LEVELS, N_COLUMNS = 40, 5, 3
CODES = np.random.default_rng(0).integers(0, N_LEVELS, N)
STEP = 1e-5


class Model:
    """The objective as a function of its products, in one array."""

    def __init__(self, k: int, *, reml: bool, sigma2: float | None, counted: bool) -> None:
        rng = np.random.default_rng(1)
        self.k, self.reml, self.sigma2 = k, reml, sigma2
        self.counts = rng.uniform(1.0, 2.0, N_LEVELS) if counted else None
        self.shape = ProductShape(N_COLUMNS, k, N_LEVELS if k else 0)
        terms = (DirectSum((Unstructured(),), (k,)),) if k else ()
        self.covariance = JointCovariance(terms)
        self.theta = rng.normal(size=self.covariance.n_parameters)
        A, Z = rng.normal(size=(N_COLUMNS, N)), rng.normal(size=(k, N))
        self.products = self.flat(A, Z)
        roots = np.sqrt(rng.uniform(size=(4, N)))
        self.directions = np.array([self.flat(A * root, Z * root) for root in roots])

    def flat(self, A: np.ndarray, Z: np.ndarray) -> np.ndarray:
        counted = A if self.counts is None else A * self.counts[CODES]
        parts = [counted @ A.T]
        if self.k:
            factor = factor_products(Z, A, CODES, N_LEVELS)
            parts += [factor.ZtWZ, factor.ZtWA]
        return np.concatenate([part.ravel() for part in parts])

    def at(self, flat: np.ndarray) -> tuple[ObjectiveValue, ProductDerivatives]:
        AtWA, ZtWZ, ZtWA = self.shape.split(flat)
        factors = (FactorProducts(ZtWZ, ZtWA, self.counts),) if self.k else ()
        products = CrossProducts(float(N), 0.0, AtWA, factors)
        objective = ProfiledObjective(products, self.covariance, reml=self.reml, sigma2=self.sigma2)
        at = objective(self.theta)
        errors = objective.kernel.errors(at.whitened, self.covariance.relative_factors(self.theta))
        return at, ProductDerivatives(
            products,
            errors,
            objective.mixing(at.solution),
            reml=int(self.reml),
            nu=objective.nu if self.sigma2 is None else math.inf,
            precision=1.0 / at.solution.sigma2,
        )

    def differences(self, function) -> np.ndarray:
        ends = [
            (self.at(self.products + h), self.at(self.products - h)) for h in STEP * self.directions
        ]
        return np.array([(function(*a) - function(*b)) / (2.0 * STEP) for a, b in ends])


CASES = list(itertools.product([0, 1, 2], [False, True], [None, 0.7], [False, True]))


@pytest.fixture(params=CASES, ids=str)
def model(request) -> Model:
    k, reml, sigma2, counted = request.param
    return Model(k, reml=reml, sigma2=sigma2, counted=counted)


def test_gradient(model):
    found = model.directions @ model.at(model.products)[1].gradient()
    assert_allclose(found, model.differences(lambda at, _: at.value), rtol=1e-7)


def test_second_derivatives(model):
    hessian, changes = model.at(model.products)[1].second(model.directions)
    assert hessian.shape == (4, 4)
    assert changes.shape == (4, model.k, model.k)
    expected = model.differences(lambda _, one: model.directions @ one.gradient())
    assert_allclose(hessian, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


def test_changes_of_the_score(model):
    if not model.k:
        return
    _, changes = model.at(model.products)[1].second(model.directions)
    block = model.covariance.factors[0]
    half = block.factor_derivative(model.theta) @ block.factor(model.theta).T
    dPsi = half + half.swapaxes(1, 2)
    found = np.einsum("mqr,tqr->mt", changes, dPsi)
    expected = model.differences(lambda at, _: at.gradient)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


def test_moved_is_the_change_of_what_the_fixed_effects_are_solved_from(model):
    at, derivatives = model.at(model.products)
    moved = derivatives.moved(model.directions)
    R_X = at.solution.R_X
    found = R_X.T @ moved[:, :-1, :-1] @ R_X
    expected = model.differences(lambda at, _: at.solution.R_X.T @ at.solution.R_X)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    r2 = model.differences(lambda at, _: at.solution.r2)
    assert_allclose(moved[:, -1, -1], r2, rtol=1e-6)
