"""Predictions given the residuals that were observed, against the joint normal distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from prediction.residual_rows import dense_prediction, residual_data, whole_covariance
from scipy import stats

from skmixed import MixedLM, mixedlm
from skmixed.fitting.at_rho import FitsAround
from skmixed.inference import bootstrap
from skmixed.residual import (
    AR1,
    CORRELATIONS,
    VARIANCES,
    CompoundSymmetry,
    Heterogeneous,
    Toeplitz,
    Unstructured,
)
from skmixed.residual.conditional import conditional_rows

FORMULA = "out ~ z + (0 + z | who)"
STRUCTURES = {
    **CORRELATIONS,
    **VARIANCES,
    "product": AR1("time") * Heterogeneous("stratum"),
    "unstructured by arm": Unstructured("time", by="arm"),
}


@pytest.fixture(scope="module")
def data():
    """Six visits of each person, in any order."""
    data = residual_data()
    return data.assign(arm=np.where(data["who"] < "p05", "a", "b"))


@pytest.fixture(scope="module")
def forthcoming(data):
    """Of half of the persons, a visit in between and the last are not known."""
    odd = data["who"].str[-1].astype(int) % 2 == 1
    return (odd & data["time"].isin([2, 5])).to_numpy()


@pytest.fixture(scope="module")
def results(data, forthcoming):
    return mixedlm(FORMULA, data[~forthcoming], residual=STRUCTURES["product"])


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Estimates of no use are as good here.
def test_means_and_covariances_are_those_of_the_joint_normal_distribution(name, data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(past))
    results = mixedlm(FORMULA, past, residual=STRUCTURES[name], weights=weights, max_iter=3)
    mean, covariance = dense_prediction(results, past, new, weights)
    found = results.predict(new, residual_memory=True, return_cov=True)
    assert_allclose(found[0], mean, rtol=1e-10, atol=1e-12)
    assert_allclose(found[1], covariance, rtol=1e-9, atol=1e-12)
    _, std = results.predict(new, residual_memory=True, return_std=True)
    assert_allclose(std, np.sqrt(covariance.diagonal()), rtol=1e-10)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Estimates of no use are as good here.
def test_covariances_without_a_past_contain_r(name, data, forthcoming):
    past, options = data[~forthcoming], {"residual": STRUCTURES[name], "max_iter": 3}
    results = mixedlm(FORMULA, past, **options)
    estimator = MixedLM(formula=FORMULA, **options).fit(past)
    new = data[forthcoming].replace({"p01": "somebody"})
    V = whole_covariance(results, new, np.ones(len(new)))
    assert_allclose(estimator.marginal_covariance(new), V, rtol=1e-9, atol=1e-12)
    X = np.column_stack([np.ones(len(new)), new["z"]])
    expected = V + X @ results.cov_params().to_numpy() @ X.T
    _, covariance = results.predict(new, include_random_effects=False, return_cov=True)
    assert_allclose(covariance, expected, rtol=1e-9, atol=1e-12)


def test_variances_are_the_diagonal_of_covariances(results, data):
    _, covariance = results.predict(data, return_cov=True)
    _, std = results.predict(data, return_std=True)
    assert_allclose(std**2, covariance.diagonal(), rtol=1e-12)


def test_rows_without_a_past_are_predicted_as_before(results, data, forthcoming):
    new = data[forthcoming].assign(who="somebody else")
    for options in ({"return_std": True}, {"return_std": True, "kind": "mean"}):
        found = results.predict(new, residual_memory=True, **options)
        assert_allclose(found, results.predict(new, **options), rtol=1e-13)
    plain = mixedlm(FORMULA, data[~forthcoming])
    new = data[forthcoming]
    assert_array_equal(plain.predict(new, residual_memory=True), plain.predict(new))
    strata = mixedlm(FORMULA, data[~forthcoming], residual=Heterogeneous("stratum"))
    assert_array_equal(strata.predict(new, residual_memory=True), strata.predict(new))


def test_each_row_is_predicted_by_itself(results, data, forthcoming):
    new = data[forthcoming]
    whole = results.predict(new, residual_memory=True)
    alone = [results.predict(new.iloc[[i]], residual_memory=True)[0] for i in range(len(new))]
    assert_allclose(alone, whole, rtol=1e-12)


def test_a_row_that_was_observed_leaves_nothing(results, data, forthcoming):
    past = data[~forthcoming].iloc[[5, 0, 9]]
    mean, std = results.predict(past, residual_memory=True, return_std=True)
    assert_allclose(mean, past["out"], rtol=1e-12)
    assert_allclose(std, 0.0, atol=1e-7)


def test_limits_are_as_wide_as_what_is_left(results, data, forthcoming):
    new = data[forthcoming]
    mean, std = results.predict(new, residual_memory=True, return_std=True)
    limits = results.predict_interval(new, residual_memory=True)
    assert_allclose(limits.mean(axis=1), mean, rtol=1e-10)
    t = stats.t.ppf(0.975, len(results.model.design.response) - 2)
    assert_allclose(np.diff(limits)[:, 0], 2 * t * std, rtol=1e-10)
    _, mean_std = results.predict(new, residual_memory=True, return_std=True, kind="mean")
    assert (mean_std < std).all()


def test_an_estimator_takes_the_past(results, data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    expected = results.predict(new, residual_memory=True, return_std=True)
    formula = MixedLM(formula=FORMULA, residual=STRUCTURES["product"]).fit(past)
    found = formula.predict(new, residual_memory=(past,), return_std=True)
    assert_allclose(found, expected, rtol=1e-10)
    columns = ["z", "who", "time", "stratum"]
    model = MixedLM("who", residual=STRUCTURES["product"]).fit(past[columns], past["out"])
    found = model.predict(new[columns], residual_memory=(past[columns], past["out"]))
    told = mixedlm("out ~ z + time + (1 | who)", past, residual=STRUCTURES["product"])
    assert_allclose(found, told.predict(new, residual_memory=True), rtol=1e-8)


def test_an_estimator_takes_the_labels_of_the_past(data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    X, at = past[["z", "time"]], new[["z", "time"]]
    weights = np.linspace(0.5, 1.5, len(past))
    model = MixedLM(residual=AR1("time"))
    model.fit(X, past["out"], groups=past["who"], sample_weight=weights)
    memory = (X, past["out"], past["who"], weights)
    found = model.predict(at, groups=new["who"], residual_memory=memory, return_std=True)
    told = mixedlm("out ~ z + time + (1 | who)", past, residual=AR1("time"), weights=weights)
    expected = told.predict(new, residual_memory=True, return_std=True)
    assert_allclose(found, expected, rtol=1e-8)


def test_the_past_of_somebody_new(results, data):
    """Nothing was fitted to this person: the dense prediction has V^-1 of its rows alone."""
    new = data[data["who"] == "p03"].assign(who="new").sort_values("time")
    past, future = new.head(4), new.tail(2)
    found = results.predict(future, residual_memory=(past,), return_cov=True)
    V = whole_covariance(results, new, np.ones(6))
    R = results.residual_covariance(new).to_numpy()
    C = np.linalg.solve(R[:4, :4], R[:4, 4:]).T
    X = np.column_stack([np.ones(6), new["z"]])
    A = X[4:] - C @ X[:4]
    beta = results.params.to_numpy()
    assert_allclose(found[0], A @ beta + C @ past["out"].to_numpy(), rtol=1e-10)
    both = np.hstack([-C, np.eye(2)])
    expected = both @ V @ both.T + A @ results.cov_params().to_numpy() @ A.T
    assert_allclose(found[1], expected, rtol=1e-9)


def test_groups_of_a_model_without_random_effects(data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    results = mixedlm("out ~ z", past, residual=CompoundSymmetry(group="who"))
    mean, covariance = dense_prediction(results, past, new)
    found = results.predict(new, residual_memory=True, return_cov=True)
    assert_allclose(found[0], mean, rtol=1e-10)
    assert_allclose(found[1], covariance, rtol=1e-9, atol=1e-12)


def test_without_times_new_rows_follow_the_observed_ones(data):
    ordered = data.sort_values(["who", "time"])
    past, new = ordered[ordered["time"] < 4], ordered[ordered["time"] >= 4]
    by_time = mixedlm(FORMULA, past, residual=AR1("time"))
    by_order = mixedlm(FORMULA, past, residual=AR1())
    expected = by_time.predict(new, residual_memory=True, return_std=True)
    found = by_order.predict(new, residual_memory=True, return_std=True)
    assert_allclose(found, expected, rtol=1e-8)


def test_an_offset_is_known(data, forthcoming):
    shifted = data.assign(out=data["out"] + 5 * data["x"])
    results = mixedlm(
        "out ~ z + offset(5 * x) + (0 + z | who)", shifted[~forthcoming], residual=AR1("time")
    )
    plain = mixedlm(FORMULA, data[~forthcoming], residual=AR1("time"))
    found = results.predict(shifted[forthcoming], residual_memory=True)
    expected = plain.predict(data[forthcoming], residual_memory=True) + 5 * data["x"][forthcoming]
    assert_allclose(found, expected, rtol=1e-7)


def test_in_a_chain_only_neighbours_count():
    """A group of 100,000 rows: its correlations would take 80 GB."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"t": np.arange(100_000), "g": 0, "out": rng.normal(size=100_000)})
    new = np.isin(data["t"], [50_000, 99_999])
    fitted = mixedlm("out ~ 1", data[:50], residual=AR1("t", group="g")).fit.residual
    placed = [
        fitted.learned.placed(part, np.zeros(len(part), dtype=np.intp))
        for part in (data[~new], data[new])
    ]
    (found,) = conditional_rows(fitted, *placed, alone=False)
    assert found.observed.tolist() == [[49_999, 50_000, 99_997]]
    assert found.new.tolist() == [[0, 1]]


def test_fits_around_the_estimate_are_those_of_other_variances(results, data, forthcoming):
    around = FitsAround(results.fit, results.model)
    moved = around.at(around.estimate + np.array([0.1, -0.2, 0.3]), keep_sigma=True)
    other = replace(results, fitted_model=replace(results.fitted_model, fit=moved))
    assert_allclose(moved.residual.rho, results.fit.residual.rho + np.array([-0.2, 0.3]))
    new = data[forthcoming]
    mean, covariance = dense_prediction(other, data[~forthcoming], new)
    found = other.predict(new, residual_memory=True, return_cov=True)
    assert_allclose(found[0], mean, rtol=1e-10)
    assert_allclose(found[1], covariance, rtol=1e-9, atol=1e-12)


def test_uncertain_variances_widen_forecasts(results, data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    given, delta, rho_known = (
        model.predict(new, residual_memory=memory, return_std=True, variance_uncertainty=how)[1]
        for model, memory, how in (
            (results, True, None),
            (results, True, "delta"),
            (MixedLM(formula=FORMULA, residual=STRUCTURES["product"]).fit(past), (past,), "delta"),
        )
    )
    assert (delta > rho_known).all()
    assert (rho_known > given).all()


def test_draws_of_the_variances_contain_those_of_residuals(results, data, forthcoming):
    new = data[forthcoming]
    draws = bootstrap(results, n=15, random_state=0)
    _, std = results.predict(new, residual_memory=True, return_std=True, variance_uncertainty=draws)
    _, given = results.predict(new, residual_memory=True, return_std=True)
    assert 0.9 < np.median(std / given) < 1.5
    poorer = replace(draws, draws=draws.draws.drop(columns="rho[0]"))
    with pytest.raises(ValueError, match="without the variance parameters of this model"):
        results.predict(new, variance_uncertainty=poorer)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"include_random_effects": False}, "given the random effects"),
        ({}, {"residual_memory": (1, 2, 3, 4, 5)}, "a tuple of length 5"),
        ({}, {"residual_memory": [1, 2]}, r"a tuple \(X, y\) of observed rows, got list"),
        ({"who": None}, {}, "residual_memory needs the labels|needs `groups`"),
        ({"time": None}, {}, "reads .*'time'"),
        ({"stratum": "new"}, {}, "unknown groups"),
    ],
)
def test_what_memory_needs(change, options, message, results, data, forthcoming):
    new = data[forthcoming]
    for column, value in change.items():
        new = new.drop(columns=column) if value is None else new.assign(**{column: value})
    with pytest.raises(ValueError, match=message):
        results.predict(new, **{"residual_memory": True, "include_random_effects": True, **options})


def test_an_estimator_has_no_memory_of_its_own(data, forthcoming):
    past, new = data[~forthcoming], data[forthcoming]
    model = MixedLM(formula=FORMULA, residual=AR1("time")).fit(past)
    with pytest.raises(ValueError, match=r"residual_memory=\(X, y\)"):
        model.predict(new, residual_memory=True)
    with pytest.raises(ValueError, match="have the time"):
        model.predict(new, residual_memory=(pd.concat([past, past]),))
    with pytest.raises(ValueError, match="positive, finite"):
        model.predict(new, residual_memory=(past, None, None, np.zeros(len(past))))
    with pytest.raises(ValueError, match=r"reads \['time'\]"):
        model.predict(new, residual_memory=(past.drop(columns="time"),))
    with pytest.raises(ValueError, match="as many responses as rows"):
        model.predict(new, residual_memory=(past, past["out"].head(3)))


def test_an_occasion_that_was_not_fitted_is_an_error(data, forthcoming):
    results = mixedlm("out ~ z", data[~forthcoming], residual=Toeplitz("time", group="who"))
    new = data[forthcoming].assign(time=17, stratum="even")
    with pytest.raises(ValueError, match=r"unknown groups \[17\].*without residual_memory"):
        results.predict(new, residual_memory=True)


def test_places_beyond_the_last_occasion_are_an_error(data):
    past = data.sort_values(["who", "time"])
    results = mixedlm("out ~ z", past, residual=Toeplitz(group="who"))
    with pytest.raises(ValueError, match="knows 6 rows of a group"):
        results.predict(past.head(1), residual_memory=True)


def test_another_level_of_a_factor_is_an_error(data, forthcoming):
    site = data["who"].str[-1]
    data = data.assign(site=site, out=data["out"] + 3 * site.astype(int))
    results = mixedlm("out ~ z + (1 | site)", data[~forthcoming], residual=AR1("time", "who"))
    new = data[forthcoming].assign(site="1")
    with pytest.raises(ValueError, match="one level of every grouping factor, and row"):
        results.predict(new, residual_memory=True)


def test_another_arm_is_an_error(data, forthcoming):
    results = mixedlm(FORMULA, data[~forthcoming], residual=AR1("time", by="arm"))
    with pytest.raises(ValueError, match="must be constant within the groups"):
        results.predict(data[forthcoming].assign(arm="a"), residual_memory=True)


def test_missing_rows_are_predicted_as_nan(data, forthcoming):
    holed = data.copy()
    holed.loc[data.index[forthcoming][0], "z"] = np.nan
    results = mixedlm(FORMULA, holed, residual=AR1("time"), missing="drop")
    found = results.predict(holed[forthcoming], residual_memory=True)
    assert_array_equal(np.isnan(found), holed["z"][forthcoming].isna())
