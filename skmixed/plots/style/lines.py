"""Lines and points of groups, each kind of line in its own colour and dashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.colours import BLACK, BLUE, DOTS, GREEN, VERMILLION, alpha_for
from skmixed.plots.style.legends import line_entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LINES", "LineStyle", "as_segments", "draw_lines", "draw_points"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LineStyle:
    """Say how one kind of line looks; readers without colours go by its dashes."""

    label: str
    color: str
    linestyle: Any = "solid"
    linewidth: float = 1.6
    zorder: float = 3.0

    def handle(self) -> Any:
        """Return a line for a legend."""
        return line_entry(
            self.color, self.label, linestyle=self.linestyle, linewidth=self.linewidth
        )


# In the order of legends.
LINES = {
    "true": LineStyle("true", GREEN, (0, (1, 1)), 2.0, 2.6),
    "separate": LineStyle("separate least squares", VERMILLION, (0, (4, 1.5)), 1.4, 2.8),
    "mixed": LineStyle("mixed model", BLUE, "solid", 1.8, 3.0),
    "pooled": LineStyle("pooled least squares", "#7A7A7A", "solid", 1.4, 2.2),
    "population": LineStyle("population", BLACK, "solid", 1.6, 2.4),
}
_MANY = 60


def draw_lines(
    ax: Axes, x: FloatArray, values: FloatArray, name: str, *, together: bool = False
) -> Any:
    """Draw the lines of one kind, a key of LINES; x and values have shape (n_lines, n_places).

    Where lines of many groups share the Axes, those of the groups are paler, and those that do
    without random effects stand before them.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import Normal, Stroke

    style = LINES[name]
    common = together and name in ("pooled", "population")
    many = len(x) >= _MANY
    lines = LineCollection(
        as_segments(x, values),
        colors=style.color,
        linestyles=["solid" if many else style.linestyle],
        linewidths=style.linewidth * (1.3 if common else 0.6 if many else 1.0),
        alpha=alpha_for(len(x)) if together and not common else 1.0,
        zorder=style.zorder + 2.0 * common,
        label=style.label,
    )
    if common:
        # A white edge sets them off against the lines behind.
        lines.set_path_effects([Stroke(linewidth=style.linewidth * 2.8, foreground="w"), Normal()])
    ax.add_collection(lines)
    return lines


def as_segments(x: FloatArray, values: FloatArray) -> list[FloatArray]:
    """Return lines as arrays of points, shape (n_places, 2); a line with NaN has no points."""
    points = np.stack([x, values], axis=-1)
    return [line if np.isfinite(line).all() else line[:0] for line in points]


def draw_points(ax: Axes, x: FloatArray, y: FloatArray, color: Any = DOTS) -> Any:
    """Draw rows as points, smaller and paler the more there are; return the PathCollection."""
    many = len(x) > 300
    return ax.scatter(
        x,
        y,
        s=5.0 if many else 13.0,
        c=color,
        alpha=alpha_for(len(x), full=150, least=0.05),
        linewidths=0,
        zorder=2.0,
        rasterized=len(x) > 5000,
    )
