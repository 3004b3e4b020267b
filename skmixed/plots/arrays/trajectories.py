"""The trajectories and the population's lines that TrajectoriesDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.style.colours import PALETTE

__all__ = ["categories_of", "spread_groups", "trajectories_arrays"]

FloatArray = NDArray[np.float64]
_PLACES = 50


def trajectories_arrays(source: FittedRows, *, feature: Any, color: Any) -> dict[str, Any]:
    """Return the arguments of TrajectoriesDisplay; the options are those of its from_estimator."""
    feature = source.feature(feature)
    x = source.table.numbers(feature)
    line_x = np.linspace(x.min(), x.max(), _PLACES)
    colors, categories = None, []
    if color is not None:
        color = source.column(color, "color")
        levels = np.arange(len(source.labels))
        colors = source.table.typical(source.codes, levels).frame[color]
        categories = categories_of(colors, color)
    return {
        "groups": source.labels,
        "x": x,
        "y": source.response,
        "codes": source.codes,
        "line_x": line_x,
        "lines": _population_lines(source, feature, line_x, color, categories),
        "colors": colors,
        "color_name": None if color is None else str(color),
        "feature": feature,
        "response": source.response_name,
        "factor": source.factor,
    }


def categories_of(colors: pd.Series | None, name: Any) -> list[Any]:
    """Return the sorted values that colour, none where there are none or they are numbers."""
    if colors is None or (
        pd.api.types.is_numeric_dtype(colors) and not pd.api.types.is_bool_dtype(colors)
    ):
        return []
    found = sorted(pd.unique(colors), key=lambda value: (type(value).__name__, value))
    if len(found) > len(PALETTE):
        raise ValueError(
            f"color={name!r} has {len(found)} different values, more than the {len(PALETTE)} "
            "colours that readers can tell apart. Choose a column of fewer values, or of numbers."
        )
    return found


def spread_groups(codes: NDArray[np.intp], y: FloatArray, n: int) -> NDArray[np.intp]:
    """Return n groups of most rows within equal parts of the order of their means."""
    if n <= 0:
        return np.zeros(0, dtype=np.intp)
    sizes = np.bincount(codes)
    means = np.bincount(codes, y) / sizes
    parts = np.array_split(np.argsort(means, kind="stable"), min(n, len(means)))
    # Of groups of equal size the one in the middle of its part.
    middle = [np.roll(part, -(len(part) // 2)) for part in parts]
    return np.array([part[np.argmax(sizes[part])] for part in middle], dtype=np.intp)


def _population_lines(
    source: FittedRows, feature: str, line_x: FloatArray, color: Any, categories: list[Any]
) -> list[FloatArray]:
    """Return the population's line, or one for each category."""
    rows, weights = source.population(without=color if categories else None)
    along = rows.along(feature, np.tile(line_x, (len(rows), 1)))
    each = [along]
    if categories:
        values = source.table.frame[color]
        first = [np.flatnonzero(values == category)[0] for category in categories]
        # Taken from the column, so that its type is kept.
        same = [values.iloc[np.full(len(along), i)].reset_index(drop=True) for i in first]
        each = [along.assign(color, one) for one in same]
    return [
        weights @ source.predict(one, include=False).reshape(len(rows), len(line_x)) for one in each
    ]
