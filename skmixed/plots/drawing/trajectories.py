"""Trajectories of groups, the lines of the population before them, and the colours of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.colours import GREY, alpha_for
from skmixed.plots.style.lines import as_segments
from skmixed.plots.style.matplotlib_support import require_pyplot
from skmixed.plots.style.text import short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["add_lines", "draw_population", "draw_trajectories", "number_colors"]

FloatArray = NDArray[np.float64]


def draw_trajectories(ax: Axes, segments: list[FloatArray], colors: list[Any] | None) -> Any:
    """Draw a line for each group, and a point for each of one row; return the lines."""
    n = len(segments)
    alpha = alpha_for(n, full=30, least=0.05)
    style = {"linewidths": 1.0 if n <= 60 else 0.7, "alpha": alpha, "zorder": 2.0}
    lines = add_lines(ax, segments, GREY if colors is None else colors, **style)
    lines.set_rasterized(n > 1000)
    single = [i for i, segment in enumerate(segments) if len(segment) == 1]
    if single:
        points = np.concatenate([segments[i] for i in single])
        shade = GREY if colors is None else [colors[i] for i in single]
        ax.scatter(
            points[:, 0], points[:, 1], s=6.0, c=shade, alpha=alpha, linewidths=0, zorder=2.0
        )
    return lines


def draw_population(ax: Axes, line_x: FloatArray, lines: FloatArray, colors: Any) -> Any:
    """Draw the lines of the population with an edge that sets them off."""
    from matplotlib.patheffects import Normal, Stroke

    segments = as_segments(np.broadcast_to(line_x, lines.shape), lines)
    drawn = add_lines(ax, segments, colors, linewidths=2.6, zorder=4.0)
    drawn.set_path_effects([Stroke(linewidth=4.6, foreground="white"), Normal()])
    return drawn


def add_lines(ax: Axes, segments: list[FloatArray], colors: Any, **style: Any) -> Any:
    """Draw lines as one artist."""
    from matplotlib.collections import LineCollection

    lines = LineCollection(segments, colors=colors, **style)
    ax.add_collection(lines)
    return lines


def number_colors(ax: Axes, values: FloatArray, name: str) -> tuple[list[Any], Any]:
    """Return a colour for each number, and the bar that explains them."""
    plt = require_pyplot("TrajectoriesDisplay.plot")
    # The pale end of the scale would vanish on white.
    shades = plt.matplotlib.colors.LinearSegmentedColormap.from_list(
        "viridis_without_yellow", plt.get_cmap("viridis")(np.linspace(0.0, 0.88, 256))
    )
    limits = plt.Normalize(float(np.nanmin(values)), float(np.nanmax(values)))
    scale = plt.cm.ScalarMappable(limits, shades)
    bar = ax.figure.colorbar(scale, ax=ax, label=short_label(name, 40), pad=0.02, aspect=30)
    bar.outline.set_visible(False)
    return list(map(tuple, scale.to_rgba(values))), bar
