"""Times and places of rows as the numbers that a structure of correlations asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.groups import Levels, factorise, in_order_of_categories
from skmixed.design.labels import label_values
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import Correlation
from skmixed.residual.patterns import GroupedRows
from skmixed.residual.variance import Columns

__all__ = ["UNKNOWN", "check_distinct", "learn_axis", "places_in_groups", "row_positions"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

DAY = np.timedelta64(1, "D")
UNKNOWN = (
    "The residual structure knows those that were fitted only. Refit with such rows, or predict "
    "without residual_memory and return_cov."
)


def learn_axis(
    correlation: Correlation, columns: Columns, groups: Integers
) -> tuple[Axis, Levels | None]:
    """Learn the occasions, or the unit of distances, from the training rows.

    The levels are the occasions where times are labels, or where only their order counts.
    """
    kind, names = correlation.axis_kind, correlation.axis_columns
    largest = int(np.bincount(groups).max(initial=1))
    times, unit = None, 1.0
    occasions: Iterable[str] = ()
    if names and kind not in ("none", "coordinates"):
        times = _occasions(columns[names[0]], str(names[0]), kind)
        occasions = () if times is None else times.flat_labels.astype(str)
    elif kind == "occasion":
        occasions = map(str, range(largest))
    if kind in ("integer", "real", "coordinates"):
        unit = _typical_distance(row_positions(correlation, times, columns, groups), groups)
    return Axis(tuple(occasions), unit, largest), times


def row_positions(
    correlation: Correlation, times: Levels | None, columns: Columns, groups: Integers
) -> NDArray[Any]:
    """Return the position of each row, (n,) or (n, n_dimensions), with times as learned."""
    kind, names = correlation.axis_kind, correlation.axis_columns
    if kind == "coordinates":
        if not names:
            raise ValueError(
                f"{type(correlation).__name__} needs coordinates: name the columns, such as "
                f"{type(correlation).__name__}(coordinates=('x', 'y'))."
            )
        return np.column_stack([_numbers(columns[name], str(name)) for name in names])
    if kind == "none":
        return np.zeros(len(groups), dtype=np.intp)
    if not names:
        return places_in_groups(groups)
    if times is not None:
        codes = times.encode([columns[names[0]]])
        times.check_seen(codes, [columns[names[0]]], UNKNOWN)
        return codes
    values = _numbers(columns[names[0]], str(names[0]))
    return values.astype(np.intp) if kind == "integer" else values


def check_distinct(correlation: Correlation, columns: Columns, rows: GroupedRows) -> None:
    """Raise ValueError if two rows of a group have the same time."""
    names = correlation.axis_columns
    if correlation.axis_kind == "coordinates" or not names:
        return
    if correlation.axis_kind == "none":
        codes = factorise(columns[names[0]], str(names[0])).codes
        rows = GroupedRows(rows.groups, codes, rows.arms)
    row = rows.duplicate()
    if row is not None:
        time = label_values(columns[names[0]]).tolist()[row]
        raise ValueError(
            f"Two rows of one group have the time {time!r} in {names[0]!r} (row {row} is one of "
            "them): rows that are correlated in time need distinct times within each group. "
            "Average the rows, or name as group the column that tells them apart."
        )


def _occasions(column: Any, name: str, kind: str) -> Levels | None:
    """Return the distinct times in order; None where times are numbers that count as such."""
    values = label_values(column)
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    if kind == "real":
        if numeric or pd.api.types.is_datetime64_any_dtype(values.dtype):
            return None
        raise ValueError(
            f"The times {name!r} must be numbers or dates here, got {values.dtype}. Use AR1, "
            "Toeplitz or AnteDependence where only the order of times counts."
        )
    if kind == "integer" and numeric:
        numbers = _numbers(values, name)
        if (numbers == np.round(numbers)).all():
            return None
        raise ValueError(
            f"The times {name!r} must be integers here, and row {np.argmax(numbers % 1 != 0)} has "
            f"{numbers[numbers % 1 != 0][0]:g}. Use CAR1 for times between integers."
        )
    levels = factorise(values, name).levels
    return in_order_of_categories(levels, values) if isinstance(values, pd.Categorical) else levels


def _numbers(column: Any, name: str) -> FloatArray:
    """Return times or coordinates as numbers, dates in days."""
    values = label_values(column)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = (np.asarray(values, dtype="datetime64[ns]") - np.datetime64(0, "ns")) / DAY
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The column {name!r} must hold numbers, got {values.dtype}.") from error
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"The column {name!r} has missing or infinite values, first in row "
            f"{np.argmin(np.isfinite(numbers))}: times and coordinates must be known. Drop these "
            "rows."
        )
    return numbers


def places_in_groups(groups: Integers) -> Integers:
    """Return the place of each row among those of its group."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = np.empty(len(groups), dtype=np.intp)
    places[order] = np.arange(len(groups)) - starts
    return places


def _typical_distance(positions: NDArray[Any], groups: Integers) -> float:
    """Return the median distance of neighbouring rows of a group, 1 if there are none."""
    points = positions.reshape(len(groups), -1)
    order = np.lexsort((*points.T[::-1], groups))
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    steps = steps[(np.diff(groups[order]) == 0) & (steps > 0.0)]
    return float(np.median(steps)) if len(steps) else 1.0
