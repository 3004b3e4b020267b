"""Conformal intervals for rows of new groups are those of their definition."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from skmixed import (
    GroupConformalRegressor,
    GroupsNotPassedWarning,
    MixedLM,
    NoGroupsWarning,
    RandomInterceptRegressor,
)
from skmixed.datasets import load_penicillin, make_mixed_regression
from skmixed.prediction.conformal import smallest_n_groups

SIZES = np.resize([1, 3, 7, 12], 24)


@pytest.fixture(scope="module")
def study():
    return make_mixed_regression(24, SIZES, as_frame=True, random_state=3)


@pytest.fixture(scope="module")
def new():
    return pd.DataFrame({"x1": np.linspace(-2, 2, 9), "group": np.arange(100, 109)})


def by_column(**options):
    return GroupConformalRegressor(RandomInterceptRegressor("group"), random_state=0, **options)


def defined_quantile(values, weights, level):
    """Return the smallest value up to which the weights sum to a level; infinite if none."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= level - 1e-12
    return values[order][np.argmax(reached)] if reached.any() else np.inf


def defined_limits(study, new, folds, level, *, normalize=False):
    """Return limits from the definition, row by row."""
    X, y, groups = study[["x1", "group"]], study["y"], study["group"]
    above, below, weights = [], [], []
    n_groups = len({g for _, test in folds for g in groups.iloc[test]})
    for train, test in folds:
        model = RandomInterceptRegressor("group").fit(X.iloc[train], y.iloc[train])
        mean, sd = model.predict(X.iloc[test], return_std=True)
        at, sd_at = model.predict(new, return_std=True)
        if not normalize:
            sd, sd_at = np.ones_like(sd), np.ones_like(sd_at)
        reach = sd_at[:, None] * np.abs(y.iloc[test].to_numpy() - mean) / sd
        above.append(at[:, None] + reach)
        below.append(at[:, None] - reach)
        sizes = groups.iloc[test].map(groups.value_counts())
        weights.append(1.0 / ((n_groups + 1) * sizes.to_numpy()))
    above, below = np.hstack(above), np.hstack(below)
    weights = np.concatenate(weights)
    return np.array(
        [
            [-defined_quantile(-low, weights, level), defined_quantile(high, weights, level)]
            for low, high in zip(below, above, strict=True)
        ]
    )


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("level", [0.3, 0.9, 0.95])
@pytest.mark.parametrize(
    "cv", [GroupKFold(4), LeaveOneGroupOut()], ids=["four folds", "a fold for each group"]
)
@pytest.mark.exhaustive(5)
def test_limits_of_folds_are_those_of_the_definition(study, new, cv, level, normalize):
    model = by_column(cv=cv, normalize=normalize).fit(study[["x1", "group"]], study["y"])
    folds = list(cv.split(study, groups=study["group"]))
    expected = defined_limits(study, new, folds, level, normalize=normalize)
    assert_allclose(model.predict_interval(new, coverage=level), expected, rtol=1e-9)
    assert model.n_groups_ == 24


def test_limits_of_a_split_are_those_of_the_definition(study, new):
    model = by_column(method="split").fit(study[["x1", "group"]], study["y"])
    fitted = study["group"].isin(model.estimator_.groups_["group"]).to_numpy()
    assert study["group"][~fitted].nunique() == model.n_groups_ == 12
    folds = [(np.flatnonzero(fitted), np.flatnonzero(~fitted))]
    assert_allclose(
        model.predict_interval(new, coverage=0.9), defined_limits(study, new, folds, 0.9)
    )


def test_every_group_counts_the_same():
    # One group has 1,000 rows of error 5, the other 19 have one of error 1.
    groups = np.r_[np.zeros(1000, dtype=int), np.arange(1, 20), np.arange(20, 22)]
    y = np.where(groups == 0, 5.0, 1.0)
    y[groups >= 20] = 0.0
    train, test = np.flatnonzero(groups >= 20), np.flatnonzero(groups < 20)
    zero = LinearRegression(fit_intercept=False)
    model = GroupConformalRegressor(zero, cv=[(train, test)])
    X = np.ones((len(y), 1))
    limits = model.fit(X, y, groups=groups).predict_interval(X[:1], coverage=0.9)
    # 19 / 21 of the weight lies at 1.
    assert_allclose(limits, [[-1.0, 1.0]])
    wider = model.predict_interval(X[:1], coverage=0.95)
    assert_allclose(wider, [[-5.0, 5.0]])


def test_rows_without_groups_get_the_intervals_of_split_conformal_prediction():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(50, 1)), generator.normal(size=50)
    train, test = np.arange(20), np.arange(20, 50)
    with pytest.warns(NoGroupsWarning, match="each row counts as a group"):
        model = GroupConformalRegressor(LinearRegression(), cv=[(train, test)]).fit(X, y)
    fitted = LinearRegression().fit(X[train], y[train])
    # The ceiling of (n + 1) * coverage, n = 30.
    width = np.sort(np.abs(y[test] - fitted.predict(X[test])))[28 - 1]
    mean = fitted.predict(X)
    assert_allclose(
        model.predict_interval(X, coverage=0.9), np.column_stack([mean - width, mean + width])
    )


def test_rows_without_groups_get_the_jackknife_plus_intervals_of_mapie():
    regression = pytest.importorskip("mapie.regression")
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(60, 2)), generator.normal(size=60)
    new = generator.normal(size=(20, 2))
    folds = KFold(6, shuffle=True, random_state=0)
    peer = regression.CrossConformalRegressor(LinearRegression(), confidence_level=0.8, cv=folds)
    expected = peer.fit_conformalize(X, y).predict_interval(new)[1][:, :, 0]
    model = GroupConformalRegressor(LinearRegression(), cv=list(folds.split(X)))
    limits = model.fit(X, y, groups=np.arange(60)).predict_interval(new, coverage=0.8)
    assert_allclose(limits, expected, rtol=1e-9)


def test_rows_as_groups_get_the_intervals_of_mapie_for_known_groups(study):
    regression = pytest.importorskip("mapie.regression")
    X, y = study[["x1", "group"]], study["y"]
    folds = KFold(8, shuffle=True, random_state=0)
    model = RandomInterceptRegressor("group")
    peer = regression.CrossConformalRegressor(model, confidence_level=0.9, cv=folds)
    expected = peer.fit_conformalize(X, y).predict_interval(X)[1][:, :, 0]
    rows = GroupConformalRegressor(model, cv=list(folds.split(X))).fit(X, y, groups=range(len(y)))
    assert_allclose(rows.predict_interval(X, coverage=0.9), expected, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_split_of_mapie_takes_labels_in_a_column(study):
    regression = pytest.importorskip("mapie.regression")
    X, y = study[["x1", "group"]], study["y"]
    model = RandomInterceptRegressor("group")
    peer = regression.SplitConformalRegressor(model, confidence_level=0.9, prefit=False)
    train, test = np.arange(0, len(y), 2), np.arange(1, len(y), 2)
    peer.fit(X.iloc[train], y.iloc[train]).conformalize(X.iloc[test], y.iloc[test])
    expected = peer.predict_interval(X)[1][:, :, 0]
    rows = GroupConformalRegressor(model, cv=[(train, test)]).fit(X, y, groups=range(len(y)))
    assert_allclose(rows.predict_interval(X, coverage=0.9), expected, rtol=1e-9)


@pytest.mark.parametrize(("coverage", "n_groups"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_smallest_number_of_groups(coverage, n_groups):
    assert smallest_n_groups(coverage) == n_groups
    X, y, groups = make_mixed_regression(n_groups, 3, random_state=0)
    if n_groups > 1:
        model = GroupConformalRegressor(LinearRegression(), cv=n_groups)
        model.fit(X, y, groups=groups)
        assert np.isfinite(model.predict_interval(X, coverage=coverage)).all()


def test_too_few_groups_give_infinite_limits_and_say_how_many_are_needed():
    X, y, groups = make_mixed_regression(18, 3, random_state=0)
    model = GroupConformalRegressor(LinearRegression()).fit(X, y, groups=groups)
    with pytest.warns(UserWarning, match="95 % .* in 19 groups, and there are 18"):
        limits = model.predict_interval(X[:2])
    assert_allclose(limits, [[-np.inf, np.inf]] * 2)


def test_column_array_and_pipeline_agree(study, new):
    X, y = study[["x1", "group"]], study["y"]
    expected = by_column().fit(X, y).predict_interval(new, coverage=0.8)
    arrays = GroupConformalRegressor(RandomInterceptRegressor(), random_state=0)
    arrays.fit(study[["x1"]], y, groups=study["group"])
    assert_allclose(arrays.predict_interval(new[["x1"]], coverage=0.8), expected)
    with_labels = arrays.predict_interval(new[["x1"]], coverage=0.8, groups=new["group"])
    assert_allclose(with_labels, expected)
    steps = make_column_transformer((StandardScaler(), ["x1"]), remainder="passthrough").set_output(
        transform="pandas"
    )
    pipe = make_pipeline(steps, RandomInterceptRegressor("group"))
    column = GroupConformalRegressor(pipe, random_state=0).fit(X, y)
    assert_allclose(column.predict_interval(new, coverage=0.8), expected, rtol=1e-6)
    scaled = make_pipeline(StandardScaler(), RandomInterceptRegressor())
    scaled = GroupConformalRegressor(scaled, random_state=0, normalize=True)
    scaled.fit(study[["x1"]], y, groups=study["group"])
    own = by_column(normalize=True).fit(X, y)
    assert_allclose(
        scaled.predict_interval(new[["x1"]], coverage=0.8),
        own.predict_interval(new, coverage=0.8),
        rtol=1e-6,
    )


def test_labels_of_another_column_than_the_model_uses(study, new):
    X = study[["x1", "group"]]
    drop = make_column_transformer(("passthrough", ["x1"]))
    model = GroupConformalRegressor(
        make_pipeline(drop, LinearRegression()), "group", random_state=0
    ).fit(X, study["y"])
    arrays = GroupConformalRegressor(LinearRegression(), random_state=0)
    arrays.fit(study[["x1"]].to_numpy(), study["y"], groups=study["group"].to_numpy())
    assert_allclose(
        model.predict_interval(new, coverage=0.8),
        arrays.predict_interval(new[["x1"]].to_numpy(), coverage=0.8),
    )


def test_routing_brings_labels(study):
    X, y, groups = study[["x1"]], study["y"], study["group"]
    with sklearn.config_context(enable_metadata_routing=True):
        model = GroupConformalRegressor(RandomInterceptRegressor(), random_state=0)
        scores = cross_val_score(model, X, y, cv=GroupKFold(3), params={"groups": groups})
        plain = GroupConformalRegressor(
            make_pipeline(StandardScaler(), RandomInterceptRegressor()), random_state=0
        ).fit(X, y, groups=groups)
    assert np.isfinite(scores).all()
    assert plain.n_groups_ == 24


def test_predictions_are_those_of_a_fit_to_all_rows(study):
    X, y = study[["x1", "group"]], study["y"]
    model = by_column().fit(X, y)
    whole = RandomInterceptRegressor("group").fit(X, y)
    assert_allclose(model.predict(X), whole.predict(X))
    assert model.score(X, y) == pytest.approx(whole.score(X, y))


def test_predictions_without_labels_are_those_of_new_groups_and_say_nothing(study):
    X, y, groups = study[["x1"]], study["y"], study["group"]
    model = GroupConformalRegressor(RandomInterceptRegressor()).fit(X, y, groups=groups)
    with warnings.catch_warnings():
        warnings.simplefilter("error", GroupsNotPassedWarning)
        predicted = model.predict(X)
    assert_allclose(predicted, model.estimator_.predict(X, include_random_effects=False))


def test_one_of_several_factors_is_new():
    data = load_penicillin()
    model = MixedLM(formula="diameter ~ 1 + (1 | plate) + (1 | sample)")
    X, y = data[["plate", "sample"]], data["diameter"]
    with pytest.raises(ValueError, match=r"several grouping factors, \['plate', 'sample'\]"):
        GroupConformalRegressor(model).fit(X, y)
    with pytest.raises(ValueError, match="factor='dish' is no grouping factor"):
        GroupConformalRegressor(model, factor="dish").fit(X, y)
    fitted = GroupConformalRegressor(model, factor="plate", random_state=0).fit(X, y)
    assert fitted.n_groups_ == 24
    new = pd.DataFrame({"plate": "new", "sample": ["A", "F"]})
    limits = fitted.predict_interval(new, coverage=0.9)
    # Samples are known: their means differ by much more than the width within a sample.
    assert limits[0, 0] > limits[1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "jackknife"}, "method must be 'cross' or 'split'"),
        ({"cv": 1}, "cv must be 2 folds at least"),
        ({"cv": list(KFold(3).split(np.empty(SIZES.sum())))}, "cv must divide groups"),
    ],
)
def test_arguments_that_mean_nothing(study, options, message):
    with pytest.raises(ValueError, match=message):
        by_column(**options).fit(study[["x1", "group"]], study["y"])


def test_one_group_is_not_enough(study):
    one = study.assign(group=1)
    with pytest.raises(ValueError, match="at least 2 groups to learn from, but 'group' has 1"):
        by_column().fit(one[["x1", "group"]], one["y"])


def test_coverage_must_be_a_probability(study, new):
    model = by_column().fit(study[["x1", "group"]], study["y"])
    with pytest.raises(ValueError, match=r"between 0 and 1, got 95"):
        model.predict_interval(new, coverage=95)


def test_normalize_needs_standard_deviations(study):
    model = GroupConformalRegressor(LinearRegression(), normalize=True)
    with pytest.raises(TypeError, match="LinearRegression does not offer"):
        model.fit(study[["x1"]], study["y"], groups=study["group"])


def test_it_can_be_pickled(study, new):
    model = by_column().fit(study[["x1", "group"]], study["y"])
    again = pickle.loads(pickle.dumps(model))
    assert_allclose(
        again.predict_interval(new, coverage=0.9), model.predict_interval(new, coverage=0.9)
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("routing", [False, True], ids=["no routing", "routing"])
@pytest.mark.parametrize(
    "estimator",
    [
        GroupConformalRegressor(RandomInterceptRegressor()),
        GroupConformalRegressor(RandomInterceptRegressor(), normalize=True),
        GroupConformalRegressor(RandomInterceptRegressor(0)),
        GroupConformalRegressor(LinearRegression()),
        GroupConformalRegressor(LinearRegression(), method="split"),
    ],
    ids=repr,
)
@pytest.mark.exhaustive(5)
def test_scikit_learn_checks(estimator, routing):
    with sklearn.config_context(enable_metadata_routing=routing), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = estimator_checks.check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    # The check of weights makes folds of its own that divide groups, and a split of rows that are
    # groups depends on how many there are.
    weights = "check_sample_weight_equivalence_on_"
    if estimator.method == "split" or estimator._groups_are_columns():
        failed -= {f"{weights}dense_data", f"{weights}sparse_data"}
    assert not failed


def test_what_all_folds_have_to_say_is_said_once(study):
    twice = study[["x1", "group"]].assign(x2=2.0 * study["x1"])
    with pytest.warns(UserWarning, match="rank deficient") as record:
        GroupConformalRegressor(RandomInterceptRegressor("group")).fit(twice, study["y"])
    assert len(record) == 1
    assert record[0].filename == __file__


def test_columns_in_a_dictionary(study, new):
    model = GroupConformalRegressor(MixedLM(formula="~ x1 + (1 | group)"), random_state=0)
    columns = {name: study[name].to_numpy() for name in ("x1", "group")}
    found = clone(model).fit(columns, study["y"]).predict_interval(new, coverage=0.8)
    expected = model.fit(study[["x1", "group"]], study["y"]).predict_interval(new, coverage=0.8)
    assert_allclose(found, expected)
