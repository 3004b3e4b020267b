"""Rows that are left out are predicted as by solving for the others at the same theta."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit

from inference.diagnostics.diagnostics_models import (
    CROSSED,
    SEVERAL,
    SINGLE,
    SLOPES,
    crossed,
    model,
    unbalanced,
)
from inference.diagnostics.residual_models import RESIDUAL
from inference.diagnostics.written_out import written_out
from skmixed import MixedLM, NoGroupsWarning, RandomInterceptRegressor, SingularFitWarning, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import kfold_predict, logo_predict, loo_predict
from skmixed.inference.diagnostics import contributions
from skmixed.inference.leave_out import whole_groups
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]
MORE = ("singletons", "least_squares", "boundary")
FACTORS = [
    *((name, "Subject") for name in SINGLE),
    *(("nested", factor) for factor in ("batch", "batch:cask")),
    *((name, factor) for name in SEVERAL[1:] for factor in ("g", "h")),
    *((name, "g") for name in ("singletons", "boundary")),
    *((name, "person") for name in RESIDUAL),
]


@lru_cache
def fitted(name: str) -> MixedLMResults:
    """Return one of the models of the diagnostics, or one that is special."""
    if name not in MORE:
        return model(name)
    data = crossed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (SingularFitWarning))
        warnings.simplefilter("ignore", NoGroupsWarning)
        if name == "least_squares":
            return mixedlm("y ~ x", data)
        if name == "boundary":
            noise = np.random.default_rng(0).normal(size=120)
            return mixedlm("y ~ x + (x | g)", data.assign(y=noise))
        return mixedlm("y ~ x + (1 | g)", data[data["g"].duplicated() | (data["g"] > 5)])


def by_solving(
    results: MixedLMResults, sets: Iterable[NDArray[np.intp]]
) -> tuple[FloatArray, FloatArray]:
    """Predict the rows of each set from all others, by the definitions."""
    full, design = written_out(results), results.model.design
    mean, std = np.full(design.n_rows, np.nan), np.full(design.n_rows, np.nan)
    for rows in sets:
        out = np.isin(full.rows, rows)
        left, cross = full.without(out), full.V[np.ix_(out, ~out)]
        taken = np.linalg.solve(left.V, cross.T)
        d = full.X[out] - taken.T @ left.X
        variance = full.V[out][:, out].diagonal() - np.sum(cross.T * taken, axis=0)
        variance = variance + np.einsum("np,pq,nq->n", d, left.unscaled_covariance, d)
        mean[full.rows[out]] = full.X[out] @ left.beta + taken.T @ left.residuals
        std[full.rows[out]] = results.sigma * np.sqrt(variance)
    return mean + (0.0 if design.offset is None else design.offset), std


def assert_predictions(ours: Any, theirs: tuple[FloatArray, FloatArray], data: Any = None) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(one.to_numpy(), other, rtol=1e-8, atol=1e-8)
    if data is not None:
        assert ours[0].index.equals(data.index)


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL, *RESIDUAL, *MORE])
def test_each_row_from_all_others(name: str) -> None:
    results = fitted(name)
    expected = by_solving(results, np.arange(results.model.design.n_rows)[:, None])
    assert_predictions(loo_predict(results, return_std=True), expected, results.data)
    assert_allclose(loo_predict(results), expected[0], rtol=1e-8, atol=1e-8)


def sets_of(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]


@pytest.mark.parametrize(("name", "factor"), FACTORS)
def test_each_group_from_all_others(name: str, factor: str) -> None:
    results = fitted(name)
    known = {f.levels.name: f.codes for f in results.model.design.factors}
    codes = known[factor] if factor in known else results.data[factor].to_numpy()
    expected = by_solving(results, sets_of(codes))
    assert_predictions(
        logo_predict(results, factor=factor, return_std=True), expected, results.data
    )


@pytest.mark.parametrize(
    "name",
    ["slopes", "weights", "frequency", "nested", "crossed", "us_weights", "ar1_heterogeneous"],
)
def test_groups_may_be_any_labels(name: str) -> None:
    results = fitted(name)
    labels = np.random.default_rng(1).integers(0, 7, len(results.data))
    expected = by_solving(results, sets_of(labels))
    assert_predictions(logo_predict(results, factor=labels, return_std=True), expected)


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL, *RESIDUAL, *MORE])
def test_each_fold_from_all_others(name: str) -> None:
    results = fitted(name)
    n = results.model.design.n_rows
    cv = KFold(4, shuffle=True, random_state=3)
    expected = by_solving(results, [test for _, test in cv.split(np.empty(n))])
    assert_predictions(kfold_predict(results, cv=cv, return_std=True), expected, results.data)


def test_folds_of_groups_and_given_folds() -> None:
    results = fitted("weights")
    codes = results.model.design.factors[0].codes
    folds = list(GroupKFold(3).split(codes, codes, codes))
    expected = by_solving(results, [test for _, test in folds])
    assert_predictions(kfold_predict(results, cv=GroupKFold(3), return_std=True), expected)
    assert_predictions(kfold_predict(results, cv=folds, return_std=True), expected)
    n = len(codes)
    masks = [(~np.isin(np.arange(n), test), np.isin(np.arange(n), test)) for _, test in folds]
    assert_predictions(kfold_predict(results, cv=masks, return_std=True), expected)
    two = fitted("crossed")
    by_h = kfold_predict(two, cv=GroupKFold(5), factor="h")
    assert_allclose(by_h, logo_predict(two, factor="h"), rtol=1e-9)


def test_folds_of_people_whose_errors_are_correlated() -> None:
    results = fitted("ar1_heterogeneous")
    codes = results.data["person"].to_numpy()
    folds = [test for _, test in GroupKFold(3).split(codes, codes, codes)]
    ours = kfold_predict(results, cv=GroupKFold(3), return_std=True)
    assert_predictions(ours, by_solving(results, folds))


def test_with_correlated_errors_training_sets_hold_all_other_rows() -> None:
    n = len(fitted("us").data)
    folds = [(np.arange(5, n), np.arange(3)), (np.arange(3), np.arange(3, n))]
    with pytest.raises(ValueError, match="must hold all rows that are not tested"):
        kfold_predict(fitted("us"), cv=folds)


def test_large_parts_of_correlated_groups_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_groups, "DENSE", 1)
    with pytest.raises(ValueError, match="cuts groups of correlated errors"):
        kfold_predict(fitted("us"), cv=4)
    assert np.isfinite(kfold_predict(fitted("us"), cv=GroupKFold(3))).all()


def test_all_ways_agree() -> None:
    results = fitted("slopes")
    n = len(results.data)
    assert_allclose(kfold_predict(results, cv=n), loo_predict(results), rtol=1e-9)
    alone = logo_predict(results, factor=np.arange(n), return_std=True)
    assert_predictions(loo_predict(results, return_std=True), tuple(map(np.asarray, alone)))


def test_large_crossed_groups_are_predicted_by_solving_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = fitted("crossed_weights")
    expected = logo_predict(results, factor="h", return_std=True)
    monkeypatch.setattr(whole_groups, "LARGE", 24)
    sizes = results.model.design.factors[1].sizes
    assert 0 < (sizes > 24).sum() < len(sizes)
    ours = logo_predict(results, factor="h", return_std=True)
    assert_predictions(ours, tuple(map(np.asarray, expected)))
    monkeypatch.setattr(contributions, "BATCH", 200)
    monkeypatch.setattr(whole_groups, "CHUNK", 7)
    for factor in ("g", "h"):
        expected = by_solving(results, sets_of(results.data[factor].to_numpy()))
        assert_predictions(logo_predict(results, factor=factor, return_std=True), expected)


def test_leave_one_out_with_weights_is_not_that_without() -> None:
    """A row's own weight says how sure its observation is, not how sure its prediction."""
    results = fitted("weights")
    mean, std = loo_predict(results, return_std=True)
    weights = results.model.design.weights.values
    assert weights is not None
    assert (std.to_numpy() > results.sigma / np.sqrt(weights)).all()
    z = (results.data["Reaction"] - mean) / std
    assert 0.7 < z.std() < 1.3


def test_residuals_are_those_of_ordinary_least_squares() -> None:
    """The press residuals e / (1 - h) of Allen (1974)."""
    results = fitted("least_squares")
    X = np.column_stack([np.ones(120), results.data["x"]])
    h = np.einsum("np,pq,nq->n", X, np.linalg.inv(X.T @ X), X)
    e = results.data["y"] - X @ np.linalg.lstsq(X, results.data["y"], rcond=None)[0]
    assert_allclose(results.data["y"] - loo_predict(results), e / (1.0 - h), rtol=1e-9)


def rare() -> pd.DataFrame:
    """Return rows of which one has a category of its own, and one group another."""
    data = crossed()
    kind = np.where(data["g"] == 3, "of group 3", np.where(np.arange(120) % 2, "odd", "even"))
    return data.assign(kind=kind).assign(kind=lambda d: d["kind"].where(d.index != 17, "of row 17"))


@pytest.mark.parametrize("formula", ["y ~ x + kind + (1 | g)", "y ~ x + kind + (1 | g) + (1 | h)"])
def test_rows_that_others_do_not_tell_are_missing_with_a_warning(formula: str) -> None:
    data = rare()
    results = mixedlm(formula, data)
    with pytest.warns(UserWarning, match="1 of 120 rows have no prediction .* position 17"):
        mean, std = loo_predict(results, return_std=True)
    assert np.flatnonzero(mean.isna()).tolist() == [17]
    assert np.flatnonzero(std.isna()).tolist() == [17]
    only = ((data["kind"] == "of group 3") | (data.index == 17)).to_numpy()
    with pytest.warns(UserWarning, match="have no prediction"):
        mean = logo_predict(results, factor="g")
    assert (mean.isna() == only).all()
    with pytest.warns(UserWarning, match="have no prediction"):
        folds = kfold_predict(results, cv=GroupKFold(12), factor="g")
    assert (folds.isna() == only).all()
    assert_allclose(folds[~only], mean[~only], rtol=1e-8)
    # The rows beside row 17 in its group are predicted as if its category were not there.
    row = (data["g"] == data.loc[17, "g"]).to_numpy()
    keep = ["row 17" not in name for name in results.params.index]
    full, out = written_out(results), row
    X = full.X[:, keep]
    V = full.V[np.ix_(~out, ~out)]
    VX = np.linalg.solve(V, X[~out])
    beta = np.linalg.solve(X[~out].T @ VX, VX.T @ full.y[~out])
    cross = full.V[np.ix_(out, ~out)]
    expected = X[out] @ beta + cross @ np.linalg.solve(V, full.y[~out] - X[~out] @ beta)
    inside = data.index[row] != 17
    assert_allclose(mean[row][inside], expected[inside], rtol=1e-8)


def test_the_only_group_has_no_others() -> None:
    x = np.arange(20.0)
    with pytest.warns(SingularFitWarning):
        results = mixedlm("y ~ x + (1 | g)", {"x": x, "y": np.sin(x), "g": ["a"] * 20})
    with pytest.warns(UserWarning, match="20 of 20 rows"):
        assert logo_predict(results).isna().all()


def test_an_estimator_and_its_rows_give_the_same() -> None:
    data = unbalanced()
    X, y = data[["Days", "Subject"]], data["Reaction"]
    estimator = MixedLM(groups="Subject", random_slopes=["Days"]).fit(X, y)
    for function in (loo_predict, logo_predict, kfold_predict):
        pd.testing.assert_series_equal(
            function(estimator, X, y), function(fitted("slopes")), rtol=1e-6
        )


def test_after_adapt_the_rows_are_all_of_them() -> None:
    data = unbalanced()
    old = np.arange(len(data)) < 60
    estimator = MixedLM(formula=SLOPES).fit(data[old]).adapt(data[~old])
    whole = estimator.training_model(data)
    results = MixedLMResults(FittedModel(estimator.lmm_fit_, rows=KeptRows(whole)))
    expected = by_solving(results, np.arange(len(data))[:, None])
    assert_predictions(loo_predict(estimator, data, return_std=True), expected)


def test_what_cannot_be_left_out_is_refused() -> None:
    results = fitted("crossed")
    with pytest.raises(ValueError, match="2 grouping factors"):
        logo_predict(results)
    with pytest.raises(ValueError, match="no grouping factor 'z'"):
        logo_predict(results, factor="z")
    with pytest.raises(ValueError, match="With group_weight each group"):
        logo_predict(fitted("group_weight"), factor=np.arange(len(fitted("group_weight").data)) % 5)
    with pytest.raises(ValueError, match="must test every row once"):
        kfold_predict(results, cv=ShuffleSplit(3, random_state=0))
    X, y, g = crossed()[["x"]].to_numpy(), crossed()["y"].to_numpy(), crossed()["g"].to_numpy()
    estimator = RandomInterceptRegressor().fit(X, y, groups=g)
    with pytest.raises(TypeError, match="needs the rows"):
        loo_predict(estimator)
    with pytest.raises(ValueError, match="not the rows that the model was fitted to"):
        loo_predict(estimator, X, y[::-1], groups=g)
    weights = (np.arange(120) > 4).astype(float)
    estimator.fit(X, y, groups=g, sample_weight=weights)
    folds = list(KFold(3).split(X))
    with pytest.raises(ValueError, match="only 115 have a weight"):
        kfold_predict(estimator, X, y, folds, groups=g, sample_weight=weights)
    assert len(kfold_predict(estimator, X, y, groups=g, sample_weight=weights)) == 115


def test_the_formula_of_the_docstring_holds() -> None:
    """P_SS^-1 (P y)_S, from P itself."""
    results = fitted("crossed")
    full = written_out(results)
    VX = np.linalg.solve(full.V, full.X)
    P = np.linalg.inv(full.V) - VX @ full.unscaled_covariance @ VX.T
    residuals = P @ full.y / P.diagonal()
    assert_allclose(full.y - loo_predict(results), residuals, rtol=1e-7, atol=1e-9)
    out = (results.data["g"] == 4).to_numpy()
    residuals = np.linalg.solve(P[np.ix_(out, out)], (P @ full.y)[out])
    ours = full.y[out] - logo_predict(results, factor="g")[out]
    assert_allclose(ours, residuals, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("formula", ["y ~ x + (1 | g)", CROSSED])
def test_many_rows_do_not_need_a_matrix_of_their_size(formula: str) -> None:
    """A matrix of 40,000 rows would take 12 GB."""
    rng = np.random.default_rng(0)
    n = 40_000
    data = pd.DataFrame({"g": rng.integers(0, 2000, n), "h": rng.integers(0, 20, n)})
    data["x"] = rng.normal(size=n)
    data["y"] = data["x"] + rng.normal(size=2000)[data["g"]] + rng.normal(size=n)
    data["y"] += rng.normal(size=20)[data["h"]] + 0.3 * rng.normal(size=2000)[data["g"]] * data["x"]
    results = mixedlm(formula, data)
    mean, std = loo_predict(results, return_std=True)
    z = (data["y"] - mean) / std
    assert abs(float(z.std()) - 1.0) < 0.1


def test_training_sets_may_be_no_larger_than_the_coefficients() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.normal(size=(24, 5)), columns=list("abcde"))
    groups = np.arange(24) % 4
    data = data.assign(g=groups, y=rng.normal(size=24) + 2.0 * rng.normal(size=4)[groups])
    results = mixedlm("y ~ a + b + c + d + e + (1 | g)", data)
    cv = [(np.arange(6), np.arange(6, 24)), (np.arange(6, 24), np.arange(6))]
    ours = kfold_predict(results, cv=cv, return_std=True)
    assert_predictions(ours, by_solving(results, [test for _, test in cv]))


def test_more_columns_than_rows_leave_nothing_to_tell_a_row_from() -> None:
    rng = np.random.default_rng(0)
    X, y, groups = rng.normal(size=(8, 20)), rng.normal(size=8), np.arange(8) // 2
    with pytest.warns(UserWarning, match="All variances are 0"):
        estimator = MixedLM().fit(X, y, groups=groups)
    for predict in (estimator.loo_predict, estimator.logo_predict, estimator.kfold_predict):
        with pytest.warns(UserWarning, match="8 of 8 rows have no prediction"):
            assert np.isnan(predict(X, y, groups=groups)).all()


def test_rows_in_another_order_are_not_those_of_the_fit() -> None:
    data = load_sleepstudy()
    estimator = RandomInterceptRegressor("Subject").fit(data[["Subject"]], data["Reaction"])
    with pytest.raises(ValueError, match="in the same order"):
        estimator.loo_predict(data[["Subject"]], data["Reaction"].to_numpy()[::-1])
