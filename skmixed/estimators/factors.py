"""Grouping factors that a user names: columns of X, several of them, nested, or given as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skmixed.estimators.columns import (
    column_name,
    column_names,
    has_columns,
    label_column,
    require_readable,
    resolve_columns,
)

__all__ = ["FactorColumns", "factor_columns", "given_factors", "given_labels"]


@dataclass(frozen=True, slots=True)
class FactorColumns:
    """Say which columns hold the labels of one grouping factor; several make an interaction.

    The positions are empty where labels are one array.
    """

    columns: tuple[str, ...]
    positions: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name the factor."""
        return ":".join(self.columns)

    def labels(self, source: Any) -> list[Any]:
        """Return the columns of labels of X, or of an argument ``groups`` of fit."""
        if not self.positions:
            return [label_column(source, 0) if has_columns(source) else source]
        return [label_column(source, j) for j in self.positions]


def factor_columns(specification: Any, X: Any) -> list[FactorColumns]:
    """Find the grouping factors that the constructor names among the columns of X.

    ``"a/b"`` means the factors a and a:b, and ``"a:b"`` the combinations of a and b, unless a
    column has that very name; every element of a list is a factor.
    """
    if not isinstance(specification, (list, tuple)):
        specification = [specification]
    found = [factor for one in specification for factor in _factors_of(one, X)]
    if not found:
        raise ValueError(
            f"groups={specification!r} names no column of X. Name one, or leave groups=None for a "
            "model without groups."
        )
    return list(dict.fromkeys(found))


def given_factors(groups: Any) -> list[FactorColumns]:
    """Name the factors of an argument ``groups`` of fit: one array, or columns of a data frame."""
    if groups is None:
        return []
    require_readable(groups, "groups")
    if not has_columns(groups) or groups.shape[1] == 1:
        return [FactorColumns(("groups",), ())]
    names = [column_name(groups, j) for j in range(groups.shape[1])]
    return [FactorColumns((name,), (j,)) for j, name in enumerate(names)]


def given_labels(factors: Sequence[FactorColumns], groups: Any) -> list[list[Any]]:
    """Return the labels of each factor in an argument ``groups`` of predict, found by its name."""
    require_readable(groups, "groups")
    if not any(factor.positions for factor in factors):
        if has_columns(groups) and groups.shape[1] != 1:
            raise ValueError(
                f"groups must have one label per row, as in fit, got the columns "
                f"{column_names(groups)}."
            )
        return [factor.labels(groups) for factor in factors]
    names = column_names(groups) or []
    absent = [factor.name for factor in factors if factor.name not in names]
    if absent:
        got = f"the columns {names}" if names else type(groups).__name__
        raise ValueError(
            f"groups must be a data frame with a column for each factor, as in fit: {absent} are "
            f"not there, got {got}."
        )
    return [[label_column(groups, names.index(factor.name))] for factor in factors]


def _factors_of(one: Any, X: Any) -> list[FactorColumns]:
    """Return the factors of one element of the specification."""
    if isinstance(one, str) and one not in (column_names(X) or [one]):
        if "/" in one:
            parts = one.split("/")
            return [_interaction(parts[: i + 1], X) for i in range(len(parts))]
        if ":" in one:
            return [_interaction(one.split(":"), X)]
    positions = resolve_columns(one, X, "groups")
    if isinstance(one, str):
        return [FactorColumns((one,), tuple(positions))]
    return [FactorColumns((column_name(X, j),), (j,)) for j in positions]


def _interaction(names: Sequence[str], X: Any) -> FactorColumns:
    """Return the combinations of columns."""
    names = [name.strip() for name in names]
    return FactorColumns(tuple(names), tuple(resolve_columns(list(names), X, "groups")))
