"""How far an estimator errs in rows of groups that it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor, factorise
from skmixed.exceptions import NoGroupsWarning, warn_user
from skmixed.model_selection.grouped_rows import (
    GroupedRows,
    chosen_factor,
    grouping_factors,
    innermost,
    takes_labels,
)

__all__ = ["exchangeable_groups", "means_and_scales", "new_group_switches", "scaled_errors"]

FloatArray = NDArray[np.float64]


def exchangeable_groups(
    estimator: Any, rows: GroupedRows, factor: str | None, *, are_columns: bool
) -> tuple[str, GroupingFactor]:
    """Return the factor of which a new group is one more level, and its name.

    Without labels, beside the rows or among the columns, each row is a group.
    """
    if rows.labels is None and not are_columns:
        warn_user(
            "No groups were given: each row counts as a group of its own, and rows must be "
            "exchangeable. Pass labels to fit(X, y, groups=...), or name a column of X in "
            "GroupConformalRegressor(estimator, groups=...).",
            NoGroupsWarning,
        )
        return "rows", factorise(np.arange(len(rows)), "rows")
    factors = grouping_factors(estimator, rows.X, rows.labels)
    if factor is not None:
        return factor, chosen_factor(factor, factors)
    if len(factors) > 1:
        raise ValueError(
            f"There are several grouping factors, {list(factors)}. Say in "
            "GroupConformalRegressor(estimator, factor=...) of which one new groups come."
        )
    return next(iter(factors.items()))


def scaled_errors(model: Any, rows: GroupedRows, *, normalize: bool) -> FloatArray:
    """Return the sizes of a model's errors in rows that it has not seen, over their scale."""
    mean, scale = means_and_scales(model, rows, normalize=normalize)
    return np.abs(rows.y - mean) / scale


def means_and_scales(
    model: Any, rows: GroupedRows, *, normalize: bool
) -> tuple[FloatArray, FloatArray]:
    """Return predictions, and standard deviations if it is to normalise, or else ones."""
    switches = new_group_switches(model, rows.labels)
    if not normalize:
        mean = rows.predict(model, **switches)
        return mean, np.ones(len(mean))
    try:
        return rows.predict(model, return_std=True, **switches)
    except TypeError as error:
        raise TypeError(
            f"normalize=True needs predict(X, return_std=True), which "
            f"{type(innermost(model)).__name__} does not offer. Set normalize=False."
        ) from error


def new_group_switches(model: Any, labels: Any) -> dict[str, bool]:
    """Say to a model that takes labels, where there are none, that every group is new."""
    if labels is None and takes_labels(model):
        return {"include_random_effects": False}
    return {}
