"""Workflows of scikit-learn with several grouping factors: crossed, nested, named in every way."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmixed import (
    GroupScorer,
    GroupsNotPassedWarning,
    MixedLM,
    RandomInterceptRegressor,
    SingularFitWarning,
    mixedlm,
)

N = 400
KNOWN = KFold(4, shuffle=True, random_state=0)
LABELS = ["student", "teacher"]


@dataclass(frozen=True)
class Lessons:
    """Hold ratings of teachers by students, and the classes of schools where they are given."""

    frame: pd.DataFrame
    y: np.ndarray

    @property
    def crossed(self) -> pd.DataFrame:
        return self.frame[["x1", "x2", *LABELS]]

    @property
    def nested(self) -> pd.DataFrame:
        return self.frame[["x1", "x2", "school", "class"]]

    @property
    def numbers(self) -> pd.DataFrame:
        return self.frame[["x1", "x2"]]


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    """Simulate four crossed or nested factors; classes are numbered anew in every school."""
    rng = np.random.default_rng(0)
    student, teacher = rng.integers(0, 30, N), rng.integers(0, 12, N)
    school, room = rng.integers(0, 8, N), rng.integers(0, 3, N)
    frame = pd.DataFrame(rng.normal(size=(N, 2)), columns=["x1", "x2"])
    frame["kind"] = rng.choice(["a", "b", "c"], size=N)
    frame["student"] = np.array([f"s{code:02d}" for code in student], dtype=object)
    frame["teacher"] = teacher
    frame["school"] = np.array([f"k{code}" for code in school], dtype=object)
    frame["class"] = room
    y = 10.0 + 2.0 * frame["x1"].to_numpy() - frame["x2"].to_numpy()
    slopes = rng.normal(scale=0.8, size=30)[student] * frame["x1"].to_numpy()
    y += rng.normal(scale=1.5, size=30)[student] + slopes + rng.normal(size=12)[teacher]
    y += rng.normal(size=8)[school] + rng.normal(size=(8, 3))[school, room]
    return Lessons(frame, y + rng.normal(size=N))


@pytest.fixture(scope="module")
def crossed(lessons) -> MixedLM:
    return MixedLM(groups=LABELS).fit(lessons.crossed, lessons.y)


def test_a_list_of_columns_is_crossed_factors(lessons, crossed):
    expected = mixedlm(
        "y ~ x1 + x2 + (1 | student) + (1 | teacher)", lessons.frame.assign(y=lessons.y)
    )
    assert_allclose(crossed.log_likelihood_, expected.llf, rtol=1e-12)
    assert_allclose(crossed.theta_, expected.theta, rtol=1e-8)
    assert list(crossed.groups_) == LABELS
    assert [len(table) for table in crossed.random_effects_.values()] == [30, 12]
    assert list(crossed.variance_components_["group"]) == [*LABELS, "Residual"]
    assert crossed.n_features_in_ == 4
    assert len(crossed.coef_) == 2


@pytest.mark.parametrize(
    "way", [["teacher", "student"], [2, 3], [-1, -2], ("student", 3), [2, 2, 3]]
)
def test_ways_to_name_the_columns_agree(lessons, crossed, way):
    other = MixedLM(way).fit(lessons.crossed, lessons.y)
    assert other.log_likelihood_ == crossed.log_likelihood_
    assert np.array_equal(other.predict(lessons.crossed), crossed.predict(lessons.crossed))


@pytest.mark.parametrize("way", [lambda _: LABELS, lambda X: X.columns[2:]])
def test_a_callable_picks_the_factors(lessons, crossed, way):
    assert MixedLM(way).fit(lessons.crossed, lessons.y).log_likelihood_ == crossed.log_likelihood_


@pytest.mark.parametrize(
    ("groups", "bars", "names"),
    [
        ("school/class", "(1 | school/class)", ["school:class", "school"]),
        ("school:class", "(1 | school:class)", ["school:class"]),
        (["school", "school:class"], "(1 | school/class)", ["school:class", "school"]),
        (["class", "school/class"], "(1 | class) + (1 | school/class)", None),
    ],
)
def test_nested_factors(lessons, groups, bars, names):
    model = MixedLM(groups).fit(lessons.nested, lessons.y)
    expected = mixedlm(f"y ~ x1 + x2 + {bars}", lessons.frame.assign(y=lessons.y))
    assert_allclose(model.log_likelihood_, expected.llf, rtol=1e-12)
    assert list(model.groups_) == (names or ["school:class", "school", "class"])
    assert len(model.groups_["school:class"]) == 24
    assert len(model.coef_) == 2


def test_a_column_of_that_very_name_goes_first(lessons):
    frame = lessons.nested.rename(columns={"school": "a/b"}).drop(columns="class")
    assert list(MixedLM("a/b").fit(frame, lessons.y).groups_) == ["a/b"]


def test_slopes_and_covariances_of_each_factor(lessons):
    model = MixedLM(
        LABELS,
        random_slopes={"student": ["x1", "x2"], "teacher": "x2"},
        covariance={"student": "diagonal"},
    )
    with pytest.warns(SingularFitWarning):
        model.fit(lessons.crossed, lessons.y)
    with pytest.warns(SingularFitWarning):
        expected = mixedlm(
            "y ~ x1 + x2 + (x1 + x2 || student) + (x2 | teacher)",
            lessons.frame.assign(y=lessons.y),
        )
    assert_allclose(model.log_likelihood_, expected.llf, rtol=1e-9)
    assert list(model.random_effects_["student"]) == ["Intercept", "x1", "x2"]
    assert list(model.random_effects_["teacher"]) == ["Intercept", "x2"]
    assert len(model.theta_) == 3 + 3


def test_a_slope_for_one_factor_alone(lessons):
    model = MixedLM(LABELS, random_slopes={"student": "x1"}).fit(lessons.crossed, lessons.y)
    expected = mixedlm(
        "y ~ x1 + x2 + (x1 | student) + (1 | teacher)", lessons.frame.assign(y=lessons.y)
    )
    assert_allclose(model.log_likelihood_, expected.llf, rtol=1e-12)
    everywhere = MixedLM(LABELS, random_slopes="x1", covariance="diagonal")
    everywhere.fit(lessons.crossed, lessons.y)
    assert [table.shape[1] for table in everywhere.random_effects_.values()] == [2, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random_slopes": {"pupil": "x1"}}, r"random_slopes names the factors \['pupil'\]"),
        ({"covariance": {"pupil": "diagonal"}}, r"covariance names the factors \['pupil'\]"),
        (
            {"random_slopes": {"student": "x1"}, "random_intercept": False},
            r"leaves \['teacher'\] without any random effect",
        ),
        ({"random_slopes": {"student": "teacher"}}, "holds the group labels"),
        ({"groups": ["student", "pupil"]}, "groups='pupil' is no column of X"),
        ({"groups": "student/pupil"}, "groups='pupil' is no column of X"),
        ({"groups": []}, "names no column"),
    ],
)
def test_names_that_are_not_there(lessons, options, message):
    with pytest.raises(ValueError, match=message):
        MixedLM(**{"groups": LABELS, **options}).fit(lessons.crossed, lessons.y)


@pytest.fixture(scope="module")
def passed(lessons) -> MixedLM:
    """Return the model with its labels passed to fit as a data frame."""
    return MixedLM().fit(lessons.numbers, lessons.y, groups=lessons.frame[LABELS])


class TestLabelsAsAFrame:
    """Labels of several factors are passed to fit and predict as columns of a data frame."""

    def test_agree_with_columns_of_x(self, lessons, passed, crossed):
        assert passed.log_likelihood_ == crossed.log_likelihood_
        assert list(passed.groups_) == LABELS
        mean, std = passed.predict(lessons.numbers, groups=lessons.frame[LABELS], return_std=True)
        expected, expected_std = crossed.predict(lessons.crossed, return_std=True)
        assert np.array_equal(mean, expected)
        assert np.array_equal(std, expected_std)
        assert passed.score(lessons.numbers, lessons.y, groups=lessons.frame[LABELS]) > 0.7

    def test_columns_of_new_labels_go_by_their_names(self, lessons, passed, crossed):
        turned = lessons.frame[["kind", "teacher", "student"]]
        predicted = passed.predict(lessons.numbers, groups=turned)
        assert np.array_equal(predicted, crossed.predict(lessons.crossed))

    def test_labels_of_one_factor_are_not_those_of_all(self, lessons, passed):
        for groups in (lessons.frame["student"], lessons.frame[["student"]], np.zeros((N, 2))):
            with pytest.raises(ValueError, match=r"data frame with a column for each factor"):
                passed.predict(lessons.numbers, groups=groups)

    def test_labels_that_are_not_passed_are_never_silent(self, lessons, passed):
        with pytest.warns(GroupsNotPassedWarning, match=r"\['student', 'teacher'\]") as record:
            predicted = passed.predict(lessons.numbers)
        assert record[0].filename == __file__
        assert np.array_equal(
            predicted, passed.predict(lessons.numbers, include_random_effects=False)
        )
        with pytest.raises(ValueError, match=r"needs `groups`.*\['teacher'\]"):
            passed.predict(lessons.numbers, include_random_effects=["teacher"])

    def test_columns_need_different_names(self, lessons):
        twice = lessons.frame[LABELS].set_axis(["a", "a"], axis=1)
        with pytest.raises(ValueError, match="different names"):
            MixedLM().fit(lessons.numbers, lessons.y, groups=twice)

    def test_arrays_of_labels_have_one_factor(self, lessons):
        with pytest.raises(
            ValueError, match=r"one label per row, got an array of shape \(400, 2\)"
        ):
            MixedLM().fit(lessons.numbers, lessons.y, groups=lessons.frame[LABELS].to_numpy())

    def test_one_array_is_not_several_columns(self, lessons):
        model = MixedLM().fit(lessons.numbers, lessons.y, groups=lessons.frame["student"])
        one = lessons.frame[["student"]]
        assert_allclose(
            model.predict(lessons.numbers, groups=one),
            model.predict(lessons.numbers, groups=lessons.frame["student"]),
        )
        with pytest.raises(ValueError, match=r"one label per row.*\['student', 'teacher'\]"):
            model.predict(lessons.numbers, groups=lessons.frame[LABELS])

    @pytest.mark.usefixtures("routing")
    def test_routing_brings_the_frame(self, lessons):
        model = (
            MixedLM()
            .set_fit_request(groups=True)
            .set_predict_request(groups=True)
            .set_score_request(groups=True)
        )
        scores = cross_validate(
            make_pipeline(StandardScaler(), model),
            lessons.numbers,
            lessons.y,
            cv=KNOWN,
            params={"groups": lessons.frame[LABELS]},
            scoring=GroupScorer(),
            error_score="raise",
        )["test_score"]
        # scikit-learn 1.6 cannot route without any metadata unless params is a dict.
        by_column = cross_val_score(
            MixedLM(LABELS), lessons.crossed, lessons.y, cv=KNOWN, params={}
        )
        assert_allclose(scores, by_column, rtol=1e-8)


def encoder(labels):
    return ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["x1", "x2"]),
            ("kinds", OneHotEncoder(drop="first", sparse_output=False), ["kind"]),
            ("labels", "passthrough", labels),
        ],
    ).set_output(transform="pandas")


@pytest.mark.parametrize(
    ("groups", "columns", "names"),
    [
        (LABELS, LABELS, ["student", "teacher"]),
        ("school/class", ["school", "class"], ["school:class", "school"]),
    ],
)
def test_pipeline_of_pandas_output(lessons, groups, columns, names):
    """Columns are found behind the prefixes that a ColumnTransformer gives them."""
    pipe = make_pipeline(encoder(columns), MixedLM(groups)).fit(lessons.frame, lessons.y)
    model = pipe[-1]
    assert list(model.groups_) == names
    assert [name.split("__")[-1] for name in model.feature_names_in_][-2:] == columns
    assert len(model.coef_) == 4
    assert pipe.score(lessons.frame, lessons.y) > 0.5


def test_folds_of_one_factor_keep_the_effects_of_the_other(lessons):
    """Students are new in every fold, their teachers are not."""
    folds = {"cv": GroupKFold(4), "groups": lessons.frame["student"]}
    scores = {
        name: cross_val_score(
            MixedLM(LABELS, include_random_effects=include), lessons.crossed, lessons.y, **folds
        )
        for name, include in {
            "both": True,
            "teacher": ["teacher"],
            "student": ["student"],
            "none": False,
        }.items()
    }
    assert_allclose(scores["both"], scores["teacher"])
    assert_allclose(scores["student"], scores["none"])
    assert scores["teacher"].mean() > scores["none"].mean() + 0.03
    known = cross_val_score(MixedLM(LABELS), lessons.crossed, lessons.y, cv=KNOWN)
    assert known.mean() > scores["both"].mean() + 0.1


def test_a_search_over_the_factors(lessons):
    grid = {"groups": [["student"], LABELS], "random_slopes": [None, {"student": "x1"}]}
    search = GridSearchCV(MixedLM(), grid, cv=KNOWN, error_score="raise")
    search.fit(lessons.crossed[["x1", "x2", *LABELS]], lessons.y)
    assert search.best_params_ == {"groups": LABELS, "random_slopes": {"student": "x1"}}


def test_clone_and_pickle(lessons, crossed):
    again = clone(crossed).fit(lessons.crossed, lessons.y)
    loaded = pickle.loads(pickle.dumps(crossed))
    expected = crossed.predict(lessons.crossed[:20], return_std=True)
    for model in (again, loaded):
        assert np.array_equal(model.predict(lessons.crossed[:20], return_std=True), expected)


@pytest.mark.parametrize("column", LABELS)
def test_pickles_do_not_grow_with_the_rows(lessons, column):
    frame = pd.concat([lessons.crossed] * 4, ignore_index=True)
    y = np.tile(lessons.y, 4) + np.random.default_rng(0).normal(size=4 * N)
    one, four = (
        MixedLM(LABELS).fit(rows, response)
        for rows, response in ((lessons.crossed, lessons.y), (frame, y))
    )
    assert len(pickle.dumps(four)) < 1.05 * len(pickle.dumps(one))
    assert len(four.groups_[column]) == len(one.groups_[column])


FORMULA = "~ x1 + x2 + (1 | student) + (1 | teacher)"


@pytest.fixture(scope="module", params=["columns", "formula"])
def either(request, lessons, crossed) -> MixedLM:
    """Return one model, fitted from columns or from a formula."""
    if request.param == "columns":
        return crossed
    return MixedLM(formula=FORMULA).fit(lessons.crossed, lessons.y)


def modes_of(model, name, labels):
    return model.random_effects_[name]["Intercept"].reindex(labels).fillna(0.0).to_numpy()


def test_effects_of_each_factor_are_included_by_name(lessons, either):
    X = lessons.crossed
    population = either.predict(X, include_random_effects=False)
    parts = {name: modes_of(either, name, X[name]) for name in LABELS}
    assert_allclose(population, either.intercept_ + X[["x1", "x2"]].to_numpy() @ either.coef_)
    for names in (["student"], ["teacher"], ["teacher", "student"], ("student",)):
        expected = population + sum(parts[name] for name in names)
        assert_allclose(either.predict(X, include_random_effects=names), expected, rtol=1e-10)
        model = clone(either).set_params(include_random_effects=names).fit(X, lessons.y)
        assert_allclose(model.predict(X), expected, rtol=1e-8)
    assert_allclose(either.predict(X, include_random_effects=[]), population)
    assert_allclose(
        either.predict(X, include_random_effects="student"),
        either.predict(X, include_random_effects=["student"]),
    )
    assert_allclose(either.predict(X), population + parts["student"] + parts["teacher"])


@pytest.mark.parametrize("names", [["pupil"], "pupil", ["student", "pupil"]])
def test_factors_that_are_not_there_cannot_be_included(lessons, either, names):
    with pytest.raises(ValueError, match=r"names \['pupil'\].*\['student', 'teacher'\]"):
        either.predict(lessons.crossed, include_random_effects=names)


def test_unseen_levels_lose_the_effects_of_their_own_factor_alone(lessons, either):
    X = lessons.crossed[:6].copy()
    X.loc[[0, 1], "student"] = "new"
    X.loc[[1, 2], "teacher"] = 99
    mean, std = either.predict(X, return_std=True)
    expected = either.predict(X, include_random_effects=False)
    expected += modes_of(either, "student", X["student"]) + modes_of(
        either, "teacher", X["teacher"]
    )
    assert_allclose(mean, expected, rtol=1e-10)
    _, before = either.predict(lessons.crossed[:6], return_std=True)
    assert (std[:3] > before[:3]).all()
    assert_allclose(std[3:], before[3:])
    table = either.variance_components_.set_index("group")["vcov"]
    assert std[1] > np.sqrt(table.sum())


def test_unseen_levels_are_an_error_where_their_effects_are_wanted(lessons, either):
    X = lessons.crossed[:6].copy()
    X.loc[[0, 3], "teacher"] = 99
    model = clone(either).set_params(unseen_groups="error").fit(lessons.crossed, lessons.y)
    for wanted in (None, True, ["teacher"]):
        with pytest.raises(ValueError, match=r"\[99\] \(2 of 6 rows\) in 'teacher'"):
            model.predict(X, include_random_effects=wanted)
    for unwanted in (False, ["student"]):
        assert_allclose(
            model.predict(X, include_random_effects=unwanted),
            either.predict(X, include_random_effects=unwanted),
            rtol=1e-8,
        )


@pytest.mark.parametrize("name", LABELS)
def test_missing_labels_name_their_factor(lessons, either, name):
    X = lessons.crossed.astype({name: object})
    X.loc[[3, 5], name] = None
    with pytest.raises(ValueError, match=rf"NaN in '{name}' \(2 of 400 rows\)"):
        clone(either).fit(X, lessons.y)
    with pytest.raises(ValueError, match=rf"NaN in '{name}' \(2 of 400 rows\)"):
        either.predict(X)


def test_matrices_have_the_columns_of_all_factors(lessons, either):
    matrices = either.design_matrices(lessons.crossed)
    assert matrices.Z.shape == (N, 42)
    modes = np.concatenate([table.to_numpy().ravel() for table in either.random_effects_.values()])
    assert list(matrices.Z_columns.get_level_values("group").unique()) == LABELS
    fixed = matrices.X.to_numpy() @ [either.intercept_, *either.coef_]
    assert_allclose(fixed + matrices.Z @ modes, either.predict(lessons.crossed), rtol=1e-10)
    table = either.variance_components_.set_index("group")["vcov"]
    Z = matrices.Z.toarray()
    variances = np.repeat(table[LABELS].to_numpy(), [30, 12])
    implied = (Z * variances) @ Z.T + table["Residual"] * np.eye(N)
    assert_allclose(either.marginal_covariance(lessons.crossed), implied, rtol=1e-9)


def test_one_factor_is_enough_for_some(lessons, crossed):
    with pytest.raises(ValueError, match=r"takes one grouping factor, got 2.*MixedLM takes"):
        RandomInterceptRegressor(LABELS).fit(lessons.crossed, lessons.y)
    with pytest.raises(ValueError, match="group_weight needs a model with one grouping factor"):
        clone(crossed).fit(lessons.crossed, lessons.y, group_weight=np.ones(N))


@pytest.mark.parametrize(("column", "reason"), [("one", "one group only"), ("row", "one row only")])
@pytest.mark.parametrize("method", ["reml", "ml"])
def test_a_factor_that_tells_nothing_is_dropped(lessons, column, reason, method):
    labels = "all" if column == "one" else np.arange(N)
    frame = lessons.crossed.assign(**{column: labels})
    model = MixedLM([*LABELS, column], method=method)
    with pytest.warns(SingularFitWarning, match=rf"variance of '{column}' is set to 0.*{reason}"):
        model.fit(frame, lessons.y)
    without = MixedLM(LABELS, method=method).fit(lessons.crossed, lessons.y)
    assert_allclose(model.log_likelihood_, without.log_likelihood_, rtol=1e-13)
    assert_allclose(model.coef_, without.coef_, rtol=1e-12)
    assert not model.random_effects_[column].to_numpy().any()
    assert model.is_singular_
    expected = without.predict(lessons.crossed[:9], return_std=True)
    assert_allclose(model.predict(frame[:9], return_std=True), expected, rtol=1e-10)
    _, covariance = model.predict(frame[:9], return_cov=True)
    assert_allclose(np.sqrt(np.diagonal(covariance)), expected[1], rtol=1e-10)


def test_weights_that_are_whole_numbers_repeat_rows(lessons):
    times = np.random.default_rng(1).integers(0, 4, N)
    repeated = np.repeat(np.arange(N), times)
    weighted = MixedLM(LABELS, random_slopes={"student": "x1"}, weight_type="frequency")
    weighted.fit(lessons.crossed, lessons.y, sample_weight=times)
    plain = MixedLM(LABELS, random_slopes={"student": "x1"})
    plain.fit(lessons.crossed.iloc[repeated], lessons.y[repeated])
    assert_allclose(weighted.log_likelihood_, plain.log_likelihood_, rtol=1e-10)
    assert_allclose(weighted.theta_, plain.theta_, rtol=1e-6)
    assert_allclose(weighted.coef_, plain.coef_, rtol=1e-8)


def test_rows_of_weight_zero_take_their_levels_with_them(lessons):
    weights = (lessons.frame["teacher"] != 3).to_numpy(float)
    kept = weights > 0
    weighted = MixedLM(LABELS).fit(lessons.crossed, lessons.y, sample_weight=weights)
    dropped = MixedLM(LABELS).fit(lessons.crossed[kept], lessons.y[kept])
    assert_allclose(weighted.log_likelihood_, dropped.log_likelihood_, rtol=1e-12)
    assert 3 not in weighted.groups_["teacher"]


def test_memory_is_judged_before_it_is_taken(lessons, monkeypatch):
    monkeypatch.setattr("skmixed.likelihood.memory.NEGLIGIBLE", 0.0)
    monkeypatch.setattr("skmixed.likelihood.memory.free_memory", lambda: 1e3)
    MixedLM("student").fit(lessons.crossed.drop(columns="teacher"), lessons.y)
    message = r"\['student', 'teacher'\] together.* would need about .* GiB.*fewer"
    for solver in ("auto", "direct", "iterative"):
        with pytest.raises(MemoryError, match=message):
            MixedLM(LABELS, solver=solver).fit(lessons.crossed, lessons.y)
    monkeypatch.setattr("skmixed.likelihood.memory.free_memory", lambda: None)
    assert MixedLM(LABELS).fit(lessons.crossed, lessons.y).converged_
