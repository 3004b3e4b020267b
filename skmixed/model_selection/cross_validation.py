"""Cross-validate a model of groups for the two questions that its predictions may answer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples, check_consistent_length, column_or_1d

from skmixed.estimators.base import MixedModel
from skmixed.estimators.columns import framed
from skmixed.estimators.numbers import checked_response
from skmixed.estimators.weights import row_weights
from skmixed.exceptions import warn_user_once_of_each
from skmixed.formula.values import unmasked
from skmixed.model_selection.group_folds import (
    KNOWN_GROUPS,
    NEW_GROUPS,
    GroupFold,
    folds_of_groups,
    folds_of_rows,
    random_division,
)
from skmixed.model_selection.group_scores import ClassScores, GroupScores, ResponseScores
from skmixed.model_selection.grouped_rows import (
    GroupedRows,
    chosen_factor,
    grouping_factors,
    wrapped,
)
from skmixed.prediction.switches import check_coverage

__all__ = ["cross_validate_groups"]


def cross_validate_groups(
    estimator: Any,
    X: Any,
    y: Any = None,
    groups: Any = None,
    *,
    cv: int = 5,
    factor: str | None = None,
    coverage: float = 0.95,
    sample_weight: Any = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> GroupScores:
    """Score predictions of new rows of known groups, and of rows of new groups.

    For the first question the rows of each group are divided among the folds, so that every test
    row has others of its group in the training part. For the second, groups are divided, so that
    no test row has any. If the scores differ much, the model has learned the groups rather than
    what makes them differ.

    Parameters
    ----------
    estimator : estimator
        A mixed model, a pipeline that ends in one, or any regressor or classifier of two classes to
        compare with. It is cloned.
    X : array-like or data frame of shape (n, n_columns)
    y : array-like of shape (n,), optional
        Not needed where a formula names the response.
    groups : array-like of shape (n,), data frame with a column for each factor, or str, optional
        Labels, or the name of a column of X that holds them. By default they are found in X as the
        estimator finds them. An estimator that takes labels as an array gets these.
    cv : int, default=5
        Number of folds, at least 2.
    factor : str, optional
        Whose groups are new in the second question; by default those of each factor in turn. The
        groups of the other factors are then known as far as they have other rows.
    coverage : float, default=0.95
        Of the prediction intervals, where the estimator has ``predict_interval``.
    sample_weight : array-like of shape (n,), optional
        Passed to fit, and weights of the test rows in every score. Intervals are those of a row of
        weight 1.
    random_state : int, Generator, RandomState or None, default=None
        Divides the rows and the groups.
    n_jobs : int, optional
        How many folds are fitted at the same time, as in scikit-learn.

    Returns
    -------
    GroupScores
        Prints as a table with a line for each question; ``summary()`` returns it as a DataFrame,
        ``folds`` has the scores of each fold, and ``predictions`` those of each row.

    Raises
    ------
    ValueError
        If it is not known which rows belong together, there are fewer groups than folds, or an
        argument means nothing.

    Examples
    --------
    >>> from skmixed import MixedLM, cross_validate_groups
    >>> from skmixed.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> model = MixedLM("Subject", random_slopes="Days")
    >>> scores = cross_validate_groups(
    ...     model, data[["Days", "Subject"]], data["Reaction"], random_state=0
    ... )
    >>> scores.summary()[["question", "r2", "rmse", "coverage"]].round(2)
                       question    r2   rmse  coverage
    0  new rows of known groups  0.74  28.63      0.97
    1                new groups  0.24  51.90      0.92
    """
    if not isinstance(cv, (int, np.integer)) or isinstance(cv, bool) or cv < 2:
        raise ValueError(f"cv must be a number of folds, at least 2, got {cv!r}.")
    check_coverage(coverage)
    X = framed(X)
    classes = is_classifier(estimator)
    if y is not None:
        y = column_or_1d(unmasked(y)) if classes else checked_response(y)
    elif not isinstance(estimator, MixedModel) or estimator.formula is None:
        raise ValueError("y is needed: only a mixed model with formula= finds the response in X.")
    factors = grouping_factors(estimator, X, groups)
    new = factors if factor is None else {factor: chosen_factor(factor, factors)}
    check_consistent_length(X, y, next(iter(factors.values())).codes, sample_weight)
    labels = None if isinstance(groups, str) else groups
    rows = GroupedRows(X, y, labels, row_weights(sample_weight, _num_samples(X)))
    random = random_division(random_state)
    folds = folds_of_rows(factors, cv, random)
    for name in new:
        folds += folds_of_groups(name, new[name], cv, random)
    made = Parallel(n_jobs=n_jobs)(
        delayed(_predictions)(estimator, rows, fold, None if classes else coverage)
        for fold in folds
    )
    warn_user_once_of_each(one for _, found in made for one in found)
    tables = [table for table, _ in made]
    finest = max(factors, key=lambda name: len(factors[name].levels))
    for fold, table in zip(folds, tables, strict=True):
        shown = factors.get(fold.factor, factors[finest])
        table.insert(4, "group", shown.levels.labels.take(shown.codes[fold.test]))
    return GroupScores(
        estimator=_name(estimator),
        n_folds=cv,
        nominal_coverage=coverage,
        questions=[(KNOWN_GROUPS, ", ".join(factors)), *((NEW_GROUPS, name) for name in new)],
        n_rows=len(rows),
        predictions=pd.concat(tables, ignore_index=True),
        scores=ClassScores() if classes else ResponseScores(),
    )


def _name(estimator: Any) -> str:
    """Name what was fitted: of a pipeline, its last step."""
    inner = wrapped(estimator)
    if isinstance(estimator, Pipeline):
        return _name(inner)
    return type(estimator).__name__ + ("" if inner is None else f"({_name(inner)})")


def _predictions(
    estimator: Any, rows: GroupedRows, fold: GroupFold, coverage: float | None
) -> tuple[pd.DataFrame, list[tuple[type[Warning], str]]]:
    """Fit the training rows of a fold, and predict its test rows; return the warnings too.

    A classifier has no coverage: the probabilities of the second class are predicted.
    """
    train, test = rows.take(fold.train), rows.take(fold.test)
    with warnings.catch_warnings(record=True) as found:
        fitted = train.fit_clone(estimator)
        if coverage is None:
            limits, predicted = np.full((len(test), 2), np.nan), test.predict_proba(fitted)
        else:
            limits, predicted = test.predict_interval(fitted, coverage), test.predict(fitted)
    observed, learned = (
        fitted.observed_response(part.X) if part.y is None else part.y for part in (test, train)
    )
    if coverage is None:
        observed, learned = (part == fitted.classes_[1] for part in (observed, learned))
    table = pd.DataFrame(
        {
            "question": fold.question,
            "factor": fold.factor,
            "fold": fold.number,
            "row": fold.test,
            "observed": np.asarray(observed, dtype=np.float64),
            "predicted": predicted,
            "lower": limits[:, 0],
            "upper": limits[:, 1],
            "training_mean": np.average(learned, weights=train.sample_weight),
            "weight": 1.0 if test.sample_weight is None else test.sample_weight,
        }
    )
    return table, [(one.category, str(one.message)) for one in found]
