"""The factorisation of M = Lambda'Z'WZ Lambda + I against dense algebra."""

import numpy as np
import pytest
from scipy.linalg import block_diag

from skmixed.likelihood import schur_complement, sparse_pattern
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.penalised_errors import PenalisedErrors
from skmixed.likelihood.penalised_factor import factored

ARRANGEMENTS = {
    "one factor": (("a", 2),),
    "nested": (("a", 2), ("b", 1)),
    "three nested": (("a", 2), ("b", 2), ("c", 1)),
    "crossed": (("a", 1), ("d", 1)),
    "crossed, with slopes": (("a", 2), ("d", 2)),
    "nested and crossed": (("a", 2), ("b", 1), ("d", 2)),
    "crossed, then nested": (("a", 1), ("d", 2), ("b", 2)),
    "two nested, two crossed": (("a", 1), ("b", 2), ("d", 1), ("f", 2)),
    "a coarse one behind": (("a", 1), ("d", 1), ("f", 2), ("c", 1)),
}


def levels_of(rng, n):
    """Return the levels of rows: a in b in c, with d and f across them."""
    a = rng.integers(0, 30, n)
    a[:30] = np.arange(30)
    d, f = rng.integers(0, 7, n), rng.integers(0, 5, n)
    d[:7], f[:5] = np.arange(7), np.arange(5)
    return {"a": a, "b": a // 3, "c": a // 9, "d": d, "f": f}


class Case:
    """Rows of one arrangement, and M as a dense matrix."""

    def __init__(self, arrangement, *, weights=None, n=260, in_order=False):
        self.rng = np.random.default_rng(7)
        levels = levels_of(self.rng, n)
        order = np.argsort(levels["a"], kind="stable") if in_order else np.arange(n)
        codes = tuple(levels[name][order] for name, _ in arrangement)
        Z = tuple(
            np.vstack([np.ones(n), *self.rng.normal(size=(k - 1, n))]) for _, k in arrangement
        )
        self.rows = EffectRows(Z, codes, tuple(int(c.max()) + 1 for c in codes))
        self.factors = [
            np.tril(0.4 * self.rng.normal(size=(k, k))) + 0.5 * np.eye(k) for _, k in arrangement
        ]
        self.weights = self.rng.random(n) if weights is None else weights(self.rng, n)
        self.dense_Z = np.array(
            [
                z * (own == g)
                for columns, own, n_levels in zip(Z, codes, self.rows.n_levels, strict=True)
                for z in columns
                for g in range(n_levels)
            ]
        ).T
        self.Lambda = block_diag(
            *[np.kron(L, np.eye(g)) for L, g in zip(self.factors, self.rows.n_levels, strict=True)]
        )
        ZL = self.dense_Z @ self.Lambda
        self.M = ZL.T @ (self.weights[:, None] * ZL) + np.eye(ZL.shape[1])

    def factored(self):
        return factored(Elimination(self.rows), self.rows.gram(self.weights), self.factors)

    def right(self, m=3):
        return [
            self.rng.normal(size=(m, len(Z), g))
            for Z, g in zip(self.rows.Z, self.rows.n_levels, strict=True)
        ]


def joined(parts):
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("held", ["dense", "sparse"])
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_it_agrees_with_dense_algebra(monkeypatch, name, held, in_order):
    monkeypatch.setattr(sparse_pattern, "DENSE", np.inf if held == "dense" else 0)
    case = Case(ARRANGEMENTS[name], in_order=in_order)
    factored = case.factored()
    assert factored.log_determinant == pytest.approx(np.linalg.slogdet(case.M)[1], rel=1e-12)
    right = case.right()
    expected = np.linalg.solve(case.M, joined(right).T).T
    np.testing.assert_allclose(joined(factored.solve(right)), expected, atol=1e-12)
    inverse = np.linalg.inv(case.M)
    h = case.rows.quadratic(factored.inverse, len(case.weights))
    dense = np.einsum("ni,ij,nj->n", case.dense_Z, inverse, case.dense_Z)
    np.testing.assert_allclose(h, dense, atol=1e-12)


@pytest.mark.parametrize("name", ["one factor", "three nested", "nested and crossed"])
def test_weights_may_be_negative(name):
    def weights(rng, n):
        values = rng.random(n)
        values[:8] = -0.4
        return values

    case = Case(ARRANGEMENTS[name], weights=weights)
    assert np.linalg.eigvalsh(case.M)[0] > 0
    assert case.factored().log_determinant == pytest.approx(np.linalg.slogdet(case.M)[1])


@pytest.mark.parametrize("name", ["one factor", "nested", "crossed"])
def test_an_indefinite_matrix_is_refused(name):
    case = Case(ARRANGEMENTS[name], weights=lambda _, n: np.full(n, -3.0))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        _ = case.factored().log_determinant


@pytest.mark.parametrize("held", ["dense", "sparse"])
def test_large_systems_are_solved_by_conjugate_gradients(monkeypatch, held):
    monkeypatch.setattr(sparse_pattern, "DENSE", np.inf if held == "dense" else 0)
    case = Case(ARRANGEMENTS["two nested, two crossed"])
    monkeypatch.setattr(schur_complement, "LARGE", 1)
    factored = case.factored()
    right = case.right()
    expected = np.linalg.solve(case.M, joined(right).T).T
    solved = joined(factored.solve(right))
    assert "lower" not in factored.schur.__dict__
    np.testing.assert_allclose(solved, expected, rtol=1e-5, atol=1e-6)


def test_the_inverse_is_the_same_in_blocks_of_pairs(monkeypatch):
    case = Case(ARRANGEMENTS["crossed, with slopes"])
    whole = case.factored().inverse
    monkeypatch.setattr(sparse_pattern, "DENSE", 0)
    monkeypatch.setattr(schur_complement, "AT_ONCE", 5)
    parts = case.factored().inverse
    for one, other in zip(whole.own, parts.own, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-14)
    np.testing.assert_allclose(whole.crossed[0, 1], parts.crossed[0, 1], atol=1e-14)


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_errors_of_the_effects(name):
    case = Case(ARRANGEMENTS[name])
    errors = PenalisedErrors.of(case.factored(), case.factors)
    D = case.Lambda @ np.linalg.inv(case.M) @ case.Lambda.T
    roots = errors.parts(case.rows.Z, case.rows.codes)
    covariance = np.zeros((len(case.weights),) * 2)
    for root, codes in roots:
        product = np.asarray(
            (root.T @ root).todense() if hasattr(root, "todense") else root.T @ root
        )
        covariance += product if codes is None else product * (codes[:, None] == codes)
    np.testing.assert_allclose(covariance, case.dense_Z @ D @ case.dense_Z.T, atol=1e-12)
    start = 0
    for own in errors.covariances():
        n_levels, k, _ = own.shape
        block = D[start : start + k * n_levels, start : start + k * n_levels]
        for g in range(n_levels):
            np.testing.assert_allclose(own[g], block[g::n_levels, g::n_levels], atol=1e-12)
        start += k * n_levels


def test_draws_have_the_covariance_of_the_errors():
    case = Case(ARRANGEMENTS["nested and crossed"])
    errors = PenalisedErrors.of(case.factored(), case.factors)
    draws = errors.draws(4000, np.random.default_rng(0))
    for own, drawn in zip(errors.covariances(), draws, strict=True):
        empirical = np.einsum("nga,ngb->gab", drawn, drawn) / len(drawn)
        scale = np.sqrt(np.einsum("gaa->ga", own))
        difference = (empirical - own) / np.einsum("ga,gb->gab", scale, scale)
        assert np.abs(difference).max() < 0.15
