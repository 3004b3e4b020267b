"""Draw bands around lines, or the sorted intervals of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.arrays.prediction_interval import NEW, POPULATION
from skmixed.plots.style.colours import BLACK, BLUE, DOTS, ORANGE, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry, patch_entry
from skmixed.plots.style.lines import draw_points
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import integer_ticks, short_label, size_in_points

if TYPE_CHECKING:
    from skmixed.plots.prediction_interval import PredictionIntervalDisplay

__all__ = ["DRAWINGS"]

_PALE_BLUE = "#BFD9EA"
_MANY = 5000


def _draw_bands(display: PredictionIntervalDisplay, made: Panels) -> None:
    """Draw a panel with line, band and observations for each series."""
    colors = [_band_color(name) for name in display.names]
    display.bands_, display.lines_, display.points_ = [], [], []
    for i, (ax, color) in enumerate(zip(made.axes, colors, strict=True)):
        band = display.x[i], display.lower[i], display.upper[i]
        display.bands_.append(ax.fill_between(*band, color=color, alpha=0.2, linewidth=0))
        display.lines_ += ax.plot(display.x[i], display.mean[i], color=color, linewidth=1.6)
        rows = display.observed_series == i
        display.points_.append(draw_points(ax, display.observed_x[rows], display.observed_y[rows]))
        if len(made.axes) > 1:
            ax.set_title(short_label(display.names[i]), loc="left", fontsize="small", pad=3.0)
    made.label(display.feature, display.response)
    percent = f"{100 * display.coverage:g} %"
    entries = {
        BLUE: f"{short_label(display.factor)}: {percent} of new observations",
        ORANGE: f"new group: {percent} of observations",
        BLACK: f"population: {percent} confidence of the line",
    }
    display.legend_ = made.legend(
        [patch_entry(one, text, alpha=0.3) for one, text in entries.items() if one in colors]
    )
    integer_ticks(made.axes[0], "x", display.observed_x)


def _band_color(name: Any) -> str:
    """Return the colour of a series; labels of groups may be tuples."""
    return {NEW: ORANGE, POPULATION: BLACK}.get(name, BLUE)


def _draw_rows(display: PredictionIntervalDisplay, made: Panels) -> None:
    """Draw the sorted intervals of rows, and the observations inside and outside of them."""
    ax = made.axes[0]
    n = display.x.shape[1]
    spacing = size_in_points(ax)[0] / max(n, 1)
    display.bands_ = [
        ax.vlines(
            display.x[0],
            display.lower[0],
            display.upper[0],
            colors=_PALE_BLUE,
            linewidth=float(np.clip(0.6 * spacing, 0.5, 4.0)),
            zorder=1.5,
            rasterized=n > _MANY,
        )
    ]
    display.lines_ = ax.plot(display.x[0], display.mean[0], color=BLUE, linewidth=1.6, zorder=2.5)
    display.points_ = _draw_observed(display, ax, float(np.clip(1.1 * spacing, 1.5, 4.0)) ** 2)
    ax.set_xlim(-0.02 * n - 0.5, 1.02 * n - 0.5)
    made.label("row, by prediction", display.response)
    display.legend_ = made.legend(_row_entries(display))


def _draw_observed(display: PredictionIntervalDisplay, ax: Any, size: float) -> list[Any]:
    """Draw the observations inside the intervals, and larger those outside."""
    n, inside = display.x.shape[1], display.inside
    return [
        ax.scatter(
            display.observed_x[rows],
            display.observed_y[rows],
            s=size * larger,
            c=color,
            linewidths=0,
            alpha=alpha,
            zorder=zorder,
            rasterized=n > _MANY,
        )
        for rows, color, larger, alpha, zorder in (
            (inside, DOTS, 1.0, 0.8 if n < 1000 else 0.4, 2.0),
            (~inside, VERMILLION, 1.7, 0.95, 3.0),
        )
    ]


def _row_entries(display: PredictionIntervalDisplay) -> list[Any]:
    """Return what the legend of rows explains."""
    count, total = int(display.inside.sum()), len(display.inside)
    share = f"{count:,} of {total:,}, {100 * display.empirical_coverage:.1f} %"
    return [
        line_entry(BLUE, "prediction", linewidth=1.6),
        patch_entry(_PALE_BLUE, f"{100 * display.coverage:g} % interval"),
        dot_entry(DOTS, f"inside ({share})", markersize=4),
        dot_entry(VERMILLION, f"outside ({total - count:,})", markersize=4),
    ]


# By kind.
DRAWINGS = {"bands": _draw_bands, "rows": _draw_rows}
