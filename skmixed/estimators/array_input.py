"""Arrays and data frames, with their labels, to a design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skmixed.design.arrays import ArrayRecipe
from skmixed.design.design import Design, NewRows
from skmixed.design.groups import GroupingFactor, factorise_interaction
from skmixed.estimators.columns import (
    column_name,
    fixed_columns,
    has_columns,
    label_column,
    resolve_columns,
)

__all__ = ["ArrayInput", "checked_response", "train_arrays"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayInput:
    """Hold what fit learned of X.

    Attributes
    ----------
    recipe : ArrayRecipe
    label_columns : tuple of int, or None
        Columns of X with the labels; None where labels come as an array.
    """

    recipe: ArrayRecipe
    label_columns: tuple[int, ...] | None

    @property
    def has_groups(self) -> bool:
        """Tell whether the model has a grouping factor."""
        return self.recipe.levels is not None

    def read(
        self, estimator: BaseEstimator, X: Any, groups: Any
    ) -> tuple[FloatArray, list[Any] | None]:
        """Return the fixed columns of new rows, and their labels if they are known."""
        X = _array_or_frame(X)
        if self.label_columns is None:
            fixed = _validated(estimator, X, reset=False)
            if groups is None or not self.has_groups:
                return fixed, None
            check_consistent_length(fixed, groups)
            return fixed, label_arrays(groups)
        X = _with_label_columns(estimator, X, reset=False)
        labels = [label_column(X, j) for j in self.label_columns]
        return _numeric(fixed_columns(X, self.label_columns), len(labels[0])), labels

    def new_rows(self, fixed: FloatArray, labels: Sequence[Any] | None, unseen: str) -> NewRows:
        """Return the columns of rows to predict."""
        return self.recipe.new_rows(fixed, labels, unseen=unseen)


def train_arrays(
    estimator: Any, X: Any, y: Any, groups: Any, *, random_slopes: Any, random_intercept: bool
) -> tuple[Design, ArrayInput]:
    """Check what was given to fit, and make the design of it.

    Raises
    ------
    ValueError
        If X, y or the labels cannot be used, or their lengths differ.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    X = _array_or_frame(X)
    if estimator.groups is None:
        label_columns = None
        fixed = _validated(estimator, X, reset=True, min_features=0 if groups is not None else 1)
        labels = None if groups is None else label_arrays(groups)
        names = ["groups"]
    else:
        X = _with_label_columns(estimator, X, reset=True)
        positions = resolve_columns(estimator.groups, X, "groups")
        _check_one_factor(positions)
        label_columns = tuple(positions)
        labels = [label_column(X, j) for j in positions]
        names = [_factor_name(estimator.groups, column_name(X, j)) for j in positions]
        fixed = _numeric(fixed_columns(X, positions), len(labels[0]))
    response = checked_response(y)
    check_consistent_length(fixed, response, *(labels or ()))
    kept = [j for j in range(X.shape[1]) if label_columns is None or j not in label_columns]
    slopes = _slopes(random_slopes, X, kept)
    factor = None if labels is None else factorise_interaction(labels, names)
    recipe = ArrayRecipe(
        tuple(column_name(X, j) for j in kept),
        slopes,
        random_intercept,
        None if factor is None else factor.levels,
    )
    return _design(recipe, fixed, response, factor, estimator.fit_intercept), ArrayInput(
        recipe, label_columns
    )


def checked_response(y: Any) -> FloatArray:
    """Return y as finite numbers, one per row."""
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype == np.float64 and len(y):
        assert_all_finite(y, input_name="y")
        return y
    values = column_or_1d(y, warn=True)
    return check_array(values, ensure_2d=False, dtype=np.float64, input_name="y")


def label_arrays(groups: Any) -> list[Any]:
    """Return the label columns of an argument ``groups``."""
    if not has_columns(groups):
        return [groups]
    _check_one_factor(range(groups.shape[1]))
    return [label_column(groups, 0)]


def _design(
    recipe: ArrayRecipe,
    fixed: FloatArray,
    response: FloatArray,
    factor: GroupingFactor | None,
    intercept: bool,
) -> Design:
    """Put the arrays together."""
    blocks = () if factor is None else (recipe.block(fixed, factor),)
    return Design(response, fixed, recipe.names, bool(intercept), blocks)


def _array_or_frame(X: Any) -> Any:
    """Return X as something with columns; labels in a list of rows keep their type."""
    if has_columns(X) or hasattr(X, "shape"):
        return X
    array = np.asarray(X)
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _with_label_columns(estimator: BaseEstimator, X: Any, *, reset: bool) -> Any:
    """Return X with its columns counted and named; labels among them keep their type."""
    if not has_columns(X):
        X = check_array(X, dtype=None, ensure_all_finite=False, input_name="X")
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    return X


def _validated(
    estimator: BaseEstimator, X: Any, *, reset: bool, min_features: int = 0
) -> FloatArray:
    """Return X as finite numbers, its columns and their names checked."""
    if has_columns(X):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        return _numeric(X, len(X), min_features)
    if _is_plain(X, min_features):
        assert_all_finite(X, input_name="X")
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        return X
    return validate_data(
        estimator, X, reset=reset, dtype=np.float64, ensure_min_features=min_features
    )


def _is_plain(X: Any, min_features: int) -> bool:
    """Tell whether of X only its values are left to check, which is quicker for small data."""
    return (
        type(X) is np.ndarray
        and X.dtype == np.float64
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] >= min_features
    )


def _numeric(columns: Any, n: int, min_features: int = 0) -> FloatArray:
    """Return columns as finite numbers, or say which of them hold text."""
    if columns.shape[1] == 0 and min_features == 0:
        return np.empty((n, 0))
    try:
        return check_array(
            columns, dtype=np.float64, ensure_min_features=min_features, input_name="X"
        )
    except ValueError as error:
        if not has_columns(columns) or "NaN" in str(error) or "infinity" in str(error):
            raise
        text = [str(name) for name in columns.columns if not _is_numeric(columns[name])]
        if not text:
            raise
        raise ValueError(
            f"The columns {text} of X hold text, which cannot be fixed effects as they are. Encode "
            "them with OneHotEncoder(drop='first') in a ColumnTransformer, use the formula "
            "interface, or name the column of labels in groups=."
        ) from error


def _is_numeric(column: Any) -> bool:
    """Tell whether a column converts to numbers."""
    try:
        np.asarray(column).astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _slopes(random_slopes: Any, X: Any, kept: list[int]) -> tuple[int, ...]:
    """Return the positions of the random slopes among the fixed columns."""
    if random_slopes is None:
        return ()
    positions = resolve_columns(random_slopes, X, "random_slopes")
    for j in positions:
        if j not in kept:
            raise ValueError(
                f"random_slopes names the column {column_name(X, j)!r} of X (n_features = "
                f"{X.shape[1]}), which holds the group labels. Name another column."
            )
    return tuple(dict.fromkeys(kept.index(j) for j in positions))


def _factor_name(specification: Any, column: str) -> str:
    """Call a factor as the user does, else as its column."""
    if isinstance(specification, (list, tuple)) and len(specification) == 1:
        specification = specification[0]
    return specification if isinstance(specification, str) else column


def _check_one_factor(columns: Sequence[int]) -> None:
    """Refuse several columns of labels."""
    if len(columns) != 1:
        raise NotImplementedError(
            f"groups must be one column of labels so far, got {len(columns)} columns. Fit one "
            "grouping factor, or combine the columns into one."
        )
