"""Cluster-robust covariances and degrees of freedom are the textbook's, written out densely."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import cholesky

from inference.diagnostics.diagnostics_models import (
    CROSSED,
    SINGLE,
    SLOPES,
    crossed,
    model,
    unbalanced,
)
from inference.diagnostics.residual_models import CORRELATED
from inference.diagnostics.written_out import WrittenOut, written_out
from skmixed import MixedLM, datasets, mixedlm
from skmixed.inference.diagnostics.sandwich import robust_covariance

FloatArray = NDArray[np.float64]
KINDS = ("CR0", "CR1", "CR1S", "CR2")


def adjustment(kind: str, full: WrittenOut, rows: NDArray[np.bool_], n_clusters: int) -> FloatArray:
    """Return A_j as clubSandwich computes it."""
    n, p = full.X.shape
    scale = {
        "CR0": 1.0,
        "CR1": n_clusters / (n_clusters - 1),
        "CR1S": n_clusters * (n - 1) / ((n_clusters - 1) * (n - p)),
    }
    if kind != "CR2":
        return np.sqrt(scale[kind]) * np.eye(rows.sum())
    V, X = full.V[np.ix_(rows, rows)], full.X[rows]
    D = cholesky(V)
    values, axes = np.linalg.eigh(D @ (V - X @ full.unscaled_covariance @ X.T) @ D.T)
    roots = np.where(values > 1e-10, 1.0 / np.sqrt(np.abs(values)), 0.0)
    return D.T @ (axes * roots) @ axes.T @ D


def textbook(kind: str, full: WrittenOut, codes: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Return the sandwich and Satterthwaite's degrees of freedom from the matrices themselves."""
    n, p = full.X.shape
    C, residuals = full.unscaled_covariance, full.residuals
    VX = np.linalg.solve(full.V, full.X)
    I_H = np.eye(n) - full.X @ C @ VX.T
    clusters = np.unique(codes)
    covariance, vectors = np.zeros((p, p)), []
    for code in clusters:
        rows = codes == code
        A = adjustment(kind, full, rows, len(clusters))
        half = C @ VX[rows].T @ A
        covariance += np.outer(half @ residuals[rows], half @ residuals[rows])
        vectors.append(half @ I_H[rows])
    df = []
    for i in range(p):
        G = np.array([vector[i] for vector in vectors])
        P = G @ full.V @ G.T
        df.append(np.trace(P) ** 2 / np.sum(P**2))
    return covariance, np.array(df)


def assert_textbook(ours: object, full: WrittenOut, codes: NDArray[np.intp]) -> None:
    covariance, df = textbook(ours.kind, full, codes)
    assert_allclose(ours.covariance, covariance, rtol=1e-8, atol=1e-10 * np.abs(covariance).max())
    assert_allclose(ours.tidy()["df"], df, rtol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*SINGLE, "nested"])
def test_equals_the_textbook(name: str, kind: str) -> None:
    results = model(name)
    full = written_out(results)
    ours = robust_covariance(results, kind=kind)
    assert_textbook(ours, full, full.factors[ours.cluster])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*CORRELATED, "power_weights"])
def test_with_a_residual_structure_too(name: str, kind: str) -> None:
    results = model(name)
    full = written_out(results)
    ours = robust_covariance(results, kind=kind)
    assert ours.cluster == ("site" if name == "ar1_nested" else "person")
    assert_textbook(ours, full, full.factors[ours.cluster])


def test_clusters_hold_whole_groups_of_the_residual_structure() -> None:
    with pytest.raises(ValueError, match="residual structure correlates"):
        robust_covariance(model("us"), cluster="visit")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_larger_than_the_groups(kind: str, *, weighted: bool) -> None:
    data = crossed()
    data["region"] = data["g"] // 3
    results = mixedlm("y ~ x + (x | g)", data, weights=data["w"] if weighted else None)
    ours = robust_covariance(results, kind=kind, cluster="region")
    assert_textbook(ours, written_out(results), data["region"].to_numpy())
    by_labels = robust_covariance(results, kind=kind, cluster=data["region"].to_numpy())
    assert_allclose(by_labels.covariance, ours.covariance, rtol=1e-12)


def test_weights_that_are_equal_within_clusters() -> None:
    data = unbalanced()
    weights = 1.0 + data["Subject"].cat.codes.to_numpy() % 4
    results = mixedlm(SLOPES, data, weights=weights)
    full = written_out(results)
    assert_textbook(robust_covariance(results), full, full.factors["Subject"])


def test_a_coefficient_that_one_cluster_tells() -> None:
    data = datasets.load_sleepstudy()
    data["one"] = (data["Subject"] == "308").astype(float)
    for weights in (None, 1.0 / (1.0 + data["Days"])):
        results = mixedlm("Reaction ~ Days + one + (Days | Subject)", data, weights=weights)
        full = written_out(results)
        ours = robust_covariance(results)
        covariance, _ = textbook("CR2", full, full.factors["Subject"])
        assert_allclose(ours.covariance[:2, :2], covariance[:2, :2], rtol=1e-6)


def test_the_table() -> None:
    results = model("slopes")
    robust = robust_covariance(results)
    table = robust.tidy(level=0.9)
    se = np.sqrt(robust.frame.to_numpy().diagonal())
    assert table["term"].tolist() == ["Intercept", "Days"]
    assert_allclose(table["se"], se)
    assert_allclose(table["estimate"], results.params)
    assert_allclose(table["statistic"], results.params / se)
    assert_allclose(table["p_value"], 2.0 * stats.t.sf(np.abs(table["statistic"]), table["df"]))
    half = stats.t.isf(0.05, table["df"]) * se
    assert_allclose(table["upper"] - table["estimate"], half)
    assert_allclose(table["estimate"] - table["lower"], half)


def test_contrasts() -> None:
    results = model("slopes")
    robust = robust_covariance(results)
    shifted = mixedlm("Reaction ~ I(Days - 4) + (Days | Subject)", results.data)
    ours = robust.t_tests(np.array([[1.0, 4.0]]))
    theirs = robust_covariance(shifted).tidy().iloc[0]
    assert_allclose(ours.standard_errors, theirs["se"], rtol=1e-6)
    assert_allclose(ours.df, theirs["df"], rtol=1e-6)


def test_aliased_coefficients_have_no_variance() -> None:
    data = datasets.load_sleepstudy()
    data["twice"] = 2.0 * data["Days"]
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm("Reaction ~ Days + twice + (1 | Subject)", data)
    table = robust_covariance(results).tidy()
    plain = robust_covariance(mixedlm("Reaction ~ Days + (1 | Subject)", data)).tidy()
    assert table.iloc[2].drop(["term", "estimate"]).isna().all()
    assert_allclose(table["se"][:2], plain["se"], rtol=1e-8)


def test_an_estimator_and_its_rows_give_the_same() -> None:
    data = unbalanced()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    estimator = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    ours = robust_covariance(estimator, X, y).tidy()
    pd.testing.assert_frame_equal(ours, robust_covariance(model("slopes")).tidy(), rtol=1e-6)


def test_clusters_must_hold_whole_levels() -> None:
    data = crossed()
    with pytest.raises(ValueError, match="crossed"):
        robust_covariance(mixedlm(CROSSED, data))
    with pytest.raises(ValueError, match="are correlated in the model"):
        robust_covariance(model("nested"), cluster="batch:cask")
    with pytest.raises(ValueError, match="at least two clusters"):
        robust_covariance(model("slopes"), cluster=np.zeros(len(model("slopes").data)))


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        robust_covariance(model("slopes"), kind="HC1")


def test_frequencies_of_rows_in_larger_clusters() -> None:
    data = crossed()
    data["region"] = data["g"] // 3
    weights = np.random.default_rng(0).integers(1, 3, len(data))
    results = mixedlm("y ~ x + (x | g)", data, weights=weights, weight_type="frequency")
    full = written_out(results)
    ours = robust_covariance(results, kind="CR1", cluster="region")
    assert_textbook(ours, full, data["region"].to_numpy()[full.rows])
    with pytest.raises(ValueError, match="stands for several"):
        robust_covariance(results, kind="CR2", cluster="region")
