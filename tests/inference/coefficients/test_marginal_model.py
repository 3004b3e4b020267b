"""Information and Kenward-Roger's adjustment of marginal models against dense algebra."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy
from skmixed.inference.coefficients import marginal_model as marginal_module
from skmixed.inference.coefficients.kenward_roger import marginal_kenward_roger
from skmixed.inference.coefficients.marginal_fit import marginal_model
from skmixed.inference.coefficients.marginal_information import (
    marginal_information,
    weighted_products,
)
from skmixed.inference.coefficients.marginal_model import MarginalModel, RandomPart
from skmixed.inference.coefficients.satterthwaite import satterthwaite_of_marginal
from skmixed.residual import AR1, Heterogeneous
from skmixed.residual.learning import learn_residual
from skmixed.residual.natural_covariance import natural_covariance, pattern_keys


class Dense:
    """A marginal model as one dense matrix, a function of all its parameters."""

    def __init__(self, structure, parts, groups, columns, X, y):
        self.learned = learn_residual(structure, columns, groups)
        self.rows = self.learned.rows(columns, groups)
        self.parts, self.groups, self.X, self.y = parts, groups, X, y

    def natural(self, rho, sigma):
        return natural_covariance(self.learned, self.rows, rho, sigma, len(self.y))

    def of_effects(self, part):
        return (part.codes[:, None] == part.codes) * (
            part.columns @ part.covariance @ part.columns.T
        )

    def covariance(self, natural):
        grouped = self.rows.grouped
        order = np.arange(len(self.y)) if grouped is None else grouped.order
        V = np.empty((len(self.y), len(self.y)))
        V[np.ix_(order, order)] = natural.blocks(order[None]).values[0]
        return V + sum(self.of_effects(part) for part in self.parts)

    def slopes(self, natural):
        """Return first and second derivatives of V, those of effects first."""
        grouped = self.rows.grouped
        order = np.arange(len(self.y)) if grouped is None else grouped.order
        back = np.argsort(order)
        blocks = natural.blocks(order[None])
        first = [
            self.of_effects(replace(part, covariance=E))
            for part in self.parts
            for E in part.directions
        ]
        k, own = len(first), blocks.first[:, 0][:, back][:, :, back]
        K = k + len(own)
        second = np.zeros((K, K, len(back), len(back)))
        if blocks.second is not None:
            second[k:, k:] = blocks.second[:, :, 0][:, :, back][:, :, :, back]
        return np.concatenate([np.array(first).reshape(k, *own.shape[1:]), own]), second

    def log_likelihood(self, V, *, reml):
        solved = np.linalg.solve(V, np.column_stack([self.X, self.y]))
        XVX = self.X.T @ solved[:, :-1]
        r = self.y - self.X @ np.linalg.solve(XVX, self.X.T @ solved[:, -1])
        value = np.linalg.slogdet(V)[1] + r @ np.linalg.solve(V, r)
        return -0.5 * (value + reml * np.linalg.slogdet(XVX)[1])

    def model(self, natural):
        V = self.covariance(natural)
        Phi = np.linalg.inv(self.X.T @ np.linalg.solve(V, self.X))
        r = self.y - self.X @ (Phi @ (self.X.T @ np.linalg.solve(V, self.y)))
        grouped = self.rows.grouped
        n = len(self.y)
        groups = np.arange(n) if grouped is None else self.groups
        order = np.arange(n) if grouped is None else grouped.order
        keys = pattern_keys(self.rows, n)
        return MarginalModel(self.X, r, Phi, natural, self.parts, groups, order, keys)


def dense_model(name: str) -> Dense:
    """Return a small model: rows of patients at visits, patients at sites."""
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(9), [3, 2, 3, 3, 1, 3, 2, 3, 3])
    visit = np.concatenate([np.arange(n) for n in np.bincount(patient)])
    by = rng.permutation(len(patient))
    patient, visit = patient[by], visit[by]
    site, n = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])[patient], len(patient)
    columns = {"visit": visit, "arm": np.array(["a", "b"])[patient % 2]}
    Z = np.column_stack([np.ones(n), visit - 1.0])
    E = np.array([[[1.0, 0], [0, 0]], [[0, 1.0], [1.0, 0]], [[0, 0], [0, 1.0]]])
    intercept = RandomPart(Z[:, :1], patient, "patient", np.array([[0.8]]), np.ones((1, 1, 1)))
    slopes = RandomPart(Z, patient, "patient", np.array([[0.8, 0.1], [0.1, 0.3]]), E)
    of_site = RandomPart(Z[:, :1], site, "site", np.array([[0.5]]), np.ones((1, 1, 1)))
    structure, parts = {
        "correlated": (AR1("visit") * Heterogeneous("visit"), ()),
        "intercept": (AR1("visit") * Heterogeneous("visit"), (intercept,)),
        "slopes": (AR1("visit", by="arm"), (slopes,)),
        "nested": (AR1("visit"), (intercept, of_site)),
        "variances": (Heterogeneous("arm"), (slopes,)),
    }[name]
    X = np.column_stack([np.ones(n), visit, patient % 2, visit * (patient % 2)])
    y = X.sum(axis=1) + rng.normal(size=9)[patient] + rng.normal(size=n)
    return Dense(structure, parts, patient, columns, X.astype(float), y)


@pytest.fixture(name="dense", params=["correlated", "intercept", "slopes", "nested", "variances"])
def fixture_of_dense_models(request) -> Dense:
    return dense_model(request.param)


def at_parameters(dense: Dense):
    """Return the natural covariance somewhere."""
    rho = 0.3 * np.random.default_rng(6).normal(size=dense.learned.n_parameters)
    return dense.natural(rho, 1.2)


@pytest.mark.parametrize("reml", [True, False])
def test_score_and_observed_information_are_those_of_the_likelihood(dense, reml):
    natural = at_parameters(dense)
    found = marginal_information(dense.model(natural), reml=reml)
    V = dense.covariance(natural)
    first, second = dense.slopes(natural)
    K, h = len(first), 1e-4

    def value(step):
        moved = V + np.tensordot(step, first, axes=1)
        moved += 0.5 * np.einsum("k,l,klij->ij", step, step, second)
        return dense.log_likelihood(moved, reml=reml)

    e = h * np.eye(K)
    score = [(value(one) - value(-one)) / (2.0 * h) for one in e]
    hessian = [
        [(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4.0 * h * h) for b in e]
        for a in e
    ]
    assert_allclose(found.score, score, atol=1e-6)
    assert_allclose(found.observed, -np.array(hessian), rtol=1e-5, atol=1e-5)


def test_expected_information_and_products_are_those_of_dense_algebra(dense):
    natural = at_parameters(dense)
    model = dense.model(natural)
    first, second = dense.slopes(natural)
    inverse, X = np.linalg.inv(dense.covariance(natural)), dense.X
    P = inverse - inverse @ X @ model.covariance @ X.T @ inverse
    found = marginal_information(model, reml=True)
    moved = P @ first
    assert_allclose(found.expected, 0.5 * np.einsum("kij,lji->kl", moved, moved), atol=1e-10)
    plain = inverse @ first
    expected = 0.5 * np.einsum("kij,lji->kl", plain, plain)
    assert_allclose(marginal_information(model, reml=False).expected, expected, atol=1e-10)
    assert_allclose(found.known, expected.diagonal(), atol=1e-10)
    solved = inverse @ X
    assert_allclose(found.changes, solved.T @ first @ solved, atol=1e-10)
    root = np.random.default_rng(7).normal(size=(len(first), len(first)))
    W = root @ root.T
    Q = np.einsum("kl,kij,jm,lmn->in", W, first, inverse, first, optimize=True)
    R = np.einsum("kl,klij->ij", W, second)
    for second_order in (True, False):
        inner = Q - 0.25 * R * second_order
        assert_allclose(
            weighted_products(model, W, second_order=second_order),
            solved.T @ inner @ solved,
            atol=1e-9,
        )


def test_clusters_of_one_pattern_are_summed_together():
    """Ten copies of the data have ten times the information, from as many patterns."""
    dense = dense_model("intercept")
    natural = at_parameters(dense)
    model = dense.model(natural)
    counts = np.full(len(dense.y), 10.0)
    counted = replace(model, counts=counts, covariance=model.covariance / 10.0)
    one, ten = (marginal_information(each, reml=False) for each in (model, counted))
    assert_allclose(ten.observed, 10.0 * one.observed, rtol=1e-10)
    assert_allclose(ten.changes, 10.0 * one.changes, rtol=1e-10)
    # Complete patients have one covariance, and two lack the last visit.
    assert sorted(batch.rows.shape for batch in model.batches) == [(1, 1, 1), (1, 2, 2), (1, 6, 3)]


def test_large_batches_are_split_and_not_kept(monkeypatch):
    dense = dense_model("slopes")
    natural = at_parameters(dense)
    whole = marginal_information(dense.model(natural), reml=True)
    monkeypatch.setattr(marginal_module, "LARGEST", 1)
    split = dense.model(natural)
    assert all(len(batch.counts) == 1 for batch in split.batches)
    found = marginal_information(split, reml=True)
    assert_allclose(found.observed, whole.observed, rtol=1e-8)


@pytest.mark.parametrize(
    ("formula", "data"),
    [
        ("Reaction ~ Days + (1 | Subject)", load_sleepstudy),
        ("Reaction ~ Days + (Days | Subject)", load_sleepstudy),
        ("strength ~ 1 + (1 | batch) + (1 | sample)", load_pastes),
    ],
)
def test_random_effects_alone_as_pbkrtest_has_them(formula, data):
    results = mixedlm(formula, data())
    usual = results.with_df_method("kenward-roger").tidy()
    model = marginal_model(results.fit, results.model)
    found = marginal_kenward_roger(model, information="expected", second_order=True)
    matrix = results.fit.coordinates.fixed.matrix
    covariance = results.fit.sigma**2 * matrix @ found.covariance @ matrix.T
    assert_allclose(np.sqrt(covariance.diagonal()), usual["se"], rtol=1e-7)
    df = [found.f_test(row[None])[0] for row in matrix]
    assert_allclose(df, usual["df"], rtol=1e-6)


@pytest.mark.parametrize("slopes", ["1", "Days"])
def test_satterthwaite_does_not_depend_on_the_parameters(slopes):
    data = load_sleepstudy().drop(index=range(0, 180, 7))
    weights = 1.0 + np.arange(len(data)) % 3
    for method in ("reml", "ml"):
        results = mixedlm(
            f"Reaction ~ Days + ({slopes} | Subject)", data, weights=weights, method=method
        )
        theory = satterthwaite_of_marginal(results.fit, results.model, "observed")
        assert_allclose(theory.t_df(np.eye(2)), results.tidy()["df"], rtol=1e-5)


def test_observed_information_of_a_model_without_residual_structure():
    """In a balanced design estimates are sums of squares, and both informations agree there."""
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    usual = results.with_df_method("kenward-roger").tidy()
    observed = results.with_df_method("kenward-roger", information="observed").tidy()
    assert_allclose(observed[["se", "df"]], usual[["se", "df"]], rtol=1e-5)
    unbalanced = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy().iloc[:-33])
    usual = unbalanced.with_df_method("kenward-roger").tidy()
    other = unbalanced.with_df_method("kenward-roger", information="observed")
    assert (np.abs(other.tidy()["df"] / usual["df"] - 1.0) > 1e-6).any()
    linear = unbalanced.with_df_method("kenward-roger-linear").tidy()
    assert_allclose(linear[["se", "df"]], usual[["se", "df"]])


def test_crossed_factors_leave_no_independent_clusters():
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    with pytest.raises(ValueError, match=r"independent clusters.*'plate'.*'sample'.*crossed"):
        results.with_df_method("kenward-roger", information="observed").tidy()


def test_information_is_observed_or_expected():
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    with pytest.raises(ValueError, match=r"'observed', 'expected' or None, got 'average'"):
        results.with_df_method("satterthwaite", information="average")
