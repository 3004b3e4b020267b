"""Residuals and leverage are those of the model written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from inference.diagnostics.diagnostics_models import (
    SEVERAL,
    SINGLE,
    SLOPES,
    crossed,
    model,
    unbalanced,
)
from inference.diagnostics.residual_models import CORRELATED, RESIDUAL
from inference.diagnostics.written_out import written_out
from skmixed import MixedLM, datasets, mixedlm
from skmixed.inference.diagnostics.decorrelation import decorrelated
from skmixed.inference.diagnostics.row_diagnostics import KINDS, cooks_distance, leverage, residuals
from skmixed.inference.diagnostics.row_inputs import training_rows

EVERY = (*SINGLE, *SEVERAL, *RESIDUAL)


@pytest.mark.parametrize("name", EVERY)
def test_leverage_is_the_diagonal_of_the_hat_matrix(name: str) -> None:
    results = model(name)
    full = written_out(results)
    expected = 1.0 - (full.R @ full.projection).diagonal()
    assert_allclose(leverage(results).to_numpy()[full.rows], expected, atol=1e-10)


@pytest.mark.parametrize("name", EVERY)
def test_conditional_and_marginal_residuals(name: str) -> None:
    results = model(name)
    full = written_out(results)
    marginal = residuals(results, kind="marginal").to_numpy()[full.rows]
    conditional = residuals(results).to_numpy()[full.rows]
    scale = np.abs(marginal).max()
    assert_allclose(marginal, full.residuals, atol=1e-9 * scale)
    expected = full.R @ np.linalg.solve(full.V, full.residuals)
    assert_allclose(conditional, expected, atol=1e-9 * scale)


@pytest.mark.parametrize("name", [name for name in EVERY if "frequency" not in name])
def test_decorrelated_residuals_have_the_identity_as_covariance(name: str) -> None:
    rows = training_rows(model(name))
    V = np.eye(rows.design.n_rows)
    for block in rows.blocks:
        U = block.effects.standardised_factor.T @ block.Z
        V += np.where(block.codes[:, None] == block.codes, U.T @ U, 0.0)
    A = decorrelated(rows, np.eye(len(V))).T
    assert_allclose(A @ V @ A.T, np.eye(len(V)), atol=1e-11)
    if len(rows.blocks) == 1 and name not in CORRELATED:
        assert_allclose(A, np.linalg.inv(np.linalg.cholesky(V)), atol=1e-12)
    values = residuals(model(name), kind="decorrelated")
    assert_allclose(values, A @ rows.marginal / rows.sigma, atol=1e-10)


@pytest.mark.parametrize("name", EVERY)
def test_residuals_over_their_standard_deviations(name: str) -> None:
    results = model(name)
    full = written_out(results)
    own = full.V - full.X @ full.unscaled_covariance @ full.X.T
    e = full.R @ np.linalg.solve(full.V, full.residuals)
    expected = {
        "pearson": e / np.sqrt(full.R.diagonal()),
        "standardised": e / np.sqrt((full.R @ full.projection @ full.R).diagonal()),
        "marginal_standardised": full.residuals / np.sqrt(own.diagonal()),
    }
    for kind, values in expected.items():
        ours = residuals(results, kind=kind).to_numpy()[full.rows]
        assert_allclose(ours, values / results.sigma, atol=1e-9, err_msg=kind)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("group_weight",)])
def test_cooks_distance_is_how_far_the_fit_moves(name: str) -> None:
    results = model(name)
    full = written_out(results)
    left_out = full.projection @ full.y / full.projection.diagonal()
    moved = np.linalg.inv(full.R).diagonal() - full.projection.diagonal()
    expected = left_out**2 * moved / (full.X.shape[1] * results.sigma**2)
    assert_allclose(cooks_distance(results).to_numpy()[full.rows], expected, atol=1e-9)


@pytest.mark.parametrize("name", ["us", "us_weights"])
def test_without_random_effects_it_is_that_of_the_coefficients(name: str) -> None:
    results = model(name)
    full = written_out(results)
    precision = np.linalg.inv(full.unscaled_covariance)
    changes = np.array([full.beta - full.without(one).beta for one in np.eye(len(full.y)) > 0])
    expected = np.einsum("np,pq,nq->n", changes, precision, changes) / (3 * results.sigma**2)
    assert_allclose(cooks_distance(results), expected, rtol=1e-7)


@pytest.mark.parametrize("name", RESIDUAL)
def test_normalised_residuals_are_white_in_the_order_of_time(name: str) -> None:
    results = model(name)
    full = written_out(results)
    e = full.R @ np.linalg.solve(full.V, full.residuals)
    order = np.lexsort((results.data["visit"].to_numpy()[full.rows], full.factors["person"]))
    L = np.linalg.cholesky(full.R[np.ix_(order, order)])
    expected = np.linalg.solve(L, e[order]) / results.sigma
    ours = residuals(results, kind="normalised").to_numpy()
    assert_allclose(ours[full.rows][order], expected, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in CORRELATED if name != "ar1_weights"])
def test_scaled_marginal_residuals_follow_time(name: str) -> None:
    results = model(name)
    full = written_out(results)
    order = np.lexsort((results.data["visit"], results.data["person"]))
    L = np.linalg.cholesky(full.V[np.ix_(order, order)])
    expected = np.linalg.solve(L, full.residuals[order]) / results.sigma
    ours = residuals(results, kind="decorrelated").to_numpy()
    assert_allclose(ours[order], expected, atol=1e-9)


def test_pearson_residuals_are_those_of_the_results() -> None:
    results = model("weights")
    ours = residuals(results, kind="pearson")
    pd.testing.assert_series_equal(ours, results.resid_pearson, check_names=False, rtol=1e-9)


def test_an_estimator_and_its_rows_give_the_same() -> None:
    data = unbalanced()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    estimator = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    before = estimator.predict(X)
    for kind in KINDS:
        ours = residuals(estimator, X, y, kind=kind)
        pd.testing.assert_series_equal(ours, residuals(model("slopes"), kind=kind), rtol=1e-6)
    expected = cooks_distance(model("slopes"))
    pd.testing.assert_series_equal(cooks_distance(estimator, X, y), expected, rtol=1e-6)
    assert (estimator.predict(X) == before).all()


def test_an_estimator_with_a_formula_finds_the_response_in_its_rows() -> None:
    data = unbalanced()
    estimator = MixedLM(formula=SLOPES).fit(data)
    ours = residuals(estimator, data, kind="decorrelated")
    expected = residuals(model("slopes"), kind="decorrelated")
    pd.testing.assert_series_equal(ours, expected, rtol=1e-6)


def test_rows_that_were_not_fitted_are_refused() -> None:
    data = unbalanced()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    estimator = MixedLM(groups="Subject").fit(X, y)
    before = estimator.predict(X)
    with pytest.raises(ValueError, match="not what the model was fitted to"):
        leverage(estimator, X[:-3], y[:-3])
    swapped = X.assign(Subject=X["Subject"].to_numpy()[::-1])
    with pytest.raises(ValueError, match="not what the model was fitted to"):
        leverage(estimator, swapped[:-1], y[:-1])
    assert (estimator.predict(X) == before).all()


def test_rows_are_needed() -> None:
    data = unbalanced()
    estimator = MixedLM(groups="Subject").fit(data[["Days", "Subject"]], data["Reaction"])
    for fitted in (estimator, estimator.results_):
        with pytest.raises(TypeError, match="needs the rows"):
            residuals(fitted)
    with pytest.raises(TypeError, match="pass them alone"):
        residuals(model("slopes"), data)
    with pytest.raises(TypeError, match="fitted mixed model"):
        residuals(data)


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        residuals(model("slopes"), kind="deviance")


def test_frequencies_have_no_decorrelated_residuals() -> None:
    with pytest.raises(ValueError, match="written out"):
        residuals(model("frequency"), kind="decorrelated")


def test_a_row_that_is_fitted_exactly_has_no_standardised_residual() -> None:
    data = datasets.load_sleepstudy()
    data["first"] = (np.arange(len(data)) == 0).astype(float)
    results = mixedlm("Reaction ~ Days + first + (1 | Subject)", data)
    assert leverage(results)[0] == pytest.approx(1.0, abs=1e-10)
    standardised = residuals(results, kind="standardised")
    assert standardised.isna().tolist() == [True] + [False] * 179
    assert cooks_distance(results).isna().tolist() == [True] + [False] * 179


def test_rows_left_out_for_missing_values_have_no_residual() -> None:
    data = crossed()
    data.loc[[3, 50], "x"] = np.nan
    results = mixedlm("y ~ x + (1 | g)", data, missing="drop")
    assert residuals(results).index.equals(data.index.drop([3, 50]))


def test_without_groups_leverage_is_that_of_least_squares() -> None:
    data = crossed()
    with pytest.warns(UserWarning, match="No groups"):
        estimator = MixedLM().fit(data[["x"]], data["y"])
    with pytest.warns(UserWarning, match="No groups"):
        ours = leverage(estimator, data[["x"]], data["y"])
    centred = data["x"] - data["x"].mean()
    expected = 1.0 / len(data) + centred**2 / (centred**2).sum()
    assert_allclose(ours, expected, rtol=1e-10)
