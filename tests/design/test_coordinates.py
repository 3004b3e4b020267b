"""Standardised columns: regular maps, aliased columns, and minimum-norm coefficients."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed.design.coordinates import aliased_rows, random_coordinates, standardise_fixed
from skmixed.design.design import RandomBlock, TermLayout
from skmixed.design.groups import factorise


def some_columns(n=50, p=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p)) * [1e6, 1e-6, 1.0, 3.0] + [5, 0, 1e4, -2]


@pytest.mark.parametrize("intercept", [False, True])
def test_standardised_coefficients_describe_the_same_mean(intercept):
    X = some_columns()
    coordinates, rows = standardise_fixed(X, intercept=intercept)
    assert_allclose(rows, coordinates.transform(X), rtol=1e-12, atol=1e-12)
    standardised = np.random.default_rng(1).normal(size=coordinates.n_coefficients)
    coefficients = coordinates.matrix @ standardised
    full = np.column_stack([np.ones(50), X]) if intercept else X
    assert_allclose(full @ coefficients, standardised @ rows, rtol=1e-8, atol=1e-8)
    assert_allclose(np.sqrt(np.mean(rows**2, axis=1)), 1.0, rtol=1e-8)


@pytest.mark.parametrize("intercept", [False, True])
def test_log_volume_is_the_determinant_of_the_map(intercept):
    coordinates, _ = standardise_fixed(some_columns(), intercept=intercept)
    assert_allclose(coordinates.log_volume, np.linalg.slogdet(coordinates.matrix)[1], rtol=1e-10)


@pytest.mark.parametrize(
    ("columns", "aliased"),
    [
        (lambda X: np.column_stack([X, X[:, 0]]), [0, 0, 0, 0, 1]),
        (lambda X: np.column_stack([X[:, 0], X[:, 0] * 1e9 - 3, X[:, 1]]), [0, 1, 0]),
        (
            lambda X: np.column_stack([np.full(50, 0.1), X[:, :2], X[:, 0] + X[:, 1] * 1e12]),
            [1, 0, 0, 1],
        ),
        (lambda X: np.column_stack([np.zeros(50), X[:, 2]]), [1, 0]),
        (lambda X: np.column_stack([X[:, 0], X[:, 0] * (1 + 1e-5 * X[:, 3])]), [0, 0]),
    ],
    ids=["copy", "multiple", "constant and sum", "zeros", "nearly"],
)
def test_aliased_columns_are_those_that_earlier_ones_explain(columns, aliased):
    coordinates, rows = standardise_fixed(columns(some_columns()), intercept=True)
    assert coordinates.aliased.astype(int).tolist() == aliased
    assert len(rows) == 1 + len(aliased) - sum(aliased)
    assert np.linalg.matrix_rank(rows) == len(rows)
    kept = np.concatenate([[False], coordinates.aliased])
    assert not coordinates.matrix[kept].any()


def test_a_constant_without_an_intercept_is_not_aliased():
    X = np.column_stack([np.full(50, 7.0), some_columns()[:, :2]])
    coordinates, _ = standardise_fixed(X, intercept=False)
    assert not coordinates.aliased.any()
    assert not coordinates.center.any()


def test_more_columns_than_rows_have_coefficients_of_least_norm():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 10)), rng.normal(size=6)
    coordinates, rows = standardise_fixed(X, intercept=False)
    solved = coordinates.matrix @ np.linalg.lstsq(rows.T, y, rcond=None)[0]
    assert_allclose(solved, np.linalg.pinv(X) @ y, atol=1e-12)
    assert not coordinates.aliased.any()


def test_no_columns():
    coordinates, rows = standardise_fixed(np.empty((5, 0)), intercept=True)
    assert rows.tolist() == [[1.0] * 5]
    assert coordinates.matrix.tolist() == [[1.0]]
    assert standardise_fixed(np.empty((5, 0)), intercept=False)[1].shape == (0, 5)


@pytest.mark.parametrize("invariance", ["linear", "diagonal", "scalar"])
def test_random_columns_keep_z_b(invariance):
    rng = np.random.default_rng(2)
    columns = np.column_stack([np.ones(30), rng.normal(size=(30, 2)) * [1e4, 1e-3] + 7])
    block = RandomBlock(
        factorise(np.arange(30) % 5, "g"), columns, (TermLayout(("Intercept", "a", "b")),)
    )
    coordinates = random_coordinates(block, (invariance,))
    effects = rng.normal(size=3)
    standard = coordinates.transform(columns)
    assert_allclose(columns @ (coordinates.matrix @ effects), effects @ standard, rtol=1e-10)
    assert coordinates.center.any() == (invariance == "linear")
    if invariance == "scalar":
        assert coordinates.scale[1] == coordinates.scale[2]


def test_terms_are_standardised_apart():
    rng = np.random.default_rng(3)
    columns = np.column_stack([np.ones(30), rng.normal(size=(30, 2)) + 7])
    terms = (TermLayout(("Intercept",)), TermLayout(("a", "b")))
    block = RandomBlock(factorise(np.arange(30) % 5, "g"), columns, terms)
    coordinates = random_coordinates(block, ("linear", "linear"))
    assert not coordinates.center.any()
    matrix = coordinates.matrix
    assert not matrix[0, 1:].any()


@pytest.mark.parametrize("offset", [0.0, 50.0, 1e6])
def test_more_columns_than_rows_have_as_many_directions_as_their_centred_rows(offset):
    X = np.random.default_rng(0).normal(size=(6, 8)) * np.logspace(-3, 3, 8)
    X[3:] = X[:3]
    X[:, [0, 7]] += offset
    coordinates, rows = standardise_fixed(X, intercept=True)
    assert coordinates.basis.shape == (8, 2)
    assert_allclose(rows @ rows.T / 6, np.eye(3), atol=1e-5)
    directions = np.linalg.qr(coordinates.basis)[0]
    volume = np.linalg.slogdet(directions.T @ coordinates.basis)[1]
    assert_allclose(coordinates.log_volume, volume, atol=1e-9)


@pytest.mark.parametrize("tolerance", [1e-7, 1e-11])
def test_aliased_rows_in_blocks_are_those_found_one_by_one(tolerance: float) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(200, 260)) * 10.0 ** rng.integers(-6, 6, size=(200, 1))
    rows[70] = rows[3] - 2.0 * rows[66]
    rows[80] = rows[79]
    rows[150] = 0.0
    rows[190] = rows[:190].sum(axis=0)
    rows[195] = rows[5] + 1e-9 * np.linalg.norm(rows[5]) * rng.normal(size=260) / 16.0
    expected = [70, 80, 150, 190, 195] if tolerance > 1e-9 else [70, 80, 150, 190]
    assert np.flatnonzero(aliased_rows(rows, tolerance)).tolist() == expected
    assert not aliased_rows(np.empty((0, 3))).any()
