"""Labels and weights as arrays, which metadata routing brings to the models."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import (
    d2_absolute_error_score,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from skmixed import (
    GroupScorer,
    GroupsNotPassedWarning,
    MixedLM,
    NoGroupsWarning,
    RandomInterceptRegressor,
)

VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
KNOWN = KFold(4, shuffle=True, random_state=0)

needs_1_8 = pytest.mark.skipif(
    VERSION < (1, 8), reason="scikit-learn before 1.8 does not pass default requests on (#30937)"
)


def by_column(study, **options):
    # scikit-learn 1.6 cannot route without any metadata unless params is a dict.
    options = {"params": {}, **options}
    return cross_val_score(
        RandomInterceptRegressor("subject"), study.labelled, study.y, cv=KNOWN, **options
    )


def requests_of(model, method):
    return getattr(get_routing_for_object(model), method).requests


@pytest.mark.usefixtures("routing")
def test_requests_follow_the_constructor():
    arrays, column = RandomInterceptRegressor(), RandomInterceptRegressor("subject")
    formula = MixedLM(formula="~ x + (1 | g)")
    for method in ("fit", "predict", "score"):
        assert requests_of(arrays, method)["groups"] is True
        for model in (column, formula):
            assert "groups" not in requests_of(model, method)
    for model in (arrays, column, formula):
        requests = requests_of(model, "predict")
        for switch in (
            "include_random_effects",
            "return_std",
            "return_cov",
            "kind",
            "variance_uncertainty",
        ):
            assert requests[switch] is True


@pytest.mark.usefixtures("routing")
def test_weights_are_not_requested_until_asked_for(study):
    with pytest.raises(Exception, match="sample_weight"):
        cross_val_score(
            RandomInterceptRegressor("subject"),
            study.labelled,
            study.y,
            params={"sample_weight": np.ones(160)},
            error_score="raise",
        )


@pytest.mark.usefixtures("routing")
def test_groups_reach_fit_and_score(study):
    model = RandomInterceptRegressor().set_fit_request(groups=True).set_score_request(groups=True)
    results = cross_validate(
        model,
        study.numbers,
        study.y,
        cv=KNOWN,
        params={"groups": study.groups},
        error_score="raise",
    )
    assert_allclose(results["test_score"], by_column(study))


@needs_1_8
@pytest.mark.usefixtures("routing")
def test_groups_reach_fit_and_score_without_any_request(study):
    results = cross_validate(
        RandomInterceptRegressor(),
        study.numbers,
        study.y,
        cv=KNOWN,
        params={"groups": study.groups},
        error_score="raise",
    )
    assert_allclose(results["test_score"], by_column(study))


@needs_1_8
@pytest.mark.usefixtures("routing")
def test_groups_reach_a_pipelines_score(study):
    pipe = make_pipeline(StandardScaler(), RandomInterceptRegressor())
    results = cross_validate(
        pipe, study.numbers, study.y, cv=KNOWN, params={"groups": study.groups}, error_score="raise"
    )
    assert_allclose(results["test_score"], by_column(study))


@pytest.mark.usefixtures("routing")
def test_groups_reach_splitter_and_model(study):
    model = RandomInterceptRegressor().set_fit_request(groups=True).set_score_request(groups=True)
    results = cross_validate(
        model,
        study.numbers,
        study.y,
        cv=GroupKFold(4),
        params={"groups": study.groups},
        error_score="raise",
    )
    assert_allclose(results["test_score"], new_groups_by_hand(study))


@needs_1_8
@pytest.mark.usefixtures("routing")
def test_groups_reach_the_splitter_alone_where_the_model_has_a_column(study):
    scores = cross_val_score(
        RandomInterceptRegressor("subject"),
        study.labelled,
        study.y,
        cv=GroupKFold(4),
        params={"groups": study.groups},
        error_score="raise",
    )
    assert_allclose(scores, new_groups_by_hand(study))


def new_groups_by_hand(study):
    scores = []
    for train, test in GroupKFold(4).split(study.labelled, groups=study.groups):
        model = RandomInterceptRegressor("subject")
        model.fit(study.labelled.iloc[train], study.y[train])
        scores.append(r2_score(study.y[test], model.predict(study.labelled.iloc[test])))
    return scores


@pytest.mark.usefixtures("routing")
def test_switches_pass_through_a_pipeline(study):
    pipe = make_pipeline(StandardScaler(), RandomInterceptRegressor())
    pipe.fit(study.numbers, study.y, groups=study.groups)
    plain = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    mean, std = pipe.predict(study.numbers, groups=study.groups, return_std=True)
    expected, expected_std = plain.predict(study.labelled, return_std=True)
    assert_allclose(mean, expected)
    assert_allclose(std, expected_std)
    assert_allclose(
        pipe.predict(study.numbers, include_random_effects=False),
        plain.predict(study.labelled, include_random_effects=False),
    )
    _, covariance = pipe.predict(study.numbers, groups=study.groups, return_cov=True)
    assert_allclose(np.sqrt(np.diagonal(covariance)), std)
    assert_allclose(
        pipe.score(study.numbers, study.y, groups=study.groups),
        plain.score(study.labelled, study.y),
    )


@pytest.mark.usefixtures("routing")
def test_switches_pass_where_groups_are_a_column(study):
    pipe = make_pipeline(StandardScaler(), RandomInterceptRegressor(2))
    X = np.column_stack([study.numbers, study.groups])
    pipe.fit(X, study.y)
    _, std = pipe.predict(X, return_std=True)
    assert (std > pipe[-1].sigma_).all()


@pytest.mark.usefixtures("routing")
def test_weights_reach_the_fit(study):
    weights = np.random.default_rng(0).uniform(0.2, 3.0, 160)
    pipe = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        RandomInterceptRegressor().set_fit_request(sample_weight=True, groups=True),
    )
    pipe.fit(study.numbers, study.y, groups=study.groups, sample_weight=weights)
    plain = RandomInterceptRegressor("subject").fit(study.labelled, study.y, sample_weight=weights)
    assert_allclose(pipe[-1].residual_variance_, plain.residual_variance_, rtol=1e-9)


@pytest.mark.usefixtures("routing")
def test_group_weights_reach_the_fit(study):
    weights = 1.0 + study.groups % 3
    pipe = make_pipeline(
        StandardScaler(),
        RandomInterceptRegressor(method="ml").set_fit_request(group_weight=True, groups=True),
    )
    pipe.fit(study.numbers, study.y, groups=study.groups, group_weight=weights)
    plain = RandomInterceptRegressor("subject", method="ml")
    plain.fit(study.labelled, study.y, group_weight=weights)
    assert_allclose(pipe[-1].log_likelihood_, plain.log_likelihood_, rtol=1e-10)


@pytest.mark.usefixtures("routing")
def test_transformed_target_routes_groups_to_fit(study):
    """It passes metadata to fit alone, so that it predicts population means and says so."""
    model = TransformedTargetRegressor(
        RandomInterceptRegressor().set_fit_request(groups=True), func=np.log, inverse_func=np.exp
    )
    y = np.exp(0.1 * study.y)
    model.fit(study.numbers, y, groups=study.groups)
    assert len(model.regressor_.groups_["groups"]) == 20


def requesting():
    return (
        RandomInterceptRegressor()
        .set_fit_request(groups=True)
        .set_predict_request(groups=True)
        .set_score_request(groups=True)
    )


@pytest.mark.parametrize(
    ("scorer", "metric"),
    [
        (GroupScorer(), r2_score),
        (GroupScorer(d2_absolute_error_score), d2_absolute_error_score),
        (
            GroupScorer(mean_squared_error, greater_is_better=False),
            lambda y, p: -mean_squared_error(y, p),
        ),
        (
            GroupScorer(mean_absolute_error, greater_is_better=False),
            lambda y, p: -mean_absolute_error(y, p),
        ),
    ],
    ids=["r2", "d2", "mse", "mae"],
)
@pytest.mark.parametrize("include", [None, True, False])
@pytest.mark.usefixtures("routing")
def test_group_scorer_equals_the_folds_by_hand(study, scorer, metric, include):
    scorer = scorer.set_params(include_random_effects=include)
    pipe = make_pipeline(StandardScaler(), requesting())
    scores = cross_validate(
        pipe,
        study.numbers,
        study.y,
        cv=KNOWN,
        params={"groups": study.groups},
        scoring=scorer,
        error_score="raise",
    )["test_score"]
    expected = []
    for train, test in KNOWN.split(study.numbers):
        model = RandomInterceptRegressor("subject")
        model.fit(study.labelled.iloc[train], study.y[train])
        predicted = model.predict(study.labelled.iloc[test], include_random_effects=include)
        expected.append(metric(study.y[test], predicted))
    assert_allclose(scores, expected, rtol=1e-9)


@pytest.mark.usefixtures("routing")
def test_group_scorer_chooses_in_a_search(study):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), requesting()),
        {"randominterceptregressor__method": ["reml", "ml"]},
        scoring={"known": GroupScorer(), "new": GroupScorer(include_random_effects=False)},
        refit="known",
        cv=KNOWN,
        error_score="raise",
    )
    search.fit(study.numbers, study.y, groups=study.groups)
    results = search.cv_results_
    assert (results["mean_test_known"] > results["mean_test_new"] + 0.2).all()


@pytest.mark.usefixtures("routing")
def test_group_scorer_takes_weights_where_they_are_routed(study):
    weights = np.random.default_rng(1).uniform(0.1, 4.0, 160)
    scorer = GroupScorer(mean_squared_error, greater_is_better=False).set_score_request(
        groups=True, sample_weight=True
    )
    model = requesting().set_fit_request(groups=True, sample_weight=True)
    scores = cross_validate(
        model,
        study.numbers,
        study.y,
        cv=KNOWN,
        params={"groups": study.groups, "sample_weight": weights},
        scoring=scorer,
        error_score="raise",
    )["test_score"]
    expected = []
    for train, test in KNOWN.split(study.numbers):
        fitted = RandomInterceptRegressor("subject")
        fitted.fit(study.labelled.iloc[train], study.y[train], sample_weight=weights[train])
        error = (study.y[test] - fitted.predict(study.labelled.iloc[test])) ** 2
        expected.append(-np.average(error, weights=weights[test]))
    assert_allclose(scores, expected, rtol=1e-8)


def test_group_scorer_without_routing(study):
    model = RandomInterceptRegressor().fit(study.numbers, study.y, groups=study.groups)
    expected = r2_score(study.y, model.predict(study.numbers, groups=study.groups))
    assert GroupScorer()(model, study.numbers, study.y, groups=study.groups) == expected
    column = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    assert_allclose(GroupScorer()(column, study.labelled, study.y), expected)
    scores = cross_val_score(
        RandomInterceptRegressor("subject"),
        study.labelled,
        study.y,
        cv=KNOWN,
        scoring=GroupScorer(include_random_effects=True),
    )
    assert_allclose(scores, by_column(study))


def test_groups_that_are_not_passed_are_never_silent(study):
    model = RandomInterceptRegressor().fit(study.numbers, study.y, groups=study.groups)
    with pytest.warns(GroupsNotPassedWarning, match="GroupScorer") as record:
        predicted = model.predict(study.numbers)
    assert len(record) == 1
    assert record[0].filename == __file__
    assert_allclose(predicted, model.predict(study.numbers, include_random_effects=False))
    with pytest.warns(GroupsNotPassedWarning):
        model.score(study.numbers, study.y)
    with pytest.raises(ValueError, match="needs `groups`"):
        model.predict(study.numbers, include_random_effects=True)


def test_a_pipeline_says_so_at_the_line_of_its_call(study):
    pipeline = make_pipeline(StandardScaler(), RandomInterceptRegressor())
    with pytest.warns(NoGroupsWarning) as record:
        pipeline.fit(study.numbers, study.y)
    assert record[0].filename == __file__


def test_no_groups_is_least_squares_and_says_so(study):
    with pytest.warns(NoGroupsWarning, match=r"RandomInterceptRegressor\(groups=...\)") as record:
        model = RandomInterceptRegressor().fit(study.numbers, study.y)
    assert record[0].filename == __file__
    design = np.column_stack([np.ones(160), study.numbers])
    expected = np.linalg.lstsq(design, study.y, rcond=None)[0]
    assert_allclose([model.intercept_, *model.coef_], expected, rtol=1e-10)
    assert model.random_effects_ == {}
    assert model.groups_ == {}


@pytest.mark.parametrize("length", [0, 159, 161])
def test_labels_of_another_length(study, length):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        RandomInterceptRegressor().fit(study.numbers, study.y, groups=np.zeros(length))
    model = RandomInterceptRegressor().fit(study.numbers, study.y, groups=study.groups)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.predict(study.numbers, groups=np.zeros(length))
