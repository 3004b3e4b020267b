"""The criterion at any theta is that of the normal distribution, written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy

CASES = {
    "Reaction ~ Days + (Days | Subject)": (load_sleepstudy, [0.7, 0.1, 0.3]),
    "Reaction ~ Days + (Days || Subject)": (load_sleepstudy, [0.7, 0.0]),
    "diameter ~ 1 + (1 | plate) + (1 | sample)": (load_penicillin, [1.1, 3.0]),
    "strength ~ 1 + (1 | batch/cask)": (load_pastes, [2.5, 0.4]),
}


def written_out(model: MixedLM, data, theta: np.ndarray, *, reml: bool) -> float:
    """Return -2 log-likelihood with sigma^2 at its best, from dense matrices."""
    matrices = model.design_matrices(data)
    X, Z = matrices.X.to_numpy(), matrices.Z.toarray()
    y = np.asarray(model.observed_response(data), dtype=float)
    blocks, start = [], 0
    for effects in model.lmm_fit_.random:
        m = effects.covariance.n_parameters
        root = effects.covariance.factor(theta[start : start + m])
        blocks += [root @ root.T] * len(effects.levels)
        start += m
    Psi = np.zeros((Z.shape[1],) * 2)
    at = 0
    for block in blocks:
        Psi[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    V = np.eye(len(y)) + Z @ Psi @ Z.T
    solved = np.linalg.solve(V, np.column_stack([X, y]))
    XtVX = X.T @ solved[:, :-1]
    beta = np.linalg.solve(XtVX, X.T @ solved[:, -1])
    r2 = (y - X @ beta) @ (solved[:, -1] - solved[:, :-1] @ beta)
    nu = len(y) - reml * X.shape[1]
    penalty = reml * np.linalg.slogdet(XtVX)[1]
    logs = np.linalg.slogdet(V)[1] + penalty
    return float(logs + nu * (1.0 + np.log(2.0 * np.pi * r2 / nu)))


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("formula", CASES)
def test_criterion_at_another_theta(formula: str, method: str) -> None:
    load, theta = CASES[formula]
    data = load()
    results = mixedlm(formula, data, method=method)
    model = MixedLM(formula=formula, method=method).fit(data)
    expected = written_out(model, data, np.array(theta), reml=method == "reml")
    assert_allclose(results.objective(theta), expected, rtol=1e-11)
    assert_allclose(results.objective(results.theta), results.criterion, rtol=1e-12)


def test_theta_of_another_shape_is_refused() -> None:
    results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    with pytest.raises(ValueError, match=r"theta must have shape \(3,\), got \(2,\)"):
        results.objective([1.0, 0.0])


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_kept_products_hold_what_was_computed_from_the_rows() -> None:
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(12), 10)
    x = np.cos(g) + 1e-6 * rng.normal(size=120)
    y = 1.0 + x + rng.normal(size=12)[g] * x + 1e-6 * rng.normal(size=120)
    results = mixedlm("y ~ x + (x || g)", pd.DataFrame({"x": x, "y": y, "g": g}))
    assert_allclose(results.objective(results.theta), -2.0 * results.llf, rtol=1e-12)
