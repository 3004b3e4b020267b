"""Rows that are left out of generalised models are predicted as by models without them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.model_selection import GroupKFold, KFold

from skmixed import MixedLogisticRegression, mixedglm
from skmixed.inference import kfold_predict, logo_predict, loo_predict


def simulated() -> pd.DataFrame:
    """Return responses of 20 groups crossed with 3 days."""
    rng = np.random.default_rng(3)
    group, day = np.repeat(np.arange(20), 9), np.tile(np.arange(3), 60)
    x = rng.normal(size=180)
    eta = 0.2 + 0.7 * x + rng.normal(size=20)[group] + 0.6 * rng.normal(size=3)[day]
    trials = rng.integers(1, 6, 180).astype(float)
    return pd.DataFrame(
        {
            "x": x,
            "group": group,
            "day": day,
            "count": rng.poisson(np.exp(eta)),
            "share": rng.binomial(trials.astype(int), expit(eta)) / trials,
            "trials": trials,
            "normal": eta + rng.normal(size=180),
        }
    )


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def poisson(data):
    return mixedglm("count ~ x + (1 | group)", data, family="poisson")


@pytest.fixture(scope="module")
def shares(data):
    return mixedglm("share ~ x + (1 | group)", data, weights="trials")


def modes_without(results, row: int):
    """Find the modes without a row at the same parameters; return its eta and variance."""
    fit, model = results.fit, results.model
    rest = np.delete(np.arange(model.design.n_rows), row)
    effects, block = fit.random[0], model.design.blocks[0]
    own = block.factor.codes == block.factor.codes[row]
    Z, Psi = block.columns[own], effects.effect_covariance
    fixed = results.params.iloc[0] + model.design.fixed @ results.params.iloc[1:].to_numpy()
    b, kept = np.zeros(len(Psi)), np.isin(np.flatnonzero(own), rest)
    weights = model.design.weights.values
    w = np.ones(len(kept)) if weights is None else weights[own]
    for _ in range(50):
        eta = fixed[own] + Z @ b
        rows = fit.family.derivatives(model.design.response[own], eta, (), full=False)
        score = Z.T @ (kept * w * rows.first) - np.linalg.solve(Psi, b)
        precision = Z.T @ ((-(kept * w) * rows.second)[:, None] * Z) + np.linalg.inv(Psi)
        b = b + np.linalg.solve(precision, score)
    z = block.columns[row]
    return fixed[row] + z @ b, z @ np.linalg.solve(precision, z)


def test_a_row_without_it_is_near_the_modes_without_it(poisson, shares):
    for results, response in ((poisson, "log"), (shares, "logit")):
        mean, std = loo_predict(results, return_std=True)
        assert mean.index.equals(results.data.index)
        within = results.fittedvalues.to_numpy()
        for row in (0, 5, 100):
            eta, variance = modes_without(results, row)
            z = np.linspace(-9.0, 9.0, 4001)
            at = eta + np.sqrt(variance) * z
            h = np.exp(at) if response == "log" else expit(at)
            weights = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) * (z[1] - z[0])
            exact = h @ weights
            assert abs(mean[row] - exact) < 0.2 * abs(exact - within[row]) + 0.01 * exact
            n = 1.0 if response == "log" else results.data["trials"][row]
            noise = h if response == "log" else h * (1.0 - h) / n
            total = noise @ weights + (h**2) @ weights - exact**2
            assert std[row] == pytest.approx(np.sqrt(total), rel=0.1)


def test_a_row_alone_in_its_group_is_predicted_as_of_a_new_group(data):
    alone = data.assign(group=np.where(np.arange(180) < 4, np.arange(180) + 50, data["group"]))
    results = mixedglm("count ~ x + (1 | group)", alone, family="poisson")
    expected = results.predict(alone.head(4).assign(group=-1), average=True)
    assert_allclose(loo_predict(results).head(4), expected, rtol=1e-6)


def test_normal_responses_are_left_out_exactly(data):
    """At known parameters, a leave-one-out prediction is that of the others."""
    results = mixedglm("normal ~ x + (1 | group)", data, family="gaussian")
    mean, std = loo_predict(results, return_std=True)
    variance = float(np.exp(results.fit.extra[0].coefficients[0]))
    psi = results.fit.random[0].effect_covariance[0, 0]
    fixed = results.params.iloc[0] + results.params.iloc[1] * data["x"]
    left = data["normal"] - fixed
    sums = left.groupby(data["group"]).transform("sum") - left
    shrink = psi / (variance + 8.0 * psi)
    assert_allclose(mean, fixed + shrink * sums, rtol=1e-5)
    assert_allclose(std**2, variance + psi * variance / (variance + 8.0 * psi), rtol=1e-5)


def test_a_group_by_one_step_is_near_the_fit_without_it(poisson, shares):
    for results in (poisson, shares):
        step, step_std = logo_predict(results, return_std=True)
        exact, exact_std = logo_predict(results, refit=True, return_std=True)
        naive = results.predict(results.data, average=True, include_random_effects=False)
        assert np.linalg.norm(step - exact) < 0.2 * np.linalg.norm(naive - exact)
        assert np.quantile(np.abs(step_std / exact_std - 1.0), 0.9) < 0.05


def test_a_group_is_predicted_by_the_fit_without_it(data, shares):
    exact, std = logo_predict(shares, refit=True, return_std=True)
    out = data["group"] == 7
    without = mixedglm("share ~ x + (1 | group)", data[~out], weights="trials")
    expected, expected_std = without.predict(
        data[out], average=True, return_std=True, trials=data.loc[out, "trials"]
    )
    assert_allclose(exact[out], expected, rtol=1e-5)
    assert_allclose(std[out], expected_std, rtol=1e-4)


def test_folds_are_predicted_by_fits_of_the_others(data):
    formula = "count ~ x + (1 | group) + (1 | day)"
    results = mixedglm(formula, data, family="poisson")
    for cv in (KFold(3, shuffle=True, random_state=0), GroupKFold(3)):
        factor = None if isinstance(cv, KFold) else "group"
        found, std = kfold_predict(results, cv=cv, factor=factor, return_std=True)
        train, test = next(iter(cv.split(data, groups=factor and data[factor])))
        other = mixedglm(formula, data.iloc[train], family="poisson")
        expected = other.predict(data.iloc[test], average=True, return_std=True)
        assert_allclose(found.iloc[test], expected[0], rtol=1e-4)
        assert_allclose(std.iloc[test], expected[1], rtol=1e-3)


def test_groups_that_share_levels_are_fitted_again(data):
    small = data[data["group"] < 6]
    results = mixedglm("count ~ x + (1 | group) + (1 | day)", small, family="poisson")
    found = logo_predict(results, factor="group")
    out = small["group"] == 2
    other = mixedglm("count ~ x + (1 | group) + (1 | day)", small[~out], family="poisson")
    expected = other.predict(small[out], average=True)
    assert_allclose(found[out], expected, rtol=1e-4)


def test_a_column_that_the_other_rows_do_not_tell(data):
    marked = data.assign(only=(data["group"] == 3) * 1.0)
    results = mixedglm("count ~ x + only + (1 | group)", marked, family="poisson")
    with pytest.warns(UserWarning, match="have no prediction"):
        found = logo_predict(results, refit=True)
    assert np.isnan(found[marked["group"] == 3]).all()
    assert np.isfinite(found[marked["group"] != 3]).all()
    with pytest.warns(UserWarning, match="have no prediction"):
        found = logo_predict(results)
    assert np.isnan(found[marked["group"] == 3]).all()


def test_further_predictors_are_those_of_the_rows_left_out(data):
    rng = np.random.default_rng(0)
    spread = data.assign(count=rng.poisson(data["count"] * rng.gamma(2.0, 0.5, size=180)))
    results = mixedglm("count ~ x + (1 | group)", spread, family="negative_binomial")
    step, exact = logo_predict(results), logo_predict(results, refit=True)
    assert_allclose(step, exact, rtol=0.1)
    assert np.isfinite(loo_predict(results)).all()


def test_other_rows_are_noticed(data, poisson):
    moved = data.assign(count=data["count"].to_numpy()[::-1])
    other = mixedglm("count ~ x + (1 | group)", moved, family="poisson")
    mixed = type(poisson)(other.fitted_model.refitted(poisson.fit, other.model))
    with pytest.raises(ValueError, match="not the rows"):
        loo_predict(mixed)


def test_estimators_bring_their_rows(data):
    yes = np.where(data["share"] > 0.5, "yes", "no")
    X = data[["x", "group"]]
    model = MixedLogisticRegression("group").fit(X, yes)
    results = mixedglm("y ~ x + (1 | group)", X.assign(y=(yes == "yes") * 1.0))
    for predict in (loo_predict, logo_predict):
        assert_allclose(predict(model, X, yes), predict(results), rtol=1e-5)
    with pytest.raises(ValueError, match="fitted to"):
        loo_predict(model, X[::-1].reset_index(drop=True), yes)
