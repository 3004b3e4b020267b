"""The table of what scikit-learn can route, each line tried with a column and with an array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)

from skmixed import GroupScorer, GroupsNotPassedWarning, RandomInterceptRegressor
from skmixed.datasets import make_mixed_regression

from .tables import tables

FRAME = make_mixed_regression(20, 8, re_cov=4.0, as_frame=True, random_state=0)
LABELS, Y = FRAME["group"].to_numpy(), FRAME["y"].to_numpy()
COLUMN = (RandomInterceptRegressor("group"), FRAME[["x1", "group"]], {})
ARRAY = (RandomInterceptRegressor(), FRAME[["x1"]].to_numpy(), {"groups": LABELS})
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


def test_every_tool_of_the_table_is_tried():
    (table,) = tables("guide/routing.md")
    tried = {*SCORES, *POPULATION, "StackingRegressor"}
    for row in table[1:]:
        assert any(tool in row[0] or tool in row[2] for tool in tried) or "scoring" in row[0]
