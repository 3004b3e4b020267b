"""The residual structure that a user asks for, and the columns that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from skmixed import residual as structures
from skmixed.design.labels import label_values
from skmixed.design.residual_columns import ResidualColumns
from skmixed.estimators.columns import label_column, resolve_columns
from skmixed.residual.learning import correlation_of, label_columns, time_columns
from skmixed.residual.structure import ResidualStructure

__all__ = [
    "ResidualPlaces",
    "columns_of_data",
    "find_residual_columns",
    "require_plain_weights",
    "residual_columns",
    "residual_structure",
]


@dataclass(frozen=True, slots=True)
class ResidualPlaces:
    """Say where in X the columns of a residual structure are.

    Attributes
    ----------
    positions : tuple of (name, int)
        By the names that the structure has for them.
    labels : tuple of int
        Those that are no fixed effects: labels, and times that are not numbers.
    """

    positions: tuple[tuple[Any, int], ...] = ()
    labels: tuple[int, ...] = ()

    def columns(self, X: Any) -> ResidualColumns | None:
        """Return the columns of X that the structure reads, None if it reads none."""
        if not self.positions:
            return None
        return ResidualColumns.of({name: label_column(X, j) for name, j in self.positions})


def residual_structure(residual: Any) -> ResidualStructure | None:
    """Return the structure of the argument ``residual``, which may be text; None without one."""
    if isinstance(residual, str):
        return structures.parse_residual(residual)
    if residual is None or isinstance(residual, ResidualStructure):
        return residual
    given = residual.__name__ if isinstance(residual, type) else repr(residual)
    raise TypeError(
        f"residual must be a structure of skmixed.residual, such as AR1(time='visit'), or a text "
        f"such as 'ar1(visit | subject)', got {given}."
    )


def residual_columns(structure: ResidualStructure | None) -> tuple[Any, ...]:
    """Return the columns that a structure reads, none without one."""
    if structure is None:
        return ()
    names = (*label_columns(structure), *time_columns(structure))
    return tuple(name for name in dict.fromkeys(names) if name != "fitted")


def find_residual_columns(structure: ResidualStructure | None, X: Any) -> ResidualPlaces:
    """Find the columns of a structure in X.

    Labels are no fixed effects. Times, coordinates and covariates of variances stay among these if
    they are numbers.
    """
    names = residual_columns(structure)
    if structure is None or not names:
        return ResidualPlaces()
    positions = {name: resolve_columns(name, X, "residual")[0] for name in names}
    numbers = {
        positions[name]
        for name in time_columns(structure)
        if name in positions and _is_numeric(label_column(X, positions[name]))
    }
    labels = tuple(j for j in dict.fromkeys(positions.values()) if j not in numbers)
    return ResidualPlaces(tuple(positions.items()), labels)


def columns_of_data(
    structure: ResidualStructure | None, find: Callable[[Any], Any]
) -> ResidualColumns | None:
    """Return the columns that a structure reads, as ``find`` returns them by name; None if none."""
    names = residual_columns(structure)
    return ResidualColumns.of({name: find(name) for name in names}) if names else None


def require_plain_weights(structure: ResidualStructure, weight_type: str, weighted: bool) -> None:
    """Raise ValueError for weights that mean nothing beside a residual structure."""
    if weight_type == "sampling":
        raise ValueError(
            "weight_type='sampling' has no residual structure, got residual="
            f"{structure!r}. Leave out one of them."
        )
    if weight_type == "frequency" and weighted and correlation_of(structure) is not None:
        raise ValueError(
            "With weight_type='frequency' a weight repeats its row, and a repeated row would have "
            f"the same time as its copies: {structure!r} cannot correlate them. Use "
            "group_weight for groups that count several times."
        )


def _is_numeric(column: Any) -> bool:
    """Tell whether a column holds numbers, in whatever type."""
    values = label_values(column)
    if values.dtype == object:
        values = pd.Series(values).infer_objects()
    return bool(pd.api.types.is_numeric_dtype(values.dtype)) and values.dtype != bool
