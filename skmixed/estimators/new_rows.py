"""Rows to predict as arrays, and which random effects their predictions include."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmixed.design.design import NewRows
from skmixed.exceptions import GroupsNotPassedWarning, warn_user
from skmixed.prediction.predict import Include

if TYPE_CHECKING:
    from skmixed.estimators.predicting import PredictionMethods

__all__ = ["read_new_rows"]


def read_new_rows(
    model: PredictionMethods,
    X: Any,
    groups: Any,
    include: Include | None,
    *,
    labels_needed: bool = False,
) -> tuple[NewRows, list[str]]:
    """Read rows to predict, and decide which random effects are included.

    Parameters
    ----------
    model : fitted estimator
    X : array-like or data frame of shape (n, n_columns)
    groups : array-like of shape (n,), data frame or None
    include : bool, str, sequence of str or None
        Factors whose random effects are included; None is what the constructor says.
    labels_needed : bool, default=False
        Whether the rows hold the labels of factors that are not included too.

    Returns
    -------
    tuple of (NewRows, list of str)

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If labels are given twice, are absent and needed, or are missing from some rows and must
        not be; or there is no such factor.
    """
    check_is_fitted(model)
    model._refuse_second_labels(groups, "predict")
    columns, labels = model._input.read(model, X, groups)
    names = model._input.factor_names
    wanted = _wanted(model.include_random_effects if include is None else include, names)
    known = dict(zip(names, labels, strict=True))
    absent = [name for name in names if known[name] is None and name in wanted]
    if absent:
        _say_that_groups_are_absent(absent, insisted=include is not None)
    if not labels_needed:
        labels = [known[name] if name in wanted else None for name in names]
    unseen = model.unseen_groups if wanted else "population"
    return model._input.new_rows(columns, labels, unseen, model.missing_groups), wanted


def _wanted(include: Include, names: list[str]) -> list[str]:
    """Return the names of the factors whose random effects are included."""
    if isinstance(include, (bool, np.bool_)):
        return names if include else []
    chosen = [include] if isinstance(include, str) else list(include)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise ValueError(
            f"include_random_effects names {unknown}, but the grouping factors are {names}. "
            "Name some of these, or give True or False."
        )
    return chosen


def _say_that_groups_are_absent(absent: Sequence[str], *, insisted: bool) -> None:
    """Raise or warn because random effects are wanted and labels are not known."""
    if insisted:
        raise ValueError(
            "include_random_effects=True needs `groups`: this model was fitted with labels of "
            f"{absent}, so pass those of the rows too."
        )
    warn_user(
        f"This model was fitted with groups, but none are given here for {absent}: these are "
        "population predictions. Pass groups=, or include_random_effects=False to say that "
        "this is meant. In scikit-learn's tools name the column of labels in the constructor, "
        "or use GroupScorer with metadata routing.",
        GroupsNotPassedWarning,
    )
