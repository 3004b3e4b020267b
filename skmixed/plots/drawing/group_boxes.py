"""Residuals of each group as a row: points, quartiles and median, sorted by the median."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.plots.style.colours import BLUE, DASHED, GREY, SKY_BLUE, alpha_for
from skmixed.plots.style.group_rows import FEWEST_POINTS, label_rows, points_per_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GroupQuartiles", "draw_groups", "group_quartiles"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupQuartiles:
    """Hold the residuals of groups, sorted by their medians.

    Attributes
    ----------
    labels : ndarray of shape (n_groups,)
    quartiles : ndarray of shape (n_groups, 3)
    places : ndarray of shape (n,)
        Position of each row's group.
    values : ndarray of shape (n,)
    """

    labels: NDArray[np.object_]
    quartiles: FloatArray
    places: NDArray[np.intp]
    values: FloatArray


def group_quartiles(values: FloatArray, labels: NDArray[np.object_]) -> GroupQuartiles:
    """Sort groups by the median of their values.

    Parameters
    ----------
    values : ndarray of shape (n,)
        NaN is left out.
    labels : ndarray of shape (n,)
    """
    known = np.isfinite(values)
    codes, levels = pd.factorize(labels[known])
    of_groups = pd.Series(values[known]).groupby(codes)
    quartiles = np.column_stack([of_groups.quantile(p) for p in (0.25, 0.5, 0.75)])
    order = np.argsort(quartiles[:, 1], kind="stable")
    positions = np.empty(len(order), dtype=np.intp)
    positions[order] = np.arange(len(order))
    return GroupQuartiles(levels[order], quartiles[order], positions[codes], values[known])


def draw_groups(ax: Axes, groups: GroupQuartiles) -> dict[str, Any]:
    """Draw each group as a row.

    Returns
    -------
    dict
        ``"points"``, ``"quartiles"`` and ``"medians"``.
    """
    n_groups, n = len(groups.labels), len(groups.values)
    rows = np.arange(n_groups)
    spacing = points_per_row(ax, n_groups)
    dense = spacing < FEWEST_POINTS
    points = ax.scatter(
        groups.values,
        groups.places,
        s=float(np.clip(0.4 * spacing, 1.0, 4.0)) ** 2,
        color=GREY,
        alpha=alpha_for(n, full=400, least=0.15),
        linewidths=0,
        zorder=1,
        rasterized=dense,
    )
    quartiles = ax.hlines(
        rows,
        groups.quartiles[:, 0],
        groups.quartiles[:, 2],
        colors=SKY_BLUE if dense else BLUE,
        alpha=0.5 if dense else 0.75,
        linewidth=float(np.clip(0.4 * spacing, 0.5, 5.0)),
        zorder=2,
        rasterized=dense,
    )
    medians = ax.scatter(
        groups.quartiles[:, 1],
        rows,
        s=float(np.clip(0.5 * spacing, 1.2, 5.0)) ** 2,
        color="black" if dense else "white",
        edgecolors="black",
        linewidths=0.0 if dense else 0.9,
        zorder=3,
    )
    ax.axvline(0.0, color="black", linewidth=0.8, linestyle=DASHED, zorder=1.5)
    ax.set_ylim(-0.8, n_groups - 0.2)
    label_rows(ax, list(groups.labels))
    return {"points": points, "quartiles": quartiles, "medians": medians}
