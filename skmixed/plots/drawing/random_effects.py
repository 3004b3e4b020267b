"""Draw one effect of all groups as a caterpillar: sorted values with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.colours import BLUE, DASHED, GREY
from skmixed.plots.style.group_rows import FEWEST_POINTS, label_rows, points_per_row
from skmixed.plots.style.legends import explain, line_entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ACCENT",
    "NEUTRAL",
    "Caterpillar",
    "CaterpillarArtists",
    "draw_caterpillar",
]

FloatArray = NDArray[np.float64]

# Apart in hue and in lightness.
ACCENT, NEUTRAL = BLUE, GREY


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


def draw_caterpillar(ax: Axes, rows: Caterpillar) -> CaterpillarArtists:
    """Draw the rows on ax, with labels if there is room for them."""
    places = np.arange(len(rows.values))
    colours = np.where(rows.accented, ACCENT, NEUTRAL)
    spacing = points_per_row(ax, len(places))
    dense = spacing < FEWEST_POINTS
    zero_line = ax.axvline(
        0.0, color="black", linewidth=0.8, linestyle=DASHED, zorder=2.5 if dense else 1.0
    )
    intervals = ax.hlines(
        places,
        rows.lower,
        rows.upper,
        colors=colours.tolist(),
        linewidth=float(np.clip(0.25 * spacing, 0.4, 1.6)),
        zorder=2,
    )
    points = ax.scatter(
        rows.values,
        places,
        s=float(np.clip(0.4 * spacing, 1.2, 4.5)) ** 2,
        c="black" if dense else colours,
        linewidths=0,
        zorder=3,
    )
    ax.set_ylim(-0.8, len(places) - 0.2)
    label_rows(ax, list(rows.labels))
    _legend(ax, rows.accented)
    return CaterpillarArtists(points, intervals, zero_line)


def _legend(ax: Axes, accented: NDArray[np.bool_]) -> None:
    """Say above the rows what the colours mean and how many rows have each."""
    counts = {
        "excludes 0": (int(accented.sum()), ACCENT),
        "includes 0": (int((~accented).sum()), NEUTRAL),
    }
    entries = [
        line_entry(colour, f"{text} ({count:,})", linewidth=1.6)
        for text, (count, colour) in counts.items()
        if count
    ]
    explain(ax, entries)
