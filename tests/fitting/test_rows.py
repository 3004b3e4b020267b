"""Cross-products of rows at given weights, correlations and responses, against dense matrices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import mixedlm
from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.datasets import load_sleepstudy
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.groups import factorise
from skmixed.design.weights import DiagonalWhitening, Weights, Whitening
from skmixed.fitting.assemble import conditional_residuals
from skmixed.fitting.rows import ModelRows
from skmixed.fitting.standardise import standardised, standardised_rows

RNG = np.random.default_rng(3)
N, N_LEVELS = 40, 6
X = RNG.normal(size=(N, 2))
Y = RNG.normal(size=N)
WEIGHTS = RNG.uniform(0.5, 2.0, N)
CODES = (np.arange(N) % N_LEVELS, np.arange(N) % 3)
COVARIANCE = JointCovariance(
    (DirectSum((Unstructured(),), (2,)), DirectSum((Unstructured(),), (1,)))
)


@dataclass(frozen=True)
class Triangular:
    """Whiten by a matrix, as residuals that are correlated within levels do."""

    root: np.ndarray

    @property
    def log_determinant(self) -> float:
        return -2.0 * float(np.log(self.root.diagonal()).sum())

    def apply(self, columns):
        return columns @ self.root.T


def correlated() -> Whitening:
    R = 0.6 ** np.abs(np.subtract.outer(np.arange(N), np.arange(N)))
    R[np.not_equal.outer(CODES[0], CODES[0])] = 0.0
    return Triangular(np.linalg.inv(np.linalg.cholesky(R)))


def design_of(weights: Weights, n_factors: int = 2) -> Design:
    ones = np.ones((N, 1))
    columns = [(np.hstack([ones, X[:, :1]]), ("Intercept", "x")), (ones, ("Intercept",))]
    blocks = tuple(
        RandomBlock(factorise(CODES[i], f"g{i}"), Z, (TermLayout(names),))
        for i, (Z, names) in enumerate(columns[:n_factors])
    )
    return Design(Y, X, ("x", "z"), True, blocks, weights=weights)


def rows_of(weights: Weights, n_factors: int = 2) -> ModelRows:
    covariance = COVARIANCE.of_factors(range(n_factors))
    return standardised(design_of(weights, n_factors), covariance)[1].plain


def spread(Z: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the columns of Z, (k, n), over the levels, effect by effect."""
    levels = codes[:, None] == np.arange(codes.max() + 1)
    return np.hstack([column[:, None] * levels for column in Z])


def test_rows_without_weights_are_not_copied():
    rows = rows_of(Weights())
    white = rows.whitened()
    assert white.A is rows.A
    assert all(a is b for a, b in zip(white.Z, rows.Z, strict=True))
    assert rows.products().sum_log_weights == 0.0


def test_columns_are_kept_without_weights():
    """So that products at other weights need nothing but these weights."""
    rows = rows_of(Weights(WEIGHTS))
    assert_array_equal(rows.A[0], np.ones(N))
    assert_array_equal(rows.Z[1], np.ones((1, N)))
    relative = WEIGHTS / WEIGHTS.mean()
    assert_allclose(rows.products().AtWA, (rows.A * relative) @ rows.A.T, atol=1e-12)
    assert_allclose(rows.products().sum_log_weights, np.log(relative).sum())


@pytest.mark.parametrize("whitening", [correlated(), DiagonalWhitening(np.sqrt(WEIGHTS), 3.0)])
@pytest.mark.parametrize("response", [None, np.arange(float(N))])
def test_products_are_those_of_dense_matrices(whitening, response):
    rows = rows_of(Weights(), n_factors=1)
    products = rows.products(whitening, response)
    root = whitening.apply(np.eye(N)).T
    A = root @ (rows.A.T if response is None else np.column_stack([rows.A[:-1].T, response]))
    Z = root @ spread(rows.Z[0], CODES[0])
    (part,) = products.factors
    sums = (Z.T @ A).reshape(2, N_LEVELS, A.shape[1])
    squares = (Z.T @ Z).reshape(2, N_LEVELS, 2, N_LEVELS)
    assert_allclose(products.AtWA, A.T @ A, atol=1e-10)
    assert_allclose(part.ZtWA, sums.transpose(2, 0, 1), atol=1e-10)
    assert_allclose(part.ZtWZ, np.einsum("igjg->ijg", squares), atol=1e-10)
    assert products.sum_log_weights == -whitening.log_determinant


def test_correlations_beside_weights_are_whitened_after_them():
    """Var(e) = sigma^2 W^-1/2 C W^-1/2, with C the correlations."""
    rows, correlations = rows_of(Weights(WEIGHTS), n_factors=1), correlated()
    products = rows.whitened().whitened(correlations).products()
    root = correlations.root * np.sqrt(WEIGHTS / WEIGHTS.mean())
    R = np.linalg.inv(root.T @ root)
    assert_allclose(products.AtWA, rows.A @ np.linalg.solve(R, rows.A.T), atol=1e-9)
    assert_allclose(products.sum_log_weights, -np.linalg.slogdet(R)[1])
    assert_allclose(products.AtWA, rows.products(Triangular(root)).AtWA, atol=1e-9)


@pytest.mark.parametrize("weights", [Weights(), Weights(WEIGHTS), Weights(WEIGHTS, "frequency")])
def test_another_response_renews_only_what_depends_on_it(weights):
    white = rows_of(weights).whitened()
    y = RNG.normal(size=N)
    renewed = white.with_response(y).renewed(white.products())
    whole = white.with_response(y).products()
    assert_allclose(renewed.AtWA, whole.AtWA, atol=1e-12)
    for one, other in zip(renewed.factors, whole.factors, strict=True):
        assert_allclose(one.ZtWA, other.ZtWA, atol=1e-12)
        assert_allclose(one.ZtWZ, other.ZtWZ)


def test_groups_that_count_twice_are_there_twice():
    codes = factorise(CODES[0], "g").codes
    groups = np.array([1.0, 2.0, 1.0, 2.0, 1.0, 1.0])
    weights = Weights(WEIGHTS, "frequency", groups, codes)
    rows = rows_of(weights, n_factors=1)
    counts = WEIGHTS * groups[codes]
    assert_allclose(rows.products().AtWA, (rows.A * counts) @ rows.A.T, atol=1e-12)
    assert rows.products().n_rows == pytest.approx(counts.sum())
    (mean_square,) = rows.mean_squares()
    assert_allclose(mean_square, (rows.Z[0] * counts) @ rows.Z[0].T / counts.sum())


def test_rows_of_a_fit_give_its_products_and_residuals():
    data = load_sleepstudy()
    weights = np.tile([1.0, 2.0, 4.0], 60)
    results = mixedlm("Reaction ~ Days + (Days | Subject)", data, weights=weights)
    fit, design = results.fit, results.model.design
    white = standardised_rows(design, fit.coordinates).whitened()
    assert_allclose(white.products().AtWA, fit.products.AtWA, atol=1e-10)
    in_units = conditional_residuals(fit, white) * fit.coordinates.sigma_unit / np.sqrt(weights)
    assert_allclose(in_units, results.resid, atol=1e-9)


def test_sigma_at_mean_weight_does_not_depend_on_the_size_of_weights():
    data = load_sleepstudy()
    weights = np.tile([1.0, 2.0, 4.0], 60)
    one, four = (
        mixedlm("Reaction ~ Days + (Days | Subject)", data, weights=c * weights).fit for c in (1, 4)
    )
    assert four.sigma == pytest.approx(2.0 * one.sigma)
    assert four.working_sigma == pytest.approx(one.working_sigma)
    assert four.standardised_sigma == pytest.approx(one.standardised_sigma)
    effects = four.random[0]
    assert_allclose(effects.relative_matrix @ effects.standardised_factor, effects.relative_factor)
    scaled = replace(effects, weight_scale=1.0)
    assert scaled.working_sigma == pytest.approx(four.sigma)


@pytest.mark.parametrize("kind", ["precision", "frequency"])
def test_some_rows_are_those_rows_of_the_whole(kind):
    rows, some = rows_of(Weights(WEIGHTS, kind)), np.arange(0, N, 3)
    white, chosen = rows.whitened(), rows.select(some).whitened()
    assert_allclose(chosen.A, white.A[:, some], rtol=1e-14)
    for columns, whole in zip(chosen.Z, white.Z, strict=True):
        assert_allclose(columns, whole[:, some], rtol=1e-14)
    expected = -np.log(WEIGHTS[some] / WEIGHTS.mean()).sum() if kind == "precision" else 0.0
    assert chosen.log_determinant == pytest.approx(expected, rel=1e-12)
