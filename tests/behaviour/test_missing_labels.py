"""Rows without a label at predict: an error, or predictions as for an unseen group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skmixed import (
    GroupConformalRegressor,
    GroupScorer,
    MixedLM,
    RandomInterceptRegressor,
    mixedlm,
)
from skmixed.plots import PredictionComparisonDisplay, PredictionIntervalDisplay

POPULATION = {"missing_groups": "population"}
NULLS = [None, np.nan, pd.NA, pd.NaT]


@pytest.fixture
def crossed(data):
    """Return the data with seven towns, which differ, as schools do within towns."""
    rng = np.random.default_rng(2)
    town, school = rng.integers(7, size=120), data["school"].str[1:].astype(int).to_numpy()
    effects = (
        rng.normal(scale=2.0, size=7)[town] + rng.normal(scale=3.0, size=(10, 7))[school, town]
    )
    return data.assign(town=town, y=data["y"] + effects)


def without(frame, rows, column="school"):
    return frame.assign(**{column: frame[column].astype(object).where(~rows, None)})


def every_prediction(model, X, **groups):
    """Return the predictions of all methods, rows first."""
    mean, std = model.predict(X, return_std=True, **groups)
    return np.column_stack(
        [
            mean,
            std,
            model.predict(X, return_std=True, kind="mean", variance_uncertainty="delta", **groups)[
                1
            ],
            model.predict(X, return_cov=True, **groups)[1].diagonal(),
            model.predict_interval(X, **groups),
            model.predict_quantiles(X, **groups),
            model.marginal_covariance(X, **groups).diagonal(),
        ]
    )


@pytest.mark.parametrize("null", NULLS, ids=repr)
def test_a_batch_with_one_null_label(X, y, null):
    batch = X.head(6).astype({"school": object})
    batch.iloc[2, 2] = null
    strict = MixedLM("school", random_slopes="x1").fit(X, y)
    with pytest.raises(ValueError, match=r"NaN in 'school' \(1 of 6 rows\).*missing_groups="):
        strict.predict(batch)
    model = MixedLM("school", random_slopes="x1", **POPULATION).fit(X, y)
    new = batch.assign(school=batch["school"].where(np.arange(6) != 2, "never seen"))
    assert_allclose(every_prediction(model, batch), every_prediction(strict, new))
    assert_allclose(
        model.predict(batch)[[0, 1, 3, 4, 5]], strict.predict(X.head(6))[[0, 1, 3, 4, 5]]
    )


@pytest.mark.parametrize("labels", ["array", "list", "float", "Int64", "category", "masked"])
def test_null_labels_in_an_array(data, y, labels):
    numbers, codes = data[["x1", "x2"]].to_numpy(), data["school"].str[1:].astype(int).to_numpy()
    rows = np.arange(120) % 5 == 1
    null = pd.Series(codes).astype(object).where(~rows, None)
    given = {
        "array": null.to_numpy(),
        "list": null.to_list(),
        "float": np.where(rows, np.nan, codes),
        "Int64": null.astype("Int64"),
        "category": null.astype("category"),
        "masked": np.ma.array(codes, mask=rows),
    }[labels]
    model = RandomInterceptRegressor(**POPULATION).fit(numbers, y, groups=codes)
    unseen = np.where(rows, 1000 + np.arange(120), codes)
    assert_allclose(
        every_prediction(model, numbers, groups=given),
        every_prediction(model, numbers, groups=unseen),
    )
    assert model.score(numbers, y, groups=given) == model.score(numbers, y, groups=unseen)


def test_only_the_factor_whose_label_is_missing_drops_out(crossed):
    X, y = crossed[["x1", "school", "town"]], crossed["y"]
    formula = "y ~ x1 + (1 | school) + (1 | town)"
    for model in (
        MixedLM(["school", "town"], **POPULATION).fit(X, y),
        MixedLM(formula=formula, **POPULATION).fit(crossed),
    ):
        rows = np.arange(120) < 9
        expected = model.predict(X, include_random_effects=["town"])
        assert_allclose(model.predict(without(X, rows))[rows], expected[rows])
        assert_allclose(model.predict(without(X, rows))[~rows], model.predict(X)[~rows])
        both = without(without(X, rows), rows, "town")
        population = model.predict(X, include_random_effects=False)
        assert_allclose(model.predict(both)[rows], population[rows])


def test_a_part_of_a_combination_may_be_missing(crossed):
    X, rows = crossed[["x1", "school", "town"]], np.arange(120) % 2 == 0
    model = MixedLM("school/town", **POPULATION).fit(X, crossed["y"])
    expected = model.predict(X, include_random_effects=["school"])
    assert_allclose(model.predict(without(X, rows, "town"))[rows], expected[rows])


def test_rows_without_a_label_share_no_group(X, y):
    """Two rows of one new group are correlated; of two unlabelled rows that is not known."""
    model = MixedLM("school", **POPULATION).fit(X, y)
    two = X.head(2).assign(school=["new", "new"])
    assert model.marginal_covariance(two)[0, 1] > 0
    assert model.marginal_covariance(two.assign(school=None))[0, 1] == 0


def test_a_label_that_is_wrong_is_still_an_error(X, y):
    model = MixedLM("school", unseen_groups="error", **POPULATION).fit(X, y)
    batch = X.head(4).assign(school=["NEW", None, "s1", "s1"])
    with pytest.raises(ValueError, match=r"unknown groups \['NEW'\]"):
        model.predict(batch)
    assert model.predict(without(X, np.arange(120) < 5)).shape == (120,)
    assert model.predict(X.assign(school=None)).shape == (120,)


@pytest.mark.parametrize(
    "model", [MixedLM("school", **POPULATION), RandomInterceptRegressor("school", **POPULATION)]
)
def test_fit_and_adapt_refuse_null_labels(X, y, model):
    gaps = without(X, np.arange(120) == 3)
    with pytest.raises(ValueError, match=r"NaN in 'school' \(1 of 120 rows\)"):
        model.fit(gaps, y)
    fitted = model.fit(X, y)
    with pytest.raises(ValueError, match=r"NaN in 'school' \(1 of 120 rows\)"):
        fitted.adapt(gaps, y)


def test_it_is_a_parameter_like_others(X, y):
    assert clone(MixedLM("school", **POPULATION)).get_params()["missing_groups"] == "population"
    assert MixedLM("school").missing_groups == "error"
    with pytest.raises(ValueError, match=r"'missing_groups' .*\('error', 'population'\), got 'no'"):
        MixedLM("school", missing_groups="no").fit(X, y)
    search = GridSearchCV(MixedLM("school"), {"missing_groups": ["error", "population"]}, cv=2)
    search.fit(X, y)
    assert_allclose(*search.cv_results_["mean_test_score"].reshape(2, 1))


def test_scorers_and_routing_pass_null_labels_on(X, y):
    numbers, labels = X[["x1", "x2"]], X["school"].to_numpy(copy=True)
    model = MixedLM(**POPULATION).fit(numbers, y, groups=labels)
    null = labels.copy()
    null[::7] = None
    unseen = labels.copy()
    unseen[::7] = "new"
    score = GroupScorer()(model, numbers, y, groups=null)
    assert score == GroupScorer()(model, numbers, y, groups=unseen)
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate(
            MixedLM(**POPULATION).set_fit_request(groups=True),
            numbers,
            y,
            cv=KFold(2),
            params={"groups": labels},
            scoring=GroupScorer(),
        )
    assert np.isfinite(scores["test_score"]).all()


def test_what_wraps_or_shows_an_estimator_follows_it(X, y):
    gaps, unseen = (
        without(X, np.arange(120) < 5),
        X.assign(school=X["school"].where(X.index > 4, "N")),
    )
    wrapper = GroupConformalRegressor(MixedLM("school", **POPULATION), random_state=0).fit(X, y)
    assert_allclose(wrapper.predict(gaps), wrapper.predict(unseen))
    assert_allclose(
        wrapper.predict_interval(gaps, coverage=0.8), wrapper.predict_interval(unseen, coverage=0.8)
    )
    model = MixedLM("school", **POPULATION).fit(X, y)
    for display in (PredictionComparisonDisplay, PredictionIntervalDisplay):
        options = {"kind": "rows"} if display is PredictionIntervalDisplay else {}
        shown = [display.from_estimator(model, rows, y, **options) for rows in (gaps, unseen)]
        for name, values in vars(shown[0]).items():
            if isinstance(values, np.ndarray):
                assert_allclose(values, vars(shown[1])[name])


def test_results_of_an_estimator_follow_it_and_mixedlm_has_missing_drop(data, X, y):
    gaps = without(X, np.arange(120) < 5)
    model = MixedLM("school", **POPULATION).fit(X, y)
    assert_allclose(model.results_.predict(gaps), model.predict(gaps))
    results = mixedlm("y ~ x1 + x2 + (1 | school)", data, missing="drop")
    assert np.isnan(results.predict(gaps)[:5]).all()
