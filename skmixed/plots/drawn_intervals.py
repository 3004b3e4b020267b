"""Draw bands around lines, or the sorted intervals of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.drawn_lines import draw_points
from skmixed.plots.interval_series import NEW, POPULATION
from skmixed.plots.matplotlib_support import require_pyplot
from skmixed.plots.style import BLACK, BLUE, ORANGE, VERMILLION, Panels, short_label

if TYPE_CHECKING:
    from skmixed.plots.prediction_interval import PredictionIntervalDisplay

__all__ = ["draw_bands", "draw_rows"]

Drawn = tuple[list[Any], list[Any], list[Any], Any]


def draw_bands(display: PredictionIntervalDisplay, made: Panels) -> Drawn:
    """Draw a panel with line, band and observations for each series."""
    plt = require_pyplot("PredictionIntervalDisplay.plot")
    colors = {NEW: ORANGE, POPULATION: BLACK}
    bands, lines, points = [], [], []
    for i, (ax, name) in enumerate(zip(made.axes, display.names, strict=True)):
        color = colors.get(name, BLUE) if isinstance(name, str) else BLUE
        bands.append(
            ax.fill_between(
                display.x[i],
                display.lower[i],
                display.upper[i],
                color=color,
                alpha=0.2,
                linewidth=0,
            )
        )
        (line,) = ax.plot(display.x[i], display.mean[i], color=color, linewidth=1.6)
        lines.append(line)
        rows = display.observed_series == i
        points.append(draw_points(ax, display.observed_x[rows], display.observed_y[rows]))
        if len(made.axes) > 1:
            ax.set_title(short_label(name), loc="left", fontsize="small", pad=3.0)
    made.label(display.feature, display.response)
    percent = f"{100 * display.coverage:g} %"
    entries = {
        f"{short_label(display.factor)}: {percent} of new observations": BLUE,
        f"new group: {percent} of observations": ORANGE,
        f"population: {percent} confidence of the line": BLACK,
    }
    present = {line.get_color() for line in lines}
    handles = [
        plt.matplotlib.patches.Patch(color=color, alpha=0.3, linewidth=0, label=text)
        for text, color in entries.items()
        if color in present
    ]
    return bands, lines, points, made.legend(handles)


def draw_rows(display: PredictionIntervalDisplay, made: Panels) -> Drawn:
    """Draw the sorted intervals of rows, and the observations inside and outside of them."""
    plt = require_pyplot("PredictionIntervalDisplay.plot")
    ax = made.axes[0]
    n = display.x.shape[1]
    spacing = 72.0 * ax.get_window_extent().width / ax.get_figure(root=True).dpi / max(n, 1)
    bars = ax.vlines(
        display.x[0],
        display.lower[0],
        display.upper[0],
        colors="#BFD9EA",
        linewidth=float(np.clip(0.6 * spacing, 0.5, 4.0)),
        zorder=1.5,
        rasterized=n > 5000,
    )
    (line,) = ax.plot(display.x[0], display.mean[0], color=BLUE, linewidth=1.6, zorder=2.5)
    size = float(np.clip(1.1 * spacing, 1.5, 4.0)) ** 2
    inside = display.inside
    points = [
        ax.scatter(
            display.observed_x[rows],
            display.observed_y[rows],
            s=size * larger,
            c=color,
            linewidths=0,
            alpha=alpha,
            zorder=zorder,
            rasterized=n > 5000,
        )
        for rows, color, larger, alpha, zorder in (
            (inside, "#555555", 1.0, 0.8 if n < 1000 else 0.4, 2.0),
            (~inside, VERMILLION, 1.7, 0.95, 3.0),
        )
    ]
    ax.set_xlim(-0.02 * n - 0.5, 1.02 * n - 0.5)
    made.label("row, by prediction", display.response)
    dot = {"marker": "o", "linestyle": "none", "markersize": 4}
    count, total = int(inside.sum()), len(inside)
    share = f"{count:,} of {total:,}, {100 * display.empirical_coverage:.1f} %"
    handles = [
        plt.Line2D([], [], color=BLUE, linewidth=1.6, label="prediction"),
        plt.matplotlib.patches.Patch(
            color="#BFD9EA", label=f"{100 * display.coverage:g} % interval"
        ),
        plt.Line2D([], [], color="#555555", label=f"inside ({share})", **dot),
        plt.Line2D([], [], color=VERMILLION, label=f"outside ({total - count:,})", **dot),
    ]
    return [bars], [line], points, made.legend(handles)
