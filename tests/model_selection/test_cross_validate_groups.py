"""Cross-validation of groups answers the two questions it names, and no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skmixed import (
    GroupConformalRegressor,
    MixedLM,
    RandomInterceptRegressor,
    cross_validate_groups,
)
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy, make_mixed_regression

KNOWN, NEW = "new rows of known groups", "new groups"


@pytest.fixture(scope="module")
def study():
    sizes = np.resize([1, 2, 3, 8, 16], 40)
    return make_mixed_regression(40, sizes, re_cov=4.0, as_frame=True, random_state=5)


@pytest.fixture(scope="module")
def scores(study):
    model = RandomInterceptRegressor("group")
    return cross_validate_groups(model, study[["x1", "group"]], study["y"], random_state=0)


def folds_of(scores, question):
    """Return the positions of the test rows of each fold."""
    table = scores.predictions
    return [
        part["row"].to_numpy() for _, part in table[table["question"] == question].groupby("fold")
    ]


def test_known_groups_have_rows_in_the_training_part_and_singletons_are_left_out(study, scores):
    group = study["group"].to_numpy()
    tested = folds_of(scores, KNOWN)
    for test in tested:
        train = np.setdiff1d(np.arange(len(group)), test)
        assert set(group[test]) <= set(group[train])
    every = np.concatenate(tested)
    assert len(set(every)) == len(every)
    assert set(study["group"]) - set(group[every]) == set(range(0, 40, 5))
    table = scores.summary().set_index("question")
    assert table.loc[KNOWN, ["rows", "groups", "left_out"]].tolist() == [232, 32, 8]
    assert "8 rows are left out of 'new rows of known groups'" in repr(scores)


def test_folds_of_known_groups_have_equal_sizes_and_spread_each_group(study, scores):
    tested = folds_of(scores, KNOWN)
    counts = np.array([np.bincount(study["group"].iloc[test], minlength=40) for test in tested])
    # A group's rows differ by one between folds, but for singletons that were taken out.
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 8


def test_new_groups_have_no_rows_in_the_training_part(study, scores):
    group = study["group"].to_numpy()
    tested = folds_of(scores, NEW)
    assert len(tested) == 5
    assert_allclose(np.sort(np.concatenate(tested)), np.arange(len(group)))
    for test in tested:
        train = np.setdiff1d(np.arange(len(group)), test)
        assert not set(group[test]) & set(group[train])


def test_predictions_are_those_of_fits_by_hand(study, scores):
    X, y = study[["x1", "group"]], study["y"]
    for _, table in scores.predictions.groupby("question"):
        found = table[table["fold"] == 2].set_index("row")
        train = np.setdiff1d(np.arange(len(y)), found.index)
        model = RandomInterceptRegressor("group").fit(X.iloc[train], y.iloc[train])
        assert_allclose(found["predicted"], model.predict(X.iloc[found.index]))
        assert_allclose(found[["lower", "upper"]], model.predict_interval(X.iloc[found.index]))
        assert_allclose(found["observed"], y.iloc[found.index])
        assert_allclose(found["training_mean"], y.iloc[train].mean())
        assert list(found["group"]) == list(X["group"].iloc[found.index])


def test_scores_are_those_of_the_rows(scores):
    summary = scores.summary().set_index("question")
    folds = scores.folds.set_index(["question", "fold"])
    for question, table in scores.predictions.groupby("question"):
        for key, part in [
            (question, table),
            *(((question, f), p) for f, p in table.groupby("fold")),
        ]:
            row = summary.loc[key] if key == question else folds.loc[key]
            error = ((part["observed"] - part["predicted"]) ** 2).sum()
            spread = ((part["observed"] - part["training_mean"]) ** 2).sum()
            assert_allclose(row["r2"], 1 - error / spread)
            assert_allclose(
                row["rmse"], root_mean_squared_error(part["observed"], part["predicted"])
            )
            inside = part["observed"].between(part["lower"], part["upper"])
            assert_allclose(row["coverage"], inside.mean())
            assert_allclose(row["width"], (part["upper"] - part["lower"]).mean())
            assert row["rows"] == len(part)
        errors = folds.loc[question]["r2"].std() / np.sqrt(5)
        assert_allclose(summary.loc[question, "r2_se"], errors)


def test_the_mean_of_the_training_rows_has_no_merit():
    X, y, groups = make_mixed_regression(30, 5, random_state=0)
    model = LinearRegression()
    scores = cross_validate_groups(model, np.zeros_like(X), y, groups, random_state=0)
    assert_allclose(scores.summary()["r2"], 0.0, atol=1e-12)
    # Against the mean of the test rows, which nobody knows beforehand, it has less than none.
    part = scores.predictions.query("question == @NEW and fold == 1")
    assert r2_score(part["observed"], part["predicted"]) < 0


def test_groups_that_differ_tell_the_questions_apart(scores):
    table = scores.summary().set_index("question")
    # Of Var(y) = 4 + 1 + 1 the slope explains 1, and rows of known groups tell most of 4.
    assert table.loc[NEW, "r2"] == pytest.approx(1 / 6, abs=0.2)
    assert table.loc[KNOWN, "r2"] > 0.7
    assert table.loc[KNOWN, "width"] < 0.6 * table.loc[NEW, "width"]
    assert_allclose(table["coverage"], 0.95, atol=0.06)


def test_printing_answers_the_question():
    data = load_sleepstudy()
    model = MixedLM("Subject", random_slopes="Days")
    scores = cross_validate_groups(
        model, data[["Days", "Subject"]], data["Reaction"], coverage=0.9, random_state=0
    )
    head, columns, known, new = repr(scores).splitlines()
    assert head.startswith("MixedLM, 5 folds")
    assert "90 %" in head
    assert columns.split() == ["R2", "RMSE", "coverage", "width"]
    assert known.startswith("new rows of known groups (Subject)")
    row = scores.summary().iloc[1]
    assert f"{row['r2']:.2f} +- {row['r2_se']:.2f}" in new


@pytest.mark.parametrize("routing", [False, True], ids=["no routing", "routing"])
@pytest.mark.exhaustive(2)
def test_every_way_to_give_labels_gives_the_same(study, scores, routing):
    numbers, y, labels = study[["x1"]], study["y"], study["group"]
    both = study[["x1", "group"]]
    steps = make_column_transformer(
        ("passthrough", ["x1"]), remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    columns = ["question", "fold", "row", "observed", "predicted", "lower", "upper"]
    with sklearn.config_context(enable_metadata_routing=routing):
        ways = [
            cross_validate_groups(RandomInterceptRegressor(), numbers, y, labels, random_state=0),
            cross_validate_groups(
                RandomInterceptRegressor(), numbers.to_numpy(), y, list(labels), random_state=0
            ),
            cross_validate_groups(
                make_pipeline(StandardScaler(), RandomInterceptRegressor()),
                numbers,
                y,
                labels,
                random_state=0,
            ),
            cross_validate_groups(
                make_pipeline(steps, RandomInterceptRegressor("group")), both, y, random_state=0
            ),
            cross_validate_groups(MixedLM(formula="y ~ x1 + (1 | group)"), study, random_state=0),
            cross_validate_groups(
                MixedLM(formula="y ~ x1 + (1 | group)"), both, y, random_state=0, n_jobs=2
            ),
            cross_validate_groups(
                GridSearchCV(RandomInterceptRegressor("group"), {"method": ["reml"]}),
                both,
                y,
                random_state=0,
            ),
        ]
    for found in ways[:-1]:
        assert_frame_equal(
            found.predictions[columns], scores.predictions[columns], check_exact=False, rtol=1e-6
        )
    # A search has no intervals.
    assert_allclose(ways[-1].predictions["predicted"], scores.predictions["predicted"], rtol=1e-6)
    assert ways[-1].summary()["coverage"].isna().all()


def test_a_regressor_without_groups_is_compared_on_the_same_folds(study, scores):
    base = cross_validate_groups(
        LinearRegression(), study[["x1"]], study["y"], study["group"], random_state=0
    )
    assert_allclose(base.predictions["row"], scores.predictions["row"])
    known, new = base.summary()["r2"]
    ours = scores.summary()["r2"]
    assert known < ours[0] - 0.3
    assert new == pytest.approx(ours[1], abs=0.1)
    assert base.summary()[["coverage", "width"]].isna().all(axis=None)
    assert repr(base).splitlines()[2].split()[-2:] == ["-", "-"]
    assert base.questions == [(KNOWN, "group"), (NEW, "group")]


def test_conformal_intervals_are_scored_too(study):
    conformal = GroupConformalRegressor(
        RandomInterceptRegressor("group"), method="split", random_state=0
    )
    scores = cross_validate_groups(
        conformal, study[["x1", "group"]], study["y"], coverage=0.8, random_state=0
    )
    assert scores.estimator == "GroupConformalRegressor(RandomInterceptRegressor)"
    assert 0.7 < scores.summary()["coverage"][1] < 0.95


@pytest.mark.slow
def test_a_forest_in_conformal_intervals(study):
    forest = RandomForestRegressor(10, random_state=0)
    conformal = make_pipeline(StandardScaler(), GroupConformalRegressor(forest, random_state=0))
    scores = cross_validate_groups(
        conformal, study[["x1"]], study["y"], study["group"], coverage=0.8, random_state=0
    )
    assert scores.estimator == "GroupConformalRegressor(RandomForestRegressor)"
    assert 0.7 < scores.summary()["coverage"][1] < 0.95


@pytest.mark.slow
def test_each_of_several_factors_is_new_in_turn():
    data = load_penicillin()
    model = MixedLM(["plate", "sample"])
    X, y = data[["plate", "sample"]], data["diameter"]
    scores = cross_validate_groups(model, X, y, random_state=0)
    assert scores.questions == [(KNOWN, "plate, sample"), (NEW, "plate"), (NEW, "sample")]
    for name in X:
        for _, part in scores.predictions.query("factor == @name").groupby("fold"):
            held = X[name].iloc[part["row"]]
            assert not set(held) & set(X[name].drop(part["row"]))
            assert set(part["group"]) == set(held)
    one = cross_validate_groups(model, X, y, factor="plate", random_state=0)
    assert one.questions == [(KNOWN, "plate, sample"), (NEW, "plate")]
    assert_frame_equal(one.summary(), scores.summary().iloc[:2])
    labels = cross_validate_groups(MixedLM(), np.empty((144, 0)), y, X, random_state=0)
    assert_allclose(labels.predictions["predicted"], scores.predictions["predicted"], rtol=1e-6)


def test_nested_factors():
    data = load_pastes()
    model = MixedLM(formula="strength ~ 1 + (1 | batch / cask)")
    scores = cross_validate_groups(model, data, random_state=0)
    assert [factor for _, factor in scores.questions] == [
        "batch, batch:cask",
        "batch",
        "batch:cask",
    ]
    r2 = scores.summary().set_index("factor")["r2"]
    assert r2["batch, batch:cask"] > 0.8 > r2["batch:cask"]


def test_pairs_can_be_divided_into_more_folds_than_two():
    X, y, groups = make_mixed_regression(20, 2, re_cov=9.0, random_state=0)
    scores = cross_validate_groups(RandomInterceptRegressor(), X, y, groups, random_state=0)
    table = scores.summary()
    assert table["rows"].tolist() == [40, 40]
    assert table["r2"][0] > table["r2"][1] + 0.3


def test_singletons_alone_leave_the_first_question_open():
    X, y, groups = make_mixed_regression(20, 1, random_state=0)
    scores = cross_validate_groups(LinearRegression(), X, y, groups, random_state=0)
    table = scores.summary()
    assert table["rows"].tolist() == [0, 20]
    assert table["left_out"].tolist() == [20, 0]
    assert np.isnan(table["r2"][0])
    assert "20 rows are left out" in repr(scores)


def test_weights_are_those_of_repeated_rows():
    X, y, groups = make_mixed_regression(12, 6, random_state=0)
    weight = np.where(groups % 3 == 0, 2, 1)
    scores = cross_validate_groups(
        LinearRegression(), X, y, groups, sample_weight=weight, random_state=0
    )
    table = scores.predictions
    assert_allclose(table["weight"], weight[table["row"]])
    repeated = table.loc[np.repeat(table.index, table["weight"].astype(int))]
    new = repeated[repeated["question"] == NEW]
    assert_allclose(
        scores.summary()["rmse"][1], root_mean_squared_error(new["observed"], new["predicted"])
    )
    first = new[new["fold"] == 1]
    train = np.setdiff1d(np.arange(len(y)), first["row"])
    assert_allclose(first["training_mean"], np.average(y[train], weights=weight[train]))


def test_random_state_decides_the_folds(study):
    X, y = study[["x1", "group"]], study["y"]
    first, again, other = (
        cross_validate_groups(RandomInterceptRegressor("group"), X, y, random_state=seed)
        for seed in (1, 1, 2)
    )
    assert_frame_equal(first.predictions, again.predictions)
    assert not first.predictions["row"].equals(other.predictions["row"])


def test_the_estimator_is_left_alone(study):
    model = RandomInterceptRegressor("group")
    cross_validate_groups(model, study[["x1", "group"]], study["y"])
    assert not hasattr(model, "lmm_fit_")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": 1}, "cv must be a number of folds, at least 2"),
        ({"cv": "five"}, "cv must be a number of folds, at least 2"),
        ({"cv": 41}, "cv=41 folds need as many groups, but 'group' has 40"),
        ({"coverage": 95}, "coverage must be between 0 and 1"),
        (
            {"factor": "school"},
            r"factor='school' is no grouping factor; the factors are \['group'\]",
        ),
        ({"groups": [1, 2]}, "inconsistent numbers of samples"),
        ({"sample_weight": [1, 2]}, "inconsistent numbers of samples"),
        ({"y": None}, "y is needed"),
    ],
)
def test_arguments_that_mean_nothing(study, options, message):
    options = {"y": study["y"], **options}
    with pytest.raises(ValueError, match=message):
        cross_validate_groups(RandomInterceptRegressor("group"), study[["x1", "group"]], **options)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LinearRegression(), "LinearRegression names no column of labels"),
        (RandomInterceptRegressor(), "RandomInterceptRegressor names no column of labels"),
        (make_pipeline(StandardScaler(), RandomInterceptRegressor(1)), "steps before it"),
        (MixedLM(formula="y ~ x1"), "has no groups"),
        (MixedLM(formula="y ~ x1 + (1 | school)"), r"\['school'\] are no columns of X"),
    ],
)
def test_unknown_groups(study, estimator, message):
    with pytest.raises(ValueError, match=message):
        cross_validate_groups(estimator, study[["x1", "group"]], study["y"])


def test_labels_may_be_a_column_for_a_model_that_does_not_use_them(study):
    pipe = make_pipeline(make_column_transformer(("passthrough", ["x1"])), LinearRegression())
    by_name = cross_validate_groups(
        pipe, study[["x1", "group"]], study["y"], "group", random_state=0
    )
    by_array = cross_validate_groups(
        LinearRegression(), study[["x1"]], study["y"], study["group"], random_state=0
    )
    assert_allclose(by_name.predictions["predicted"], by_array.predictions["predicted"])


def test_groups_that_the_model_does_not_know_can_be_new(study):
    X, y = study[["x1", "group"]], study["y"]
    towns = (study["group"] % 8).rename("town")
    scores = cross_validate_groups(
        RandomInterceptRegressor("group"), X, y, towns, cv=4, random_state=0
    )
    assert scores.questions == [(KNOWN, "town"), (NEW, "town")]
    for test in folds_of(scores, NEW):
        assert not set(towns.iloc[test]) & set(towns.drop(test))


def test_labels_of_text_and_missing_ones(study):
    text = study.assign(group=pd.Categorical("g" + study["group"].astype(str)))
    model = RandomInterceptRegressor("group")
    scores = cross_validate_groups(model, text[["x1", "group"]], text["y"], random_state=0)
    assert scores.predictions["group"].str.startswith("g").all()
    text.loc[3, "group"] = np.nan
    with pytest.raises(ValueError, match="groups contains NaN"):
        cross_validate_groups(model, text[["x1", "group"]], text["y"])


@pytest.mark.parametrize("source", [None, 0, np.random.default_rng(0), np.random.RandomState(0)])
def test_numpys_global_random_state_is_left_alone(source) -> None:
    data = load_sleepstudy()
    everyones = check_random_state(None)
    before = everyones.get_state()[1].copy()
    model = RandomInterceptRegressor("Subject")
    scores = cross_validate_groups(
        model, data[["Days", "Subject"]], data["Reaction"], cv=3, random_state=source
    )
    assert len(scores.folds) == 6
    assert_array_equal(everyones.get_state()[1], before)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_warning_of_several_folds_is_given_once_at_the_line_of_the_call(n_jobs):
    X = pd.DataFrame({"x": np.arange(30.0), "twice": 2.0 * np.arange(30.0), "g": np.arange(30) % 6})
    y = np.sin(X["x"]) + X["g"]
    with pytest.warns(UserWarning, match=r"rank deficient.*'twice'") as record:
        cross_validate_groups(MixedLM("g"), X, y, cv=3, random_state=0, n_jobs=n_jobs)
    assert len(record) == 1
    assert record[0].filename == __file__


@pytest.mark.parametrize("kind", ["array", "index", "pyarrow"])
def test_labels_that_pandas_keeps_in_pyarrow(study, kind):
    model, X = RandomInterceptRegressor(), study[["x1"]]
    text = study["group"].astype(str)
    if kind == "pyarrow":
        labels = pytest.importorskip("pyarrow").array(text.to_list())
    else:
        labels = pd.array(text, dtype="string")
        labels = pd.Index(labels) if kind == "index" else labels
    found = cross_validate_groups(model, X, study["y"], labels, cv=2, random_state=0)
    expected = cross_validate_groups(
        model, X, study["y"], text.to_numpy(dtype=object), cv=2, random_state=0
    )
    assert_frame_equal(found.summary(), expected.summary())
