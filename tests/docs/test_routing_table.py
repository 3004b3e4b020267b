"""The table of what scikit-learn can route, each line tried with a column and with an array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multioutput import MultiOutputRegressor, RegressorChain

from skmixed import GroupScorer, GroupsNotPassedWarning, RandomInterceptRegressor
from skmixed.datasets import make_mixed_regression

from .tables import code, tables

FRAME = make_mixed_regression(20, 8, re_cov=4.0, as_frame=True, random_state=0)
FRAME["x2"] = np.random.default_rng(0).normal(size=len(FRAME))
LABELS, Y = FRAME["group"].to_numpy(), FRAME["y"].to_numpy()
COLUMN = (RandomInterceptRegressor("group"), FRAME[["x1", "group"]], {})
POSITION = (RandomInterceptRegressor(0), FRAME[["group", "x1"]].to_numpy(), {})
ARRAY = (RandomInterceptRegressor(), FRAME[["x1"]].to_numpy(), {"groups": LABELS})
TWO_Y = np.column_stack([Y, -Y])
FOLDS = KFold(4, shuffle=True, random_state=0)
KNOWS_THE_GROUP = 0.5
"""R2 that no prediction for the population reaches in these data."""

Tool = Callable[[Any, Any, dict[str, Any]], Any]


def routed(labels: dict[str, Any]) -> dict[str, Any]:
    """Return the argument by which a function of scikit-learn routes labels."""
    return {"params": labels} if labels else {}


SCORES: dict[str, Tool] = {
    "cross_val_score": lambda model, X, labels: cross_val_score(
        model, X, Y, cv=FOLDS, **routed(labels)
    ),
    "cross_validate": lambda model, X, labels: cross_validate(
        model, X, Y, cv=FOLDS, **routed(labels)
    )["test_score"],
    "learning_curve": lambda model, X, labels: learning_curve(
        model, X, Y, cv=FOLDS, train_sizes=[1.0], **routed(labels)
    )[2],
    "validation_curve": lambda model, X, labels: validation_curve(
        model, X, Y, cv=FOLDS, param_name="method", param_range=["ml"], **routed(labels)
    )[1],
    "GridSearchCV": lambda model, X, labels: (
        GridSearchCV(model, {"method": ["ml"]}, cv=FOLDS).fit(X, Y, **labels).best_score_
    ),
    "TransformedTargetRegressor": lambda model, X, labels: r2_score(
        Y, TransformedTargetRegressor(model).fit(X, Y, **labels).predict(X, **labels)
    ),
    "permutation_test_score": lambda model, X, labels: permutation_test_score(
        model, X, Y, cv=FOLDS, n_permutations=1, random_state=0, **routed(labels)
    )[0],
    "RandomizedSearchCV": lambda model, X, labels: (
        RandomizedSearchCV(model, {"method": ["ml"]}, n_iter=1, cv=FOLDS)
        .fit(X, Y, **labels)
        .best_score_
    ),
    "HalvingGridSearchCV": lambda model, X, labels: (
        HalvingGridSearchCV(model, {"method": ["ml"]}, cv=FOLDS, min_resources=160, random_state=0)
        .fit(X, Y, **labels)
        .best_score_
    ),
    "GroupScorer": lambda model, X, labels: cross_val_score(
        model, X, Y, cv=FOLDS, scoring=GroupScorer(), **routed(labels)
    ),
}
"""Tools that reach the labels in both ways."""

POPULATION: dict[str, Tool] = {
    "scoring by name": lambda model, X, labels: cross_val_score(
        model, X, Y, cv=FOLDS, scoring="r2", **routed(labels)
    ),
    "GridSearchCV.predict": lambda model, X, labels: r2_score(
        Y, GridSearchCV(model, {"method": ["ml"]}, cv=FOLDS).fit(X, Y, **labels).predict(X)
    ),
    "cross_val_predict": lambda model, X, labels: r2_score(
        Y, cross_val_predict(model, X, Y, cv=FOLDS, **routed(labels))
    ),
    "VotingRegressor": lambda model, X, labels: r2_score(
        Y, VotingRegressor([("mixed", model)]).fit(X, Y, **labels).predict(X)
    ),
    "MultiOutputRegressor": lambda model, X, labels: r2_score(
        TWO_Y, MultiOutputRegressor(model).fit(X, TWO_Y, **labels).predict(X)
    ),
    "permutation_importance": lambda model, X, labels: permutation_importance(
        model.fit(X, Y, **labels), X, Y, n_repeats=2, random_state=0
    ).importances_mean[-1],
}
"""Tools that predict from X alone."""


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("tool", [*SCORES, *POPULATION])
def test_labels_in_a_column_reach_every_tool(tool):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.mean({**SCORES, **POPULATION}[tool](*COLUMN)) > KNOWS_THE_GROUP


@pytest.mark.parametrize("tool", list(SCORES))
def test_labels_as_an_array_are_routed(tool):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.mean(SCORES[tool](*ARRAY)) > KNOWS_THE_GROUP


@pytest.mark.parametrize("tool", list(POPULATION))
def test_tools_that_predict_for_the_population_warn(tool):
    with pytest.warns(GroupsNotPassedWarning):
        score = np.mean(POPULATION[tool](*ARRAY))
    assert score < KNOWS_THE_GROUP


@pytest.mark.filterwarnings("ignore::skmixed.GroupsNotPassedWarning")
def test_stacking_has_labels_in_a_column_only():
    model, X, _ = COLUMN
    stack = StackingRegressor([("mixed", model)], cv=FOLDS).fit(X, Y)
    assert r2_score(Y, stack.predict(X)) > KNOWS_THE_GROUP
    model, X, labels = ARRAY
    with pytest.raises(TypeError, match="groups"):
        StackingRegressor([("mixed", model)], cv=FOLDS).fit(X, Y, **labels)


ENSEMBLES: dict[str, Tool] = {
    "BaggingRegressor": lambda model, X, labels: r2_score(
        Y,
        BaggingRegressor(model, 3, random_state=0).fit(X, Y, **labels).predict(X, **labels),
    ),
    "AdaBoostRegressor": lambda model, X, labels: r2_score(
        Y,
        AdaBoostRegressor(model, n_estimators=3, random_state=0).fit(X, Y, **labels).predict(X),
    ),
    "RegressorChain": lambda model, X, labels: r2_score(
        Y, RegressorChain(model).fit(X, TWO_Y, **labels).predict(X)[:, 0]
    ),
}
"""Tools that hand over arrays, without the names of columns."""


@pytest.mark.filterwarnings("ignore:All variances are 0")
@pytest.mark.parametrize("tool", ENSEMBLES)
def test_ensembles_find_labels_by_position(tool):
    assert ENSEMBLES[tool](*POSITION) > KNOWS_THE_GROUP
    with pytest.raises(ValueError, match="names a column, but X is an array"):
        ENSEMBLES[tool](*COLUMN)


@pytest.mark.filterwarnings("ignore:All variances are 0")
def test_ensembles_with_labels_as_an_array():
    assert ENSEMBLES["BaggingRegressor"](*ARRAY) > KNOWS_THE_GROUP
    with pytest.raises(TypeError, match="groups"):
        ENSEMBLES["AdaBoostRegressor"](*ARRAY)
    with pytest.warns(GroupsNotPassedWarning):
        assert ENSEMBLES["RegressorChain"](*ARRAY) < KNOWS_THE_GROUP


def test_partial_dependence_has_labels_in_a_column():
    model, X, _ = COLUMN
    curve = partial_dependence(model.fit(X, Y), X, ["x1"])
    slope = np.polyfit(curve["grid_values"][0], curve["average"][0], 1)[0]
    assert slope == pytest.approx(model.coef_[0])
    model, X, labels = ARRAY
    with pytest.warns(GroupsNotPassedWarning):
        partial_dependence(model.fit(X, Y, **labels), X, [0], grid_resolution=2)


SELECTORS: dict[str, Callable[[Any], Any]] = {
    "RFE": lambda model: RFE(model, n_features_to_select=1),
    "SelectFromModel": SelectFromModel,
    "RFECV": lambda model: RFECV(model, cv=FOLDS, scoring=GroupScorer(), min_features_to_select=1),
    "SequentialFeatureSelector": lambda model: SequentialFeatureSelector(
        model, n_features_to_select=1, cv=FOLDS
    ),
}
READ_COEF = ["RFE", "SelectFromModel", "RFECV"]


@pytest.mark.parametrize("name", SELECTORS)
def test_selectors_with_labels_as_an_array(name):
    selector = SELECTORS[name](RandomInterceptRegressor())
    selector.fit(FRAME[["x2", "x1"]], Y, groups=LABELS)
    assert "x1" in selector.get_feature_names_out()
    if name != "RFECV":
        assert "x2" not in selector.get_feature_names_out()


@pytest.mark.parametrize("name", ["RFE", "SelectFromModel"])
def test_selectors_with_labels_as_an_array_need_no_routing(name):
    with sklearn.config_context(enable_metadata_routing=False):
        test_selectors_with_labels_as_an_array(name)


@pytest.mark.parametrize("place", [0, 1, -1])
@pytest.mark.parametrize("name", READ_COEF)
def test_selectors_that_would_shift_coefficients_are_refused(name, place):
    """They would remove the column before the one that they mean."""
    columns = ["x1", "x2"]
    columns.insert(place % 3, "group")
    model = RandomInterceptRegressor(place)
    with pytest.raises(ValueError, match=r"pass them beside X: RFE\(MixedLM\(\)\)\.fit"):
        SELECTORS[name](model).fit(FRAME[columns].to_numpy(), Y).get_support()


def test_selectors_refuse_a_named_column():
    X = FRAME[["group", "x1", "x2"]]
    with pytest.raises(ValueError, match="pass them beside X"):
        SelectFromModel(RandomInterceptRegressor("group")).fit(X, Y).get_support()
    for name in ("RFE", "RFECV", "SequentialFeatureSelector"):
        with pytest.raises(ValueError, match="names a column, but X is an array"):
            SELECTORS[name](RandomInterceptRegressor("group")).fit(X, Y)


def test_coefficients_are_read_by_everyone_else():
    model, X, _ = COLUMN
    assert model.fit(X, Y).coef_.shape == (1,)
    assert not hasattr(RandomInterceptRegressor("group"), "coef_")


def test_every_tool_of_the_table_is_tried():
    (table,) = tables("guide/routing.md")
    tried = {*SCORES, *POPULATION, *ENSEMBLES, *SELECTORS}
    tried |= {"StackingRegressor", "partial_dependence", "GridSearchCV.predict"}
    named = {tool for row in table[1:] for tool in code(row[0])} - {'scoring="r2"'}
    assert named <= tried
