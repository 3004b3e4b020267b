"""Residuals of each group as a row: points, quartiles and median, sorted by the median."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.plots.style.colours import BLUE, DASHED, GREY, SKY_BLUE, alpha_for
from skmixed.plots.style.group_rows import FEWEST_POINTS, label_rows, points_per_row
from skmixed.plots.style.text import describe, short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_groups"]

FloatArray = NDArray[np.float64]


def draw_groups(
    ax: Axes, values: FloatArray, labels: Any, *, name: str, factor: str
) -> dict[str, Any]:
    """Draw each group as a row; return ``"points"``, ``"quartiles"`` and ``"medians"``.

    Parameters
    ----------
    values : ndarray of shape (n,)
        NaN is left out.
    """
    known = np.isfinite(values)
    values = values[known]
    codes, levels = pd.factorize(labels[known])
    of_groups = pd.Series(values).groupby(codes)
    low, middle, high = (of_groups.quantile(p).to_numpy() for p in (0.25, 0.5, 0.75))
    n_groups = len(levels)
    title = f"{short_label(factor)} ({n_groups:,} groups)"
    describe(ax, title="Residuals by group", x=name, y=title)
    rows = np.empty(n_groups, dtype=np.intp)
    order = np.argsort(middle, kind="stable")
    rows[order] = np.arange(n_groups)
    spacing = points_per_row(ax, n_groups)
    dense = spacing < FEWEST_POINTS
    points = ax.scatter(
        values,
        rows[codes],
        s=float(np.clip(0.4 * spacing, 1.0, 4.0)) ** 2,
        color=GREY,
        alpha=alpha_for(len(values), full=400, least=0.15),
        linewidths=0,
        zorder=1,
        rasterized=dense,
    )
    quartiles = ax.hlines(
        np.arange(n_groups),
        low[order],
        high[order],
        colors=SKY_BLUE if dense else BLUE,
        alpha=0.5 if dense else 0.75,
        linewidth=float(np.clip(0.4 * spacing, 0.5, 5.0)),
        zorder=2,
        rasterized=dense,
    )
    medians = ax.scatter(
        middle[order],
        np.arange(n_groups),
        s=float(np.clip(0.5 * spacing, 1.2, 5.0)) ** 2,
        color="black" if dense else "white",
        edgecolors="black",
        linewidths=0.0 if dense else 0.9,
        zorder=3,
    )
    ax.axvline(0.0, color="black", linewidth=0.8, linestyle=DASHED, zorder=1.5)
    ax.set_ylim(-0.8, n_groups - 0.2)
    label_rows(ax, list(levels[order]))
    return {"points": points, "quartiles": quartiles, "medians": medians}
