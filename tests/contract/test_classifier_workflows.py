"""Workflows of scikit-learn with classifiers and counts: searches, ensembles, routing, scores."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from skmixed import GroupScorer, MixedGLM, MixedLogisticRegression, cross_validate_groups

pytestmark = pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
KNOWN = KFold(3, shuffle=True, random_state=0)
MODEL = MixedLogisticRegression("subject")
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


@pytest.fixture(scope="module")
def answers(study):
    eta = 0.7 * (study.y - 10.0)
    rng = np.random.default_rng(1)
    return np.where(rng.uniform(size=len(eta)) < 1.0 / (1.0 + np.exp(-eta)), "yes", "no")


@pytest.fixture(scope="module")
def counts(study):
    return np.random.default_rng(2).poisson(np.exp(0.15 * (study.y - 8.0)))


def test_a_search_over_a_pipeline_scores_probabilities(study, answers):
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["x1", "x2"]),
            ("kinds", OneHotEncoder(drop="first", sparse_output=False), ["kind"]),
        ],
        remainder="passthrough",
    ).set_output(transform="pandas")
    search = GridSearchCV(
        make_pipeline(columns, MODEL),
        {"mixedlogisticregression__random_slopes": [None, "x1"]},
        cv=StratifiedGroupKFold(3),
        scoring="roc_auc",
        error_score="raise",
    ).fit(study.frame, answers, groups=study.groups)
    assert search.best_score_ > 0.6
    assert search.predict_proba(study.frame.head(3)).shape == (3, 2)


def test_knowing_the_group_pays(study, answers):
    known = cross_val_predict(MODEL, study.labelled, answers, cv=KNOWN, method="predict_proba")
    plain = cross_val_predict(
        LogisticRegression(), study.numbers, answers, cv=KNOWN, method="predict_proba"
    )
    assert roc_auc_score(answers, known[:, 1]) > roc_auc_score(answers, plain[:, 1])
    assert log_loss(answers, known) < log_loss(answers, plain)


@pytest.mark.parametrize(
    "wrapper",
    [
        CalibratedClassifierCV(MODEL, cv=2),
        VotingClassifier([("mixed", MODEL), ("plain", MixedLogisticRegression(2))], voting="soft"),
        StackingClassifier([("mixed", MODEL)], LogisticRegression(), cv=2),
        TunedThresholdClassifierCV(MODEL, cv=StratifiedKFold(2)),
    ],
    ids=lambda wrapper: type(wrapper).__name__,
)
def test_wrappers_find_the_groups_in_their_column(study, answers, wrapper):
    p = wrapper.fit(study.labelled, answers).predict_proba(study.labelled)[:, 1]
    assert brier_score_loss(answers, p, pos_label="yes") < 0.22


@pytest.mark.usefixtures("routing")
def test_requests_follow_the_constructor():
    arrays, column = MixedLogisticRegression(), MixedLogisticRegression("subject")
    for method in (*METHODS, "fit", "score"):
        assert getattr(get_routing_for_object(arrays), method).requests["groups"] is True
        assert "groups" not in getattr(get_routing_for_object(column), method).requests
    for method in METHODS:
        requests = getattr(get_routing_for_object(column), method).requests
        assert requests["average"] is requests["include_random_effects"] is True
    requests = get_routing_for_object(MixedGLM(family="poisson")).fit.requests
    assert requests["exposure"] is requests["sample_weight"] is None


@pytest.mark.usefixtures("routing")
def test_labels_beside_x_reach_every_method_of_a_pipeline(study, answers):
    pipe = make_pipeline(StandardScaler(), MixedLogisticRegression())
    pipe.fit(study.numbers, answers, groups=study.groups)
    column = make_pipeline(StandardScaler(), MixedLogisticRegression(2))
    X = np.column_stack([study.numbers, study.groups])
    column.fit(X, answers)
    for method in METHODS:
        found = getattr(pipe, method)(study.numbers, groups=study.groups)
        expected = getattr(column, method)(X)
        if method == "predict":
            assert (found == expected).all()
        else:
            assert_allclose(found, expected, atol=1e-6)
    assert_allclose(
        pipe.predict_proba(study.numbers, groups=study.groups, average=False),
        column.predict_proba(X, average=False),
        rtol=1e-6,
    )


@pytest.mark.usefixtures("routing")
def test_exposures_are_routed(study, counts):
    model = MixedGLM("subject", family="poisson").set_fit_request(exposure=True)
    model.set_predict_request(exposure=True).set_score_request(exposure=True)
    time = 1.0 + np.arange(len(counts)) % 2
    scores = cross_val_score(
        model, study.labelled, counts, cv=KNOWN, params={"exposure": time}, error_score="raise"
    )
    train, test = next(iter(KNOWN.split(counts)))
    first = MixedGLM("subject", family="poisson")
    first.fit(study.labelled.iloc[train], counts[train], exposure=time[train])
    assert scores[0] == pytest.approx(
        first.score(study.labelled.iloc[test], counts[test], exposure=time[test])
    )


@pytest.mark.parametrize(
    ("metric", "method", "sign"),
    [
        (log_loss, "predict_proba", -1),
        (partial(brier_score_loss, pos_label="yes"), "predict_proba", -1),
        (roc_auc_score, "predict_proba", 1),
        (roc_auc_score, "decision_function", 1),
    ],
    ids=["log loss", "Brier", "AUC", "AUC of the decision"],
)
@pytest.mark.usefixtures("routing")
def test_group_scorer_equals_the_folds_by_hand(study, answers, metric, method, sign):
    model = MixedLogisticRegression().set_fit_request(groups=True)
    scorers = {
        name: GroupScorer(
            metric,
            include_random_effects=include,
            response_method=method,
            greater_is_better=sign > 0,
        )
        for name, include in (("known", None), ("new", False))
    }
    scores = cross_validate(
        model,
        study.numbers,
        answers,
        cv=KNOWN,
        params={"groups": study.groups},
        scoring=scorers,
        error_score="raise",
    )
    train, test = next(iter(KNOWN.split(answers)))
    fitted = MixedLogisticRegression("subject").fit(study.labelled.iloc[train], answers[train])
    for name, include in (("known", None), ("new", False)):
        found = getattr(fitted, method)(study.labelled.iloc[test], include_random_effects=include)
        found = found if found.ndim == 1 else found[:, 1]
        assert scores[f"test_{name}"][0] == pytest.approx(sign * metric(answers[test], found))


def test_group_scorer_names_the_methods_there_are(study, answers):
    model = MixedLogisticRegression("subject").fit(study.labelled, answers)
    with pytest.raises(ValueError, match="response_method must be one of"):
        GroupScorer(log_loss, response_method="proba")(model, study.labelled, answers)


def test_cross_validation_of_groups_scores_probabilities(study, answers):
    scores = cross_validate_groups(MODEL, study.labelled, answers, cv=3, random_state=0)
    table = scores.summary().set_index("question")
    rows = scores.predictions[scores.predictions["question"] == "new groups"]
    assert set(rows["observed"]) == {0.0, 1.0}
    y, p = rows["observed"], rows["predicted"]
    new = table.loc["new groups"]
    assert new["log_loss"] == pytest.approx(log_loss(y, p))
    assert new["brier"] == pytest.approx(brier_score_loss(y, p))
    assert new["roc_auc"] == pytest.approx(roc_auc_score(y, p))
    log_odds = np.log(p / (1.0 - p)).to_numpy()[:, None]
    slope = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, y).coef_[0, 0]
    assert new["calibration"] == pytest.approx(slope, rel=1e-3)
    assert table.loc["new rows of known groups", "log_loss"] < new["log_loss"]
    assert "calibration slope" in repr(scores)
    assert "coverage" not in repr(scores)
    assert len(scores.folds) == 6


def test_cross_validation_of_other_classifiers_formulas_and_counts(study, answers, counts):
    plain = cross_validate_groups(
        LogisticRegression(), study.numbers, answers, study.groups, cv=3, random_state=0
    )
    assert plain.summary()["log_loss"].notna().all()
    data = study.frame.assign(answer=answers)
    formula = MixedLogisticRegression(formula="answer ~ x1 + x2 + (1 | subject)")
    found = cross_validate_groups(formula, data, cv=3, random_state=0).summary()
    columns = cross_validate_groups(MODEL, study.labelled, answers, cv=3, random_state=0).summary()
    assert_allclose(found["log_loss"], columns["log_loss"], rtol=1e-6)
    of_counts = cross_validate_groups(
        MixedGLM("subject", family="poisson"), study.labelled, counts, cv=3, random_state=0
    ).summary()
    assert of_counts["coverage"].between(0.9, 1.0).all()


def test_new_groups_of_a_group_fold(study, answers):
    folds = GroupKFold(4)
    for train, test in folds.split(study.labelled, groups=study.groups):
        model = MixedLogisticRegression("subject").fit(study.labelled.iloc[train], answers[train])
        averaged = model.predict_proba(study.labelled.iloc[test])
        typical = model.predict_proba(study.labelled.iloc[test], average=False)
        assert (np.abs(averaged - 0.5) <= np.abs(typical - 0.5) + 1e-12).all()
