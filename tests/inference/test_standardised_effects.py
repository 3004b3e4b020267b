"""Modes over their standard deviations, against the matrices written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff, load_dyestuff2, load_penicillin, load_sleepstudy
from skmixed.inference.diagnostics.standardised_effects import standardised_effects


def written_out(y, X, Zs, covariances, sigma):
    """Return Psi Z'Py over the root of the diagonal of Psi Z'PZ Psi, factor by factor."""
    V = sigma**2 * np.eye(len(y)) + sum(Z @ C @ Z.T for Z, C in zip(Zs, covariances, strict=True))
    VX = np.linalg.solve(V, X)
    P = np.linalg.inv(V) - VX @ np.linalg.solve(X.T @ VX, VX.T)
    for Z, C in zip(Zs, covariances, strict=True):
        yield C @ Z.T @ P @ y / np.sqrt((C @ Z.T @ P @ Z @ C).diagonal())


def indicators(labels, levels):
    return np.equal.outer(np.asarray(labels), np.asarray(levels)).astype(float)


@pytest.mark.parametrize("rows", [slice(None), slice(7, 160)], ids=["balanced", "unbalanced"])
def test_slopes(rows):
    data = load_sleepstudy()[rows]
    results = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    found = standardised_effects(results.fit)["Subject"]
    X = np.column_stack([np.ones(len(data)), data["Days"]])
    Z = np.einsum("ng,nq->ngq", indicators(data["Subject"], found.index), X).reshape(len(X), -1)
    C = np.kron(np.eye(len(found)), results.cov_re)
    (expected,) = written_out(data["Reaction"].to_numpy(), X, [Z], [C], results.sigma)
    assert_allclose(found.to_numpy().ravel(), expected, rtol=1e-6)


def test_crossed_factors():
    data = load_penicillin()[:130]
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    found = standardised_effects(results.fit)
    sds = results.variance_components.set_index("group")["sdcor"]
    Zs = [indicators(data[name], table.index) for name, table in found.items()]
    Cs = [sds[name] ** 2 * np.eye(len(table)) for name, table in found.items()]
    y, X = data["diameter"].to_numpy(), np.ones((len(data), 1))
    expected = written_out(y, X, Zs, Cs, results.sigma)
    for table, values in zip(found.values(), expected, strict=True):
        assert_allclose(table["Intercept"], values, rtol=1e-6)


def test_a_balanced_design_standardises_the_means():
    """b_hat is a multiple of the mean less the grand mean, whose variance is (1 - 1/6) of one's."""
    data = load_dyestuff()
    results = mixedlm("Yield ~ 1 + (1 | Batch)", data)
    between = results.variance_components["vcov"].iloc[0] + results.sigma**2 / 5.0
    means = data.groupby("Batch", observed=True)["Yield"].mean()
    expected = (means - means.mean()) / np.sqrt(between * (1.0 - 1.0 / 6.0))
    found = standardised_effects(results.fit)["Batch"]["Intercept"]
    assert_allclose(found, expected, rtol=1e-6)


def test_no_variance():
    with pytest.warns(SingularFitWarning):
        results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert standardised_effects(results.fit)["Batch"].isna().all(axis=None)
