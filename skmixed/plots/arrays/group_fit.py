"""The lines of groups that GroupFitDisplay shows, computed from a fitted model and its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.least_squares import pooled_values, separate_lines

__all__ = ["group_fit_arrays", "usual_lines"]

FloatArray = NDArray[np.float64]

# More panels, or lines on one, than this hide each other; then some groups stand for all.
_MOST_PANELS, _FEWER_PANELS = 20, 12
_MOST_LINES, _FEWER_LINES = 60, 40
_PLACES = 25


def usual_lines(fit: LMMFit) -> tuple[str, ...]:
    """Return what is shown of the groups of a fit unless it is asked for."""
    if not fit.is_linear:
        return ("points", "mixed", "population")
    return ("points", "separate", "mixed", "pooled")


def group_fit_arrays(
    source: FittedRows, *, feature: Any, levels: Any, show: Sequence[str], true: Any, panels: bool
) -> dict[str, Any]:
    """Return the arguments of GroupFitDisplay; the options are those of its from_estimator."""
    feature = source.feature(feature)
    if levels is not None:
        chosen = source.chosen(levels)
    else:
        most, fewer = (_MOST_PANELS, _FEWER_PANELS) if panels else (_MOST_LINES, _FEWER_LINES)
        n = len(source.labels)
        chosen = np.arange(n) if n <= most else source.spread(fewer)
    inside, codes = source.rows_of(chosen)
    x = source.table.numbers(feature)
    line_x = _places(x[inside], codes, (x.min(), x.max()), len(chosen))
    along = source.table.typical(source.codes, chosen).along(feature, line_x)
    makers: dict[str, Callable[[], FloatArray]] = {
        "separate": lambda: separate_lines(source, chosen, along, line_x.shape[1]),
        "mixed": lambda: source.predict(along, include=source.included),
        "pooled": lambda: pooled_values(source, along),
        "population": lambda: source.predict(along, include=False),
    }
    lines = {n: make().reshape(line_x.shape) for n, make in makers.items() if n in show}
    if true is not None:
        given = _true_lines(true, source.labels)[chosen]
        lines["true"] = given[:, :1] + given[:, 1:] * line_x
    return {
        "groups": source.labels[chosen],
        "x": x[inside],
        "y": source.response[inside],
        "codes": codes,
        "line_x": line_x,
        "lines": lines,
        "feature": feature,
        "response": source.response_name,
        "factor": source.factor,
        "n_levels": len(source.labels),
    }


def _places(
    x: FloatArray, codes: NDArray[np.intp], reach: tuple[float, float], n_groups: int
) -> FloatArray:
    """Return places between each group's least and largest x; between all groups' for one x."""
    low, high = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(low, codes, x)
    np.maximum.at(high, codes, x)
    single = ~(low < high)
    low[single], high[single] = reach
    return low[:, None] + np.linspace(0.0, 1.0, _PLACES) * (high - low)[:, None]


def _true_lines(true: Any, labels: pd.Index) -> FloatArray:
    """Return the true intercept and slope of each level."""
    if isinstance(true, pd.DataFrame):
        absent = labels[~labels.isin(true.index)]
        if len(absent):
            raise ValueError(
                f"true has no rows for {list(absent[:5])} ({len(absent)} of {len(labels)} groups). "
                "Index it by the labels of the groups."
            )
        true = true.loc[labels]
    lines = np.asarray(true, dtype=float)
    if lines.shape != (len(labels), 2):
        raise ValueError(
            f"true must have shape {(len(labels), 2)}, an intercept and a slope for each group in "
            f"sorted order, got {lines.shape}."
        )
    return lines
