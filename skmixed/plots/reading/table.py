"""Rows of a user's data that displays take, hold at typical values and move along one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.pipeline import Pipeline

from skmixed.design.rows import taken
from skmixed.formula.tables import require_table

__all__ = ["Table", "as_table", "first_rows", "transformed"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Hold rows, and the labels that stand beside them.

    Attributes
    ----------
    frame : DataFrame
        The columns; those of an array are called x0, x1, ...
    groups : array-like of shape (n,), DataFrame or None
        Labels that are no columns of the frame.
    is_array : bool
        Whether the model knows the columns as an array.
    """

    frame: pd.DataFrame
    groups: Any
    is_array: bool

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> Any:
        """Return the columns as the model knows them."""
        return self.frame.to_numpy() if self.is_array else self.frame

    def take(self, rows: Codes) -> Table:
        """Return some of the rows."""
        groups = None if self.groups is None else taken(self.groups, rows)
        return replace(self, frame=self.frame.iloc[rows].reset_index(drop=True), groups=groups)

    def assign(self, column: Any, values: Any) -> Table:
        """Return the rows with other values in one column, whose name need not be text."""
        frame = self.frame.copy()
        frame[column] = values
        return replace(self, frame=frame)

    def along(self, column: str, grid: FloatArray) -> Table:
        """Return each row as often as its row of the grid has values for a column."""
        repeated = self.take(np.repeat(np.arange(len(self)), grid.shape[1]))
        return repeated.assign(column, grid.ravel())

    def is_number(self, column: str) -> bool:
        """Tell whether a column holds numbers."""
        dtype = self.frame[column].dtype
        return is_numeric_dtype(dtype) and not is_bool_dtype(dtype)

    def numbers(self, column: str) -> FloatArray:
        """Return a column of numbers."""
        return self.frame[column].to_numpy(dtype=np.float64)

    def typical(self, codes: Codes, chosen: Codes) -> Table:
        """Return one row for each chosen group, typical of its rows.

        A column that is constant within groups keeps its values; else a number is the mean of the
        group's rows, and anything else the value that most of them have.
        """
        position = np.full(int(codes.max(initial=0)) + 1, -1)
        position[chosen] = np.arange(len(chosen))
        kept = np.flatnonzero(position[codes] >= 0)
        inside, codes = self.take(kept), position[codes[kept]]
        first = first_rows(codes, len(chosen))
        rows = inside.take(first)
        for column in self.frame.columns:
            values = inside.frame[column]
            if not (values.to_numpy() == values.to_numpy()[first][codes]).all():
                summarise = _means if inside.is_number(column) else _most_frequent
                rows = rows.assign(column, summarise(values, codes, len(chosen)))
        return rows


def as_table(X: Any, groups: Any) -> Table:
    """Return rows as a table."""
    require_table(X, "X")
    if isinstance(X, pd.DataFrame):
        return Table(X.reset_index(drop=True), groups, False)
    if isinstance(X, Mapping) or hasattr(X, "columns"):
        names = list(X) if isinstance(X, Mapping) else list(X.columns)
        return Table(pd.DataFrame({name: np.asarray(X[name]) for name in names}), groups, False)
    array = np.asarray(X)
    frame = pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])
    return Table(frame.infer_objects(), groups, True)


def transformed(steps: Pipeline | None, X: Any) -> Any:
    """Return columns as the model after some steps, if there are any, knows them."""
    return X if steps is None else steps.transform(X)


def first_rows(codes: Codes, n: int) -> Codes:
    """Return the position of the first row of each group."""
    first = np.zeros(n, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _means(values: pd.Series, codes: Codes, n: int) -> FloatArray:
    """Return the mean of each group's numbers."""
    sums = np.bincount(codes, weights=values.to_numpy(dtype=np.float64), minlength=n)
    return sums / np.bincount(codes, minlength=n)


def _most_frequent(values: pd.Series, codes: Codes, n: int) -> Any:
    """Return the most frequent value of each group, in the type of the column."""
    found, distinct = pd.factorize(values)
    counts = np.zeros((n, len(distinct)), dtype=np.intp)
    np.add.at(counts, (codes, found), 1)
    example = first_rows(found, len(distinct))
    return values.iloc[example[counts.argmax(axis=1)]].reset_index(drop=True)
