"""Draw trajectories, those that stand out, and the lines of the population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skmixed.plots.style.colours import BLACK, BLUE, GREY, PALETTE, alpha_for
from skmixed.plots.style.legends import line_entry, note
from skmixed.plots.style.lines import as_segments
from skmixed.plots.style.matplotlib_support import require_pyplot
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import integer_ticks, short_label

if TYPE_CHECKING:
    from skmixed.plots.trajectories import TrajectoriesDisplay

__all__ = ["draw_trajectories"]


def draw_trajectories(display: TrajectoriesDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    n = len(display.groups)
    thin = 1.0 if n <= 60 else 0.7
    alpha = alpha_for(n, full=30, least=0.05)
    segments = [display.trajectory(i) for i in range(n)]
    colors = _group_colors(display, ax)
    display.trajectories_ = _add_lines(
        ax, segments, GREY if colors is None else colors, linewidths=thin, alpha=alpha, zorder=2.0
    )
    display.trajectories_.set_rasterized(n > 1000)
    _draw_single_rows(ax, segments, colors, alpha)
    chosen = display.highlighted
    display.highlights_ = _add_lines(
        ax,
        [segments[i] for i in chosen],
        BLUE if colors is None else [colors[i] for i in chosen],
        linewidths=1.3,
        alpha=0.95,
        zorder=3.0,
    )
    _draw_population(display, ax)
    ax.autoscale_view()
    made.label(display.feature, display.response)
    display.legend_ = made.legend(_entries(display))
    integer_ticks(ax, "x", display.x)


def _add_lines(ax: Any, segments: list[Any], colors: Any, **style: Any) -> Any:
    """Draw lines as one artist."""
    from matplotlib.collections import LineCollection

    lines = LineCollection(segments, colors=colors, **style)
    ax.add_collection(lines)
    return lines


def _draw_single_rows(ax: Any, segments: list[Any], colors: Any, alpha: float) -> None:
    """Draw a point for each group of one row, which has no line."""
    single = [i for i, segment in enumerate(segments) if len(segment) == 1]
    if single:
        points = np.concatenate([segments[i] for i in single])
        shade = GREY if colors is None else [colors[i] for i in single]
        ax.scatter(*points.T, s=6.0, c=shade, alpha=alpha, linewidths=0, zorder=2.0)


def _draw_population(display: TrajectoriesDisplay, ax: Any) -> None:
    """Draw the lines of the population with an edge that sets them off."""
    from matplotlib.patheffects import Normal, Stroke

    x = np.broadcast_to(display.line_x, display.lines.shape)
    colors: Any = PALETTE[: len(display.categories)] or BLACK
    lines = _add_lines(ax, as_segments(x, display.lines), colors, linewidths=2.6, zorder=4.0)
    lines.set_path_effects([Stroke(linewidth=4.6, foreground="white"), Normal()])
    display.population_ = lines


def _group_colors(display: TrajectoriesDisplay, ax: Any) -> Any:
    """Return the colour of each group, None without a covariate; draw the bar of numbers."""
    display.colorbar_ = None
    if display.colors is None:
        return None
    if display.categories:
        position = {value: i for i, value in enumerate(display.categories)}
        return [PALETTE[position[value]] for value in display.colors]
    plt = require_pyplot("TrajectoriesDisplay.plot")
    values = display.colors.to_numpy(dtype=float)
    # The pale end of the scale would vanish on white.
    shades = plt.matplotlib.colors.LinearSegmentedColormap.from_list(
        "viridis_without_yellow", plt.get_cmap("viridis")(np.linspace(0.0, 0.88, 256))
    )
    scale = plt.cm.ScalarMappable(
        plt.Normalize(float(np.nanmin(values)), float(np.nanmax(values))), shades
    )
    figure = ax.figure
    display.colorbar_ = figure.colorbar(
        scale, ax=ax, label=short_label(display.color_name or "", 40), pad=0.02, aspect=30
    )
    display.colorbar_.outline.set_visible(False)
    return list(map(tuple, scale.to_rgba(values)))


def _entries(display: TrajectoriesDisplay) -> list[Any]:
    """Return what the legend explains."""
    n, k = len(display.groups), len(display.highlighted)
    each = f"{short_label(display.factor)} ({n:,})"
    if display.categories:
        counts = pd.Series(display.colors).value_counts()
        categories = [
            line_entry(color, f"{short_label(value)} ({counts[value]:,})", linewidth=2.6)
            for value, color in zip(display.categories, PALETTE, strict=False)
        ]
        return [*categories, note("thick: population")]
    plain = display.colors is None
    entries = [line_entry(GREY, each, linewidth=1.0) if plain else note(each)]
    if k:
        entries.append(line_entry(BLUE if plain else BLACK, f"{k} of them", linewidth=1.3))
    return [*entries, line_entry(BLACK, "population", linewidth=2.6)]
