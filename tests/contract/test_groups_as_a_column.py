"""Workflows of scikit-learn with the labels among the columns of X, and no configuration at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning

KNOWN = KFold(4, shuffle=True, random_state=0)
NEW = GroupKFold(4)


def encoder(**options):
    return ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["x1", "x2"]),
            ("kinds", OneHotEncoder(drop="first", sparse_output=False), ["kind"]),
        ],
        remainder="passthrough",
        **options,
    )


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("model", [RandomInterceptRegressor, MixedLM])
def test_pipeline_of_pandas_output(study, model, prefix):
    steps = encoder(verbose_feature_names_out=prefix).set_output(transform="pandas")
    pipe = Pipeline([("encode", steps), ("model", model("subject"))]).fit(study.frame, study.y)
    assert pipe.score(study.frame, study.y) > 0.85
    names = ["x1", "x2", "kind_b", "kind_c", "subject"]
    assert [n.split("__")[-1] for n in pipe[-1].feature_names_in_] == names
    assert set(pipe[-1].groups_["subject"]) == set(study.frame["subject"])
    assert len(pipe[-1].coef_) == 4


def test_pipeline_of_numpy_output_finds_groups_by_position(study):
    pipe = make_pipeline(encoder(), RandomInterceptRegressor(-1)).fit(study.frame, study.y)
    framed = make_pipeline(
        encoder().set_output(transform="pandas"), RandomInterceptRegressor("subject")
    ).fit(study.frame, study.y)
    assert_allclose(pipe.predict(study.frame), framed.predict(study.frame), rtol=1e-12)
    assert pipe[-1].n_features_in_ == 5


def test_pipeline_of_numpy_output_says_what_a_name_needs(study):
    with pytest.raises(ValueError, match=r'set_output\(transform="pandas"\)'):
        make_pipeline(encoder(), RandomInterceptRegressor("subject")).fit(study.frame, study.y)


def test_pipeline_of_polars_output(study):
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow", exc_type=ImportError, reason="pyarrow does not fit this NumPy")
    frame = polars.from_pandas(study.frame.astype({"subject": "string", "kind": "string"}))
    pipe = make_pipeline(encoder().set_output(transform="polars"), MixedLM("subject"))
    pipe.fit(frame, study.y)
    framed = make_pipeline(encoder().set_output(transform="pandas"), MixedLM("subject"))
    framed.fit(study.frame, study.y)
    assert_allclose(pipe.predict(frame), framed.predict(study.frame), rtol=1e-12)


def test_set_output_of_a_whole_pipeline(study):
    pipe = make_pipeline(encoder(), MixedLM("subject", random_slopes="x1", covariance="diagonal"))
    pipe.set_output(transform="pandas").fit(study.frame, study.y)
    encoded = encoder().set_output(transform="pandas").fit_transform(study.frame)
    alone = clone(pipe[-1]).fit(encoded, study.y)
    assert_allclose(pipe.predict(study.frame), alone.predict(encoded), rtol=1e-10)


def test_a_suffix_must_be_unique(study):
    doubled = study.numbers.assign(a__site=study.groups, b__site=study.groups**2)
    with pytest.raises(ValueError, match=r"'site' fits \['a__site', 'b__site'\], several columns"):
        RandomInterceptRegressor("site").fit(doubled, study.y)
    exact = doubled.assign(site=study.groups)
    assert "site" in RandomInterceptRegressor("site").fit(exact, study.y).groups_


def test_ways_to_name_a_column_agree(study):
    expected = RandomInterceptRegressor().fit(study.numbers, study.y, groups=study.frame["subject"])
    for way in (
        "subject",
        ["subject"],
        ("subject",),
        2,
        -1,
        np.int64(2),
        make_column_selector(pattern="^subject$"),
        make_column_selector(dtype_exclude="number"),
        lambda X: X.columns[-1],
        lambda X: X.shape[1] - 1,
    ):
        model = RandomInterceptRegressor(way).fit(study.labelled, study.y)
        assert model.log_likelihood_ == expected.log_likelihood_
        assert_allclose(
            model.predict(study.labelled),
            expected.predict(study.numbers, groups=study.frame["subject"]),
            rtol=1e-14,
        )


@pytest.mark.parametrize("way", [3, -4, True, 1.5, {"subject": 1}])
def test_ways_that_are_no_column(study, way):
    with pytest.raises(ValueError, match="groups"):
        RandomInterceptRegressor(way).fit(study.labelled, study.y)


def test_labels_given_twice_are_refused(study):
    model = RandomInterceptRegressor("subject")
    with pytest.raises(ValueError, match="given twice"):
        model.fit(study.labelled, study.y, groups=study.groups)
    model.fit(study.labelled, study.y)
    with pytest.raises(ValueError, match="given twice"):
        model.predict(study.labelled, groups=study.groups)


def test_known_groups_score_better_than_new_ones(study):
    model = RandomInterceptRegressor("subject")
    known = cross_val_score(model, study.labelled, study.y, cv=KNOWN)
    new = cross_val_score(model, study.labelled, study.y, cv=NEW, groups=study.groups)
    population = cross_val_score(
        RandomInterceptRegressor("subject", include_random_effects=False),
        study.labelled,
        study.y,
        cv=NEW,
        groups=study.groups,
    )
    assert known.min() > new.max()
    assert_allclose(new, population)


@pytest.mark.parametrize(
    "scoring", ["r2", "neg_mean_absolute_error", ["r2", "neg_root_mean_squared_error"]]
)
def test_scikit_learns_own_scorers(study, scoring):
    results = cross_validate(
        MixedLM("subject"), study.labelled, study.y, cv=KNOWN, scoring=scoring, error_score="raise"
    )
    assert all(np.isfinite(v).all() for k, v in results.items() if k.startswith("test_"))


def test_cross_val_predict_equals_the_folds_by_hand(study):
    predicted = cross_val_predict(
        RandomInterceptRegressor("subject"), study.labelled, study.y, cv=KNOWN
    )
    for train, test in KNOWN.split(study.labelled):
        model = RandomInterceptRegressor("subject")
        model.fit(study.labelled.iloc[train], study.y[train])
        assert_allclose(predicted[test], model.predict(study.labelled.iloc[test]))


def test_leave_one_group_out_predicts_population_means(study):
    predicted = cross_val_predict(
        RandomInterceptRegressor("subject"),
        study.labelled,
        study.y,
        cv=LeaveOneGroupOut(),
        groups=study.groups,
    )
    assert 0 < r2_score(study.y, predicted) < 0.7


@pytest.mark.parametrize("n_rows", [1, 8])
def test_folds_with_one_group_or_one_row_per_group(study, n_rows):
    """Training on one of two groups, and on one row of each: least squares, and no exception."""
    first = study.frame.groupby("subject").head(n_rows).index
    kept = first[:16] if n_rows == 1 else study.frame.index[study.groups < 2]
    X, y, groups = study.labelled.loc[kept], study.y[kept], study.groups[kept]
    with pytest.warns(SingularFitWarning, match="is set to 0"):
        scores = cross_val_score(
            RandomInterceptRegressor("subject"),
            X,
            y,
            cv=LeaveOneGroupOut(),
            groups=groups,
            scoring="neg_mean_squared_error",
            error_score="raise",
        )
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("search", ["grid", "random"])
def test_searches(study, search):
    pipe = make_pipeline(
        encoder(verbose_feature_names_out=False).set_output(transform="pandas"), MixedLM("subject")
    )
    choices = {
        "mixedlm__method": ["reml", "ml"],
        "mixedlm__include_random_effects": [True, False],
        "columntransformer__numbers__with_mean": [True, False],
    }
    if search == "grid":
        found = GridSearchCV(pipe, choices, cv=KNOWN, error_score="raise")
    else:
        found = RandomizedSearchCV(pipe, choices, n_iter=4, cv=KNOWN, random_state=0)
    found.fit(study.frame, study.y)
    assert found.best_params_["mixedlm__include_random_effects"]
    assert found.predict(study.frame).shape == study.y.shape
    assert found.best_estimator_[-1].converged_


def test_a_search_over_the_structure_of_the_model(study):
    choices = {"random_slopes": [None, "x1"], "covariance": ["diagonal", "identity"]}
    found = GridSearchCV(MixedLM("subject"), choices, cv=KFold(2, shuffle=True, random_state=1))
    # A fold may put the slopes' variance at 0.
    with pytest.warns(SingularFitWarning):
        found.fit(study.labelled, study.y)
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def test_transformed_target(study):
    y = np.exp(0.1 * study.y)
    model = TransformedTargetRegressor(
        RandomInterceptRegressor("subject"), func=np.log, inverse_func=np.exp
    )
    model.fit(study.labelled, y)
    plain = RandomInterceptRegressor("subject").fit(study.labelled, np.log(y))
    assert_allclose(model.predict(study.labelled), np.exp(plain.predict(study.labelled)), rtol=1e-9)


def test_bagging(study):
    """Bagging makes arrays of X, so that labels need numbers and a position."""
    X = study.numbers.assign(subject=study.groups)
    model = BaggingRegressor(RandomInterceptRegressor(2), n_estimators=5, random_state=0)
    assert model.fit(X.to_numpy(), study.y).score(X.to_numpy(), study.y) > 0.8


def test_voting_and_stacking(study):
    population = make_pipeline(FunctionTransformer(lambda X: X[["x1", "x2"]]), LinearRegression())
    mixed = RandomInterceptRegressor("subject")
    vote = VotingRegressor([("mixed", mixed), ("ols", population)]).fit(study.labelled, study.y)
    apart = [m.fit(study.labelled, study.y).predict(study.labelled) for m in (mixed, population)]
    assert_allclose(vote.predict(study.labelled), np.mean(apart, axis=0))
    stack = StackingRegressor([("mixed", mixed), ("ols", population)], cv=3)
    assert stack.fit(study.labelled, study.y).score(study.labelled, study.y) > 0.8


def test_one_model_for_each_of_several_responses(study):
    y = np.column_stack([study.y, -2.0 * study.y])
    X = study.numbers.assign(subject=study.groups).to_numpy()
    model = MultiOutputRegressor(RandomInterceptRegressor(2)).fit(X, y)
    predicted = model.predict(X)
    assert_allclose(predicted[:, 1], -2.0 * predicted[:, 0], rtol=1e-9)


def test_curves(study):
    sizes, train, test = learning_curve(
        RandomInterceptRegressor("subject"),
        study.labelled,
        study.y,
        cv=KNOWN,
        train_sizes=[0.5, 1.0],
        shuffle=True,
        random_state=0,
    )
    assert test[1].mean() > test[0].mean()
    assert (train > test).mean() > 0.5
    train, test = validation_curve(
        RandomInterceptRegressor("subject"),
        study.labelled,
        study.y,
        param_name="include_random_effects",
        param_range=[False, True],
        cv=KNOWN,
    )
    assert (test[1] > test[0]).all()
    assert len(sizes) == 2


def test_permutation_importance_ranks_the_labels(study):
    model = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    importance = permutation_importance(
        model, study.labelled, study.y, n_repeats=3, random_state=0
    ).importances_mean
    assert importance[2] > 0.2
    assert (importance > 0).all()


def test_partial_dependence_is_the_coefficient(study):
    model = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    curve = partial_dependence(model, study.labelled, ["x1"], grid_resolution=5)
    grid, average = curve["grid_values"][0], curve["average"][0]
    assert_allclose(np.diff(average) / np.diff(grid), model.coef_[0], rtol=1e-9)


def test_a_formula_in_a_search(study):
    frame = study.frame.assign(score=study.y)
    choices = {"formula": ["~ x1 + (1 | subject)", "~ x1 + x2 + kind + (1 | subject)"]}
    found = GridSearchCV(MixedLM(formula="~ x1 + (1 | subject)"), choices, cv=KNOWN)
    found.fit(frame, study.y)
    assert "kind" in found.best_params_["formula"]
    plain = MixedLM(formula="score ~ x1 + x2 + kind + (1 | subject)").fit(frame)
    assert_allclose(found.predict(frame), plain.predict(frame), rtol=1e-10)
    assert_allclose(plain.score(frame), r2_score(study.y, plain.predict(frame)))


def test_y_takes_the_place_of_the_response_that_a_formula_names(study):
    named = MixedLM(formula="score ~ x1 + x2 + (1 | subject)")
    unnamed = MixedLM(formula="~ x1 + x2 + (1 | subject)")
    scores = [cross_val_score(m, study.labelled, study.y, cv=KNOWN) for m in (named, unnamed)]
    assert np.array_equal(*scores)
    named.fit(study.labelled, study.y)
    assert "score ~ x1" in str(named.summary())
    with pytest.raises(ValueError, match="fit got y in its place"):
        named.score(study.labelled)
    with pytest.raises(ValueError, match="has no response"):
        unnamed.fit(study.labelled)
    with pytest.raises(ValueError, match=r"has the response 'log\(score\)', and y was given too"):
        MixedLM(formula="log(score) ~ x1 + (1 | subject)").fit(study.labelled, study.y)


@pytest.mark.slow
def test_parallel_folds(study):
    formula = MixedLM(formula="~ scale(x1) + x2 + (1 | subject)")
    one, two = (
        cross_val_score(formula, study.frame, study.y, cv=KNOWN, n_jobs=n_jobs) for n_jobs in (1, 2)
    )
    assert_allclose(one, two)


def test_rows_are_matched_by_position_whatever_their_index(study):
    shuffled = study.labelled.set_axis(np.random.default_rng(0).permutation(160), axis=0)
    scores = [
        cross_val_score(RandomInterceptRegressor("subject"), X, pd.Series(study.y), cv=KNOWN)
        for X in (study.labelled, shuffled)
    ]
    assert np.array_equal(*scores)


def test_mean_absolute_error_of_known_groups_is_near_the_residual(study):
    model = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    error = mean_absolute_error(study.y, model.predict(study.labelled))
    assert 0.6 < error / model.sigma_ < 0.9
