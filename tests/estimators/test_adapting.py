"""Rows that are added to a fit count as if they had been fitted at the same variances."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from inference.diagnostics.diagnostics_models import crossed, unbalanced
from inference.diagnostics.written_out import WrittenOut, written_out
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skmixed import (
    GroupDtypeWarning,
    MixedLM,
    NoGroupsWarning,
    RandomInterceptRegressor,
    SingularFitWarning,
    datasets,
)
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results import MixedLMResults

CROSSED = "y ~ x + (1 + x | g) + (1 | h)"
SLOPES = "Reaction ~ Days + (Days | Subject)"


def cases() -> dict[str, tuple[MixedLM, pd.DataFrame, NDArray[np.bool_], Any]]:
    """Return estimators, their data, the rows that are added, and weights."""
    rng = np.random.default_rng(0)
    sleep, two = unbalanced(), crossed()
    later = sleep["Subject"].isin(["308", "372"]).to_numpy() | (rng.uniform(size=len(sleep)) < 0.3)
    added = two["g"].isin([0, 7]).to_numpy() | (two["h"] == 1).to_numpy()
    added |= rng.uniform(size=120) < 0.2
    part = two.assign(p=np.where(added, two["g"] * 7 % 5, two["g"] % 4))
    pastes = datasets.load_pastes()
    nested = pastes["batch"].isin(["A", "D"]).to_numpy() | (rng.uniform(size=60) < 0.2)
    weights, counts = rng.uniform(0.5, 4.0, 120), rng.integers(1, 4, len(sleep)).astype(float)
    of_sleep = rng.uniform(0.5, 4.0, len(sleep))
    offset = "Reaction ~ Days + offset(5 * Days) + (1 | Subject)"
    return {
        "slopes": (MixedLM(formula=SLOPES), sleep, later, None),
        "ml": (MixedLM(formula=SLOPES, method="ml"), sleep, later, None),
        "weights": (MixedLM(formula=SLOPES), sleep, later, of_sleep),
        "frequency": (MixedLM(formula=SLOPES, weight_type="frequency"), sleep, later, counts),
        "offset": (MixedLM(formula=offset), sleep, later, None),
        "diagonal": (MixedLM(formula=SLOPES.replace("|", "||")), sleep, later, None),
        "crossed": (MixedLM(formula=CROSSED), two, added, None),
        "crossed_weights": (MixedLM(formula=CROSSED), two, added, weights),
        "nested": (MixedLM(formula="strength ~ 1 + (1 | batch/cask)"), pastes, nested, None),
        "no_longer_nested": (MixedLM(formula="y ~ x + (1 | g) + (1 | p)"), part, added, None),
        "transformed": (MixedLM(formula="y ~ poly(x, 2) + (1 | g)"), two, added, None),
    }


CASES = list(cases())


def weights_of(weights: Any, rows: NDArray[np.bool_]) -> Any:
    return None if weights is None else weights[rows]


def adapted_and_written_out(name: str) -> tuple[MixedLM, pd.DataFrame, WrittenOut]:
    """Return an estimator after adapt, all rows, and the dense model of them at its theta."""
    estimator, data, added, weights = cases()[name]
    model = clone(estimator).fit(data[~added], sample_weight=weights_of(weights, ~added))
    theta, sigma = model.theta_, model.sigma_
    assert model.adapt(data[added], sample_weight=weights_of(weights, added)) is model
    assert_allclose(model.theta_, theta, rtol=1e-14)
    assert model.sigma_ == sigma
    training = model.recipe  # the columns as the first rows defined them
    whole = clone(estimator).training_model(data, sample_weight=weights)
    matrices = training.evaluate(data)
    design = whole.design
    design.fixed[:] = matrices.fixed[:, 1:]
    results = MixedLMResults(FittedModel(model.lmm_fit_, rows=KeptRows(whole)))
    assert [f.levels.name for f in design.factors] == [f.name for f in model.lmm_fit_.random]
    return model, data, written_out(results)


@pytest.mark.parametrize("name", CASES)
def test_fixed_effects_are_those_of_all_rows_at_the_same_theta(name: str) -> None:
    model, _, full = adapted_and_written_out(name)
    fit = model.lmm_fit_
    assert_allclose([model.intercept_, *model.coef_], full.beta, rtol=1e-8)
    assert_allclose(fit.fixed.covariance, fit.sigma**2 * full.unscaled_covariance, rtol=1e-8)
    assert fit.n_rows == len(full.rows)
    r, nu = full.residuals, full.nu
    value = np.linalg.slogdet(full.V)[1] + nu * np.log(2.0 * np.pi * fit.sigma**2)
    value += r @ np.linalg.solve(full.V, r) / fit.sigma**2
    if fit.reml:
        value -= np.linalg.slogdet(full.unscaled_covariance)[1]
    assert_allclose(fit.log_likelihood, -0.5 * value, rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_effects_are_those_of_all_rows_at_the_same_theta(name: str) -> None:
    estimator, data, _, weights = cases()[name]
    model, data, full = adapted_and_written_out(name)
    whole = clone(estimator).training_model(data, sample_weight=weights)
    Vr = np.linalg.solve(full.V, full.residuals)
    for effects, block in zip(model.lmm_fit_.random, whole.design.blocks, strict=True):
        assert effects.levels.labels.equals(block.factor.levels.labels)
        assert_allclose(effects.sizes, block.factor.sizes)
        precision = np.ones(len(data)) if weights is None else weights
        assert_allclose(effects.precision, np.bincount(block.factor.codes, precision))
        Psi = effects.relative_factor @ effects.relative_factor.T
        own, Z = full.factors[effects.name], block.columns[full.rows]
        for level in range(len(effects.levels)):
            spread = np.where((own == level)[:, None], Z, 0.0) @ Psi
            scale = np.sqrt(np.diagonal(Psi)) * model.sigma_
            assert_allclose(effects.modes[level] / scale, spread.T @ Vr / scale, atol=1e-8)
            D = Psi - spread.T @ np.linalg.solve(full.V, spread)
            ours = effects.conditional_covariance[level]
            relative = np.outer(scale, scale)
            assert_allclose(ours / relative, model.sigma_**2 * D / relative, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_those_of_all_rows_at_the_same_theta(name: str) -> None:
    """Kriging at V: known groups and new ones, means and standard deviations."""
    model, data, full = adapted_and_written_out(name)
    fit = model.lmm_fit_
    X = np.column_stack([np.ones(len(data)), model.recipe.evaluate(data).fixed[:, 1:]])
    labels = [effects.name.split(":")[-1] for effects in fit.random]
    unknown = data.assign(**{label: f"{label}0" for label in labels})
    _, first = np.unique(full.rows, return_index=True)
    noise = cases()[name][3] if "weights" in name else np.ones(len(data))
    shared = (full.V - np.diag(1.0 / noise[full.rows]))[:, first]
    between = shared[first, np.arange(len(data))]
    offset = 5.0 * data["Days"].to_numpy() if name == "offset" else 0.0
    for rows, v in ((data, shared), (unknown, 0.0 * shared)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GroupDtypeWarning)
            mean, std = model.predict(rows, return_std=True)
        d = X.T - full.X.T @ np.linalg.solve(full.V, v)
        r = np.linalg.solve(full.V, full.residuals)
        assert_allclose(mean, X @ full.beta + offset + v.T @ r, rtol=1e-8, atol=1e-8)
        variance = 1.0 + between - np.sum(v * np.linalg.solve(full.V, v), axis=0)
        variance += np.einsum("pn,pq,qn->n", d, full.unscaled_covariance, d)
        assert_allclose(std, fit.sigma * np.sqrt(variance), rtol=1e-8)


@pytest.mark.parametrize("name", ["slopes", "frequency", "crossed_weights", "nested"])
def test_chunks_in_any_order_give_the_same(name: str) -> None:
    estimator, data, added, weights = cases()[name]
    rows = np.flatnonzero(added)
    once = clone(estimator).fit(data[~added], sample_weight=weights_of(weights, ~added))
    once = once.adapt(data[added], sample_weight=weights_of(weights, added))
    for seed in range(3):
        model = clone(estimator).fit(data[~added], sample_weight=weights_of(weights, ~added))
        for part in np.array_split(np.random.default_rng(seed).permutation(rows), 4):
            chunk = None if weights is None else weights[part]
            model.adapt(data.iloc[part], sample_weight=chunk)
        assert_allclose(model.coef_, once.coef_, rtol=1e-9)
        assert_allclose(model.log_likelihood_, once.log_likelihood_, rtol=1e-10)
        for factor, frame in once.random_effects_.items():
            assert model.random_effects_[factor].index.equals(frame.index)
            scale = np.abs(frame.to_numpy()).max()
            assert_allclose(model.random_effects_[factor], frame, atol=1e-9 * scale)
        assert_allclose(model.predict(data), once.predict(data), rtol=1e-9)


def test_a_factor_may_outgrow_the_one_that_had_most_levels() -> None:
    data = crossed()
    data["k"] = np.where(np.arange(120) < 70, data["h"], np.arange(120) % 60)
    model = MixedLM(formula="y ~ x + (1 | g) + (1 | k)").fit(data[:70]).adapt(data[70:])
    assert [len(effects.levels) for effects in model.lmm_fit_.random] == [12, 55]
    X, V = np.column_stack([np.ones(120), data["x"]]), np.eye(120)
    for effects in model.lmm_fit_.random:
        U = X[:, :1] @ effects.relative_factor
        V += np.where(np.equal.outer(*[data[effects.name].to_numpy()] * 2), U @ U.T, 0.0)
    VX = np.linalg.solve(V, X)
    beta = np.linalg.solve(X.T @ VX, VX.T @ data["y"])
    assert_allclose([model.intercept_, *model.coef_], beta, rtol=1e-9)
    fitted = X @ beta + (V - np.eye(120)) @ np.linalg.solve(V, data["y"] - X @ beta)
    assert_allclose(model.predict(data), fitted, rtol=1e-9)


def arrays() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[Any]]:
    data = crossed()
    return data[["x"]].to_numpy(), data["y"].to_numpy(), data["g"].to_numpy()


def test_arrays_frames_and_formulas_adapt_alike() -> None:
    X, y, g = arrays()
    frame, old = crossed()[["x", "g"]], g > 3
    named = RandomInterceptRegressor("g").fit(frame[old], y[old]).adapt(frame[~old], y[~old])
    given = RandomInterceptRegressor().fit(X[old], y[old], groups=g[old])
    given = given.adapt(X[~old], y[~old], groups=g[~old])
    formula = MixedLM(formula="y ~ x + (1 | g)").fit(crossed()[old]).adapt(crossed()[~old])
    without = MixedLM(formula="~ x + (1 | g)").fit(frame[old], y[old]).adapt(frame[~old], y[~old])
    for other in (given, formula, without):
        assert_allclose(other.coef_, named.coef_, rtol=1e-9)
        assert_allclose(
            next(iter(other.random_effects_.values())), named.random_effects_["g"], atol=1e-9
        )
    assert_allclose(given.predict(X, groups=g), named.predict(frame), rtol=1e-10)
    assert_allclose(named.shrinkage_, given.shrinkage_, rtol=1e-12)


def test_group_weights_count_for_the_rows_that_are_added_to_their_groups() -> None:
    data = crossed()
    times = {g: float(1 + g % 3) for g in range(12)} | {0: 1.0}
    old = ((data["g"] > 0) & (np.arange(120) % 4 > 0)).to_numpy()
    model = MixedLM(formula="y ~ x + (x | g)")
    model = model.fit(data[old], group_weight=times).adapt(data[~old])
    whole = MixedLM(formula="y ~ x + (x | g)").training_model(data, group_weight=times)
    full = written_out(MixedLMResults(FittedModel(model.lmm_fit_, rows=KeptRows(whole))))
    assert_allclose([model.intercept_, *model.coef_], full.beta, rtol=1e-8)
    assert model.lmm_fit_.n_rows == len(full.rows)


def test_rows_of_weight_zero_are_dropped_with_their_groups() -> None:
    X, y, g = arrays()
    old = g > 3
    weights = np.where(g == 2, 0.0, 1.0)[~old]
    model = RandomInterceptRegressor().fit(X[old], y[old], groups=g[old])
    model.adapt(X[~old], y[~old], groups=g[~old], sample_weight=weights)
    assert 2 not in model.groups_["groups"]
    kept = ~old & (g != 2)
    same = RandomInterceptRegressor().fit(X[old], y[old], groups=g[old])
    same.adapt(X[kept], y[kept], groups=g[kept])
    assert_allclose(model.predict(X, groups=g), same.predict(X, groups=g), rtol=1e-12)


def test_weights_are_on_the_scale_of_those_of_fit() -> None:
    """Rows without weights have weight 1, however large the mean weight of the others was."""
    X, y, g = arrays()
    old, heavy = g > 3, np.full(120, 50.0)
    implicit = RandomInterceptRegressor().fit(
        X[old], y[old], groups=g[old], sample_weight=heavy[old]
    )
    explicit = pickle.loads(pickle.dumps(implicit))
    implicit.adapt(X[~old], y[~old], groups=g[~old])
    explicit.adapt(X[~old], y[~old], groups=g[~old], sample_weight=np.ones(int((~old).sum())))
    assert_allclose(implicit.coef_, explicit.coef_, rtol=1e-12)
    assert_allclose(implicit.log_likelihood_, explicit.log_likelihood_, rtol=1e-12)


def test_the_pickle_grows_with_groups_not_with_rows() -> None:
    X, y, g = arrays()
    model = RandomInterceptRegressor().fit(X, y, groups=g)
    sizes = []
    for _ in range(3):
        model.adapt(np.tile(X, (50, 1)), np.tile(y, 50), groups=np.tile(g, 50))
        sizes.append(len(pickle.dumps(model)))
    assert max(sizes) - min(sizes) < 64
    again = pickle.loads(pickle.dumps(model)).adapt(X, y, groups=g + 100)
    assert len(again.groups_["groups"]) == 24
    assert not hasattr(clone(again), "lmm_fit_")


def test_labels_stay_sorted_and_exact() -> None:
    X, y, _ = arrays()
    large = np.array([2**60 + 1, 2**60 + 2] * 60)
    y = y + 3.0 * (np.arange(120) % 2)
    model = RandomInterceptRegressor().fit(X, y, groups=large)
    model.adapt(X[:4], y[:4], groups=np.array([2**60, 2**63 + 5] * 2, dtype=np.uint64))
    labels = [int(label) for label in model.groups_["groups"]]
    assert labels == [2**60, 2**60 + 1, 2**60 + 2, 2**63 + 5]
    text = RandomInterceptRegressor().fit(X, y, groups=np.array(["b", "d"] * 60))
    text.adapt(X[:3], y[:3], groups=pd.Categorical(["c", "d", "a"]))
    assert list(text.groups_["groups"]) == ["a", "b", "c", "d"]
    with pytest.warns(GroupDtypeWarning):
        text.adapt(X[:3], y[:3], groups=[1, 2, 3])
    assert len(text.groups_["groups"]) == 7


def test_without_groups_it_is_least_squares_of_all_rows() -> None:
    X, y, _ = arrays()
    with pytest.warns(NoGroupsWarning):
        model = MixedLM().fit(X[:50], y[:50])
    sigma = model.sigma_
    model.adapt(X[50:], y[50:])
    expected = np.linalg.lstsq(np.column_stack([np.ones(120), X]), y, rcond=None)[0]
    assert_allclose([model.intercept_, *model.coef_], expected, rtol=1e-9)
    assert model.sigma_ == sigma


def test_asking_for_the_training_model_does_not_forget_groups() -> None:
    X, y, g = arrays()
    model = RandomInterceptRegressor().fit(X[20:], y[20:], groups=g[20:])
    model.adapt(X[:20], y[:20], groups=g[:20] - 50)
    before = model.predict(X, groups=g)
    model.training_model(X[50:], y[50:], groups=g[50:])
    assert_allclose(model.predict(X, groups=g), before, rtol=0)


def test_a_variance_that_could_not_be_estimated_stays_zero() -> None:
    data = crossed().assign(alone=range(120))
    with pytest.warns(SingularFitWarning):
        model = MixedLM(formula="y ~ x + (1 | alone) + (1 | g)").fit(data[:100])
    model.adapt(data[100:])
    assert not model.random_effects_["alone"].to_numpy().any()
    assert len(model.random_effects_["alone"]) == 120
    plain = MixedLM(formula="y ~ x + (1 | g)").fit(data[:100]).adapt(data[100:])
    assert_allclose(model.predict(data), plain.predict(data), rtol=1e-7)


def test_the_summary_of_an_adapted_model_prints() -> None:
    X, y, g = arrays()
    model = RandomInterceptRegressor().fit(X, y, groups=g)
    assert "Scaled residuals" in str(model.summary())
    text = str(model.adapt(X[:9], y[:9], groups=g[:9]).summary())
    assert "nan" not in text.lower()
    assert "129" in text


def test_what_cannot_be_added_is_refused_and_changes_nothing() -> None:
    data = crossed().assign(c=np.tile(["a", "b"], 60))
    model = MixedLM(formula="y ~ x + c + (1 | g)").fit(data)
    before = model.lmm_fit_
    for rows, message in (
        (data.assign(c="new"), "new"),
        (data.assign(x=np.nan), "NaN"),
        (data.assign(y=np.nan), "NaN"),
        (data.assign(g=np.nan), "groups contains NaN"),
        (data.drop(columns="g"), r"needs the labels of \['g'\]"),
        (data[:0], "0 rows|0 sample"),
    ):
        with pytest.raises(ValueError, match=message):
            model.adapt(rows)
    assert model.lmm_fit_ is before
    X, y, g = arrays()
    given = RandomInterceptRegressor().fit(X, y, groups=g)
    for arguments, message in (
        ({"X": X, "y": y}, "needs the labels"),
        ({"X": X, "y": y[:5], "groups": g}, "inconsistent numbers"),
        ({"X": X, "y": None, "groups": g}, "requires y"),
        ({"X": X[:, [0, 0]], "y": y, "groups": g}, "2 features"),
        ({"X": X, "y": y, "groups": g, "sample_weight": -g}, "Negative"),
    ):
        with pytest.raises(ValueError, match=message):
            given.adapt(**arguments)
    with pytest.raises(ValueError, match="given twice"):
        RandomInterceptRegressor("g").fit(data[["x", "g"]], y).adapt(data[["x", "g"]], y, groups=g)
    with pytest.raises(NotFittedError):
        RandomInterceptRegressor().adapt(X, y, groups=g)


def test_fits_that_cannot_be_adapted_say_so() -> None:
    data = crossed()
    iterative = MixedLM(formula=CROSSED, solver="iterative").fit(data)
    with pytest.raises(ValueError, match="has not kept its cross-products"):
        iterative.adapt(data)
    rng = np.random.default_rng(0)
    X, y, g = rng.normal(size=(8, 12)), rng.normal(size=8), np.repeat([1, 2], 4)
    with pytest.warns(UserWarning, match="as many coefficients as rows"):
        wide = RandomInterceptRegressor().fit(X, y, groups=g)
    with pytest.raises(ValueError, match="fewer rows than columns"):
        wide.adapt(X, y, groups=g)
