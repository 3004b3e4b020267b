"""Draw one panel of sorted values with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Caterpillar", "CaterpillarArtists", "draw_caterpillar", "figure_size"]

FloatArray = NDArray[np.float64]

# Blue of Okabe and Ito's palette against a neutral grey: apart in hue and in lightness.
ACCENT = "#0072B2"
NEUTRAL = "#8C8C8C"

_ROW_HEIGHT = 0.2
_TALLEST = 12.0
_FEWEST_POINTS, _MOST_POINTS = 5.0, 10.0
_LONGEST_LABEL = 28


@dataclass(frozen=True, slots=True, eq=False)
class Caterpillar:
    """Hold what one panel shows, from the bottom to the top.

    Attributes
    ----------
    labels : ndarray of shape (n,)
    values, lower, upper : ndarray of shape (n,)
    accented : ndarray of shape (n,)
        Which rows to colour.
    """

    labels: NDArray[np.object_]
    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    accented: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CaterpillarArtists:
    """Hold what was drawn: PathCollection, LineCollection, Line2D."""

    points: Any
    intervals: Any
    zero_line: Any


def figure_size(n_levels: int, n_panels: int) -> tuple[float, float]:
    """Return width and height in inches that give every label its room, where that is possible."""
    height = 1.4 + _ROW_HEIGHT * n_levels
    return 0.8 + 4.4 * n_panels, float(np.clip(height, 2.8, _TALLEST if height <= _TALLEST else 6.0))


def draw_caterpillar(ax: Axes, rows: Caterpillar, *, level: float) -> CaterpillarArtists:
    """Draw the rows on ax, with labels if there is room for them.

    Parameters
    ----------
    ax : matplotlib Axes
    rows : Caterpillar
    level : float
        Of the intervals, for the legend.
    """
    places = np.arange(len(rows.values))
    colours = np.where(rows.accented, ACCENT, NEUTRAL)
    spacing = _points_per_row(ax, len(places))
    zero_line = ax.axvline(0.0, color="black", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    intervals = ax.hlines(
        places,
        rows.lower,
        rows.upper,
        colors=colours,
        linewidth=float(np.clip(0.25 * spacing, 0.4, 1.6)),
        zorder=2,
    )
    points = ax.scatter(
        rows.values,
        places,
        s=float(np.clip(0.4 * spacing, 1.2, 4.5)) ** 2,
        c="black" if spacing < _FEWEST_POINTS else colours,
        linewidths=0,
        zorder=3,
    )
    ax.set_ylim(-0.8, len(places) - 0.2)
    _label_rows(ax, rows.labels, spacing)
    _legend(ax, rows.accented, level)
    ax.spines[["top", "right"]].set_visible(False)
    return CaterpillarArtists(points, intervals, zero_line)


def _points_per_row(ax: Axes, n_rows: int) -> float:
    """Return the height of one row in points (1/72 inch)."""
    figure: Any = ax.get_figure(root=True) if hasattr(ax.figure, "get_figure") else ax.figure
    height = ax.get_window_extent().height / figure.dpi
    return 72.0 * height / max(n_rows + 1, 1)


def _label_rows(ax: Axes, labels: NDArray[np.object_], spacing: float) -> None:
    """Name the rows, unless the names would overlap."""
    if spacing < _FEWEST_POINTS * 1.2:
        ax.set_yticks([])
        return
    size = min(spacing / 1.2, _MOST_POINTS)
    ax.set_yticks(np.arange(len(labels)), [_short(label) for label in labels], fontsize=size)
    ax.tick_params(axis="y", length=0)


def _short(label: Any) -> str:
    """Return a label as text that fits beside a panel."""
    text = ":".join(map(str, label)) if isinstance(label, tuple) else str(label)
    text = text.replace("$", r"\$")
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _legend(ax: Axes, accented: NDArray[np.bool_], level: float) -> None:
    """Say what the colours mean and how many rows have each."""
    counts = {
        "excludes 0": (int(accented.sum()), ACCENT),
        "includes 0": (int((~accented).sum()), NEUTRAL),
    }
    for text, (count, colour) in counts.items():
        if count:
            ax.plot([], [], color=colour, linewidth=1.6, label=f"{text} ({count:,})")
    ax.legend(
        title=f"{100 * level:g} % interval",
        loc="lower right",
        fontsize="small",
        title_fontsize="small",
        frameon=False,
    )
