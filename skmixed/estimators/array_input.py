"""Arrays and data frames, with their labels, to a design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from skmixed.design.arrays import ArrayFactor, ArrayRecipe, Labels
from skmixed.design.design import Design, NewRows
from skmixed.design.groups import Levels, factorise_interaction
from skmixed.design.residual_columns import ResidualColumns
from skmixed.design.side_parts import SidePart, side_columns
from skmixed.estimators.columns import (
    column_name,
    fixed_columns,
    has_columns,
    require_readable,
    resolve_columns,
)
from skmixed.estimators.factors import FactorColumns, factor_columns, given_factors, given_labels
from skmixed.estimators.numbers import check_finite, checked_response, converted, numeric_columns
from skmixed.estimators.residuals import (
    ResidualPlaces,
    find_residual_columns,
    residual_columns,
)
from skmixed.estimators.seen_columns import SeenColumns, seen_columns
from skmixed.formula import FormulaRecipe
from skmixed.formula.values import unmasked
from skmixed.residual.structure import ResidualStructure

__all__ = ["ArrayInput", "train_arrays"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayInput:
    """Hold what fit learned of X.

    Attributes
    ----------
    factors : tuple of FactorColumns
        In the order of the recipe.
    labels_are_columns : bool
        Whether the labels are columns of X; else they come as an array.
    sides : tuple of SidePart or None
        How further predictors are made; None for one that is the same in all rows.
    """

    recipe: ArrayRecipe
    factors: tuple[FactorColumns, ...]
    labels_are_columns: bool
    seen: SeenColumns
    residual: ResidualPlaces = field(default_factory=ResidualPlaces)
    sides: tuple[SidePart | None, ...] = ()

    @property
    def formula_recipe(self) -> FormulaRecipe | None:
        """Return None: there is no formula."""
        return None

    @property
    def variables(self) -> list[str] | None:
        """Return None: every column of X is read."""
        return None

    @property
    def factor_names(self) -> list[str]:
        """Name the grouping factors."""
        return [factor.name for factor in self.factors]

    def read(self, X: Any, groups: Any) -> tuple[FloatArray, list[Labels]]:
        """Return the fixed columns of new rows, and each factor's labels if they are known."""
        X = _array_or_frame(X)
        if self.labels_are_columns or self.residual.positions:
            X = _with_label_columns(X, self.seen.check)
            labels = _positions(self.factors) if self.labels_are_columns else []
            fixed = numeric_columns(fixed_columns(X, [*labels, *self.residual.labels]))
        else:
            fixed = _validated(X, self.seen.check, self.seen.estimator)
        if self.labels_are_columns:
            return fixed, [factor.labels(X) for factor in self.factors]
        if groups is None or not self.factors:
            return fixed, [None] * len(self.factors)
        check_consistent_length(fixed, groups)
        return fixed, list(given_labels(self.factors, groups))

    def residual_columns(self, X: Any) -> ResidualColumns | None:
        """Return the columns that a residual structure reads, None if it reads none."""
        return self.residual.columns(_array_or_frame(X)) if self.residual.positions else None

    def extra_columns(self, X: Any) -> tuple[FloatArray | None, ...]:
        """Return the columns of further predictors but for intercepts, None for constant ones."""
        return side_columns(self.sides, X)

    def observed(self, X: Any, y: Any) -> Any:
        """Return the response of rows as it was given."""
        if y is None:
            raise ValueError("This requires y to be passed, but the target y is None.")
        return y

    def response(self, X: Any, y: Any) -> FloatArray:
        """Return the checked response of new rows."""
        return checked_response(self.observed(X, y))

    def with_levels(self, levels: Sequence[Levels]) -> ArrayInput:
        """Return the same with other levels of each factor."""
        factors = tuple(
            replace(factor, levels=its)
            for factor, its in zip(self.recipe.factors, levels, strict=True)
        )
        return replace(self, recipe=replace(self.recipe, factors=factors))

    def new_rows(
        self, fixed: FloatArray, labels: Sequence[Labels], unseen: str, missing: str = "error"
    ) -> NewRows:
        """Return the columns of rows to predict."""
        return self.recipe.new_rows(fixed, labels, unseen=unseen, missing=missing)


def train_arrays(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Any,
    *,
    random_slopes: Any,
    random_intercept: bool,
    residual: ResidualStructure | None = None,
) -> tuple[Design, ArrayInput]:
    """Check what was given to fit, and make the design of it; the estimator learns the columns."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y "
            "is None."
        )
    X = _array_or_frame(X)
    in_X = estimator.groups is not None
    learn = partial(validate_data, estimator, skip_check_array=True)
    if in_X or residual_columns(residual):
        X = _with_label_columns(X, learn)
    places = factor_columns(estimator.groups, X) if in_X else given_factors(groups)
    source = X if in_X else groups
    of_residual = find_residual_columns(residual, X)
    dropped = {*(_positions(places) if in_X else ()), *of_residual.labels}
    if in_X or of_residual.positions:
        fixed = numeric_columns(fixed_columns(X, sorted(dropped)))
    else:
        fixed = _validated(X, learn, type(estimator).__name__, min_features=0 if places else 1)
    response = checked_response(y)
    if not len(fixed) == len(response) == len(fixed if groups is None else groups):
        check_consistent_length(fixed, response, *([] if groups is None else [groups]))
    kept = [j for j in range(X.shape[1]) if j not in dropped]
    trained = [
        (place, factorise_interaction(place.labels(source), place.columns)) for place in places
    ]
    trained.sort(key=lambda pair: -len(pair[1].levels))
    slopes = _slopes_by_factor(random_slopes, [place.name for place in places], X, kept)
    if not random_intercept:
        _check_slopes(slopes)
    recipe = ArrayRecipe(
        tuple(column_name(X, j) for j in kept),
        tuple(
            ArrayFactor(factor.levels, slopes[place.name], random_intercept)
            for place, factor in trained
        ),
    )
    if "Intercept" in recipe.names:
        _check_intercept(recipe, fixed, bool(estimator.fit_intercept))
    blocks = recipe.blocks(fixed, [factor for _, factor in trained])
    design = Design(
        response,
        fixed,
        recipe.names,
        bool(estimator.fit_intercept),
        blocks,
        residual=of_residual.columns(X),
    )
    learned = ArrayInput(
        recipe, tuple(place for place, _ in trained), in_X, seen_columns(estimator), of_residual
    )
    return design, learned


def _array_or_frame(X: Any) -> Any:
    """Return X as something with columns; labels in a list of rows keep their type."""
    require_readable(X)
    if has_columns(X) or hasattr(X, "shape"):
        return unmasked(X)
    array = np.asarray(X)
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _with_label_columns(X: Any, check: Callable[[Any], Any]) -> Any:
    """Return X with its columns counted and named; labels among them keep their type."""
    if not has_columns(X):
        X = check_array(X, dtype=None, ensure_all_finite=False, input_name="X")
    check(X)
    return X


def _validated(
    X: Any, check: Callable[[Any], Any], estimator: str, *, min_features: int = 0
) -> FloatArray:
    """Return X as finite numbers, its columns and their names learned or checked."""
    if has_columns(X):
        check(X)
        return numeric_columns(X, min_features)
    if _is_plain(X, min_features):
        X = X.astype(np.float64, copy=False)
        check_finite(X, "X")
    else:
        to_numbers = partial(
            check_array,
            X,
            dtype=np.float64,
            ensure_min_features=min_features,
            input_name="X",
            estimator=estimator,
        )
        X = converted(X, to_numbers)
    check(X)
    return X


def _is_plain(X: Any, min_features: int) -> bool:
    """Tell whether X is a matrix of numbers whose values alone are left to check: it is quicker."""
    return (
        type(X) is np.ndarray
        and X.dtype.kind in "fiub"
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] >= min_features
    )


def _positions(factors: Sequence[FactorColumns]) -> list[int]:
    """Return the positions of all columns of labels."""
    return [j for factor in factors for j in factor.positions]


def _slopes_by_factor(
    random_slopes: Any, names: list[str], X: Any, kept: list[int]
) -> dict[str, tuple[int, ...]]:
    """Return for each factor the positions of its random slopes among the fixed columns."""
    if not isinstance(random_slopes, Mapping):
        return dict.fromkeys(names, _slopes(random_slopes, X, kept))
    unknown = [name for name in random_slopes if name not in names]
    if unknown:
        raise ValueError(f"random_slopes names the factors {unknown}; the factors are {names}.")
    return {name: _slopes(random_slopes.get(name), X, kept) for name in names}


def _check_slopes(slopes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError for a factor that has no random slope, where there is no intercept."""
    without = [name for name, positions in slopes.items() if not positions]
    if without:
        raise ValueError(
            f"random_intercept=False leaves {without} without any random effect. Give each factor "
            "a random slope."
        )


def _check_intercept(recipe: ArrayRecipe, fixed: FloatArray, fit_intercept: bool) -> None:
    """Raise ValueError if a column named as the intercept is another one than the model's."""
    j = recipe.names.index("Intercept")
    varies_twice = any(part.random_intercept and j in part.slopes for part in recipe.factors)
    if fit_intercept or varies_twice or (fixed[:, j] != 1.0).any():
        raise ValueError(
            "X has a column named 'Intercept', which is the name of the model's own intercept. "
            "Leave the column out if it holds ones, since fit_intercept=True stands for it; else "
            "rename it."
        )


def _slopes(random_slopes: Any, X: Any, kept: list[int]) -> tuple[int, ...]:
    """Return the positions of random slopes among the fixed columns."""
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
