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
_LETTER_WIDTH = 0.08
_FEWEST_POINTS, _MOST_POINTS = 5.0, 10.0
_LINE_HEIGHT = 1.2
_LONGEST_LABEL = 28
# Leaves room for the legend between the title and the rows, where it can hide none of them.
_TITLE_PAD = 22.0


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


def figure_size(labels: NDArray[np.object_], n_panels: int) -> tuple[float, float]:
    """Return width and height in inches that give every label its room, where that is possible."""
    height = 1.6 + _ROW_HEIGHT * len(labels)
    if height > _TALLEST:
        return 0.5 + 4.6 * n_panels, 6.0
    longest = max((len(_short(label)) for label in labels), default=0)
    return 0.5 + (4.2 + _LETTER_WIDTH * longest) * n_panels, max(height, 2.8)


def draw_caterpillar(ax: Axes, rows: Caterpillar, *, title: str) -> CaterpillarArtists:
    """Draw the rows on ax, with labels if there is room for them.

    Parameters
    ----------
    ax : matplotlib Axes
    rows : Caterpillar
    title : str
    """
    places = np.arange(len(rows.values))
    colours = np.where(rows.accented, ACCENT, NEUTRAL)
    spacing = _points_per_row(ax, len(places))
    dense = spacing < _FEWEST_POINTS
    zero_line = ax.axvline(
        0.0, color="black", linewidth=0.8, linestyle=(0, (4, 3)), zorder=2.5 if dense else 1.0
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
    _label_rows(ax, rows.labels, spacing)
    _legend(ax, rows.accented)
    ax.set_title(title, loc="left", pad=_TITLE_PAD)
    ax.spines[["top", "right"]].set_visible(False)
    return CaterpillarArtists(points, intervals, zero_line)


def _points_per_row(ax: Axes, n_rows: int) -> float:
    """Return the height of one row in points (1/72 inch)."""
    inches = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return 72.0 * float(inches.height) / (n_rows + 1)


def _label_rows(ax: Axes, labels: NDArray[np.object_], spacing: float) -> None:
    """Name the rows, unless the names would overlap."""
    if spacing < _FEWEST_POINTS * _LINE_HEIGHT:
        ax.set_yticks([])
        return
    size = min(spacing / _LINE_HEIGHT, _MOST_POINTS)
    ax.set_yticks(np.arange(len(labels)), [_short(label) for label in labels], fontsize=size)
    ax.tick_params(axis="y", length=0)


def _short(label: Any) -> str:
    """Return a label as text that fits beside a panel."""
    text = ":".join(map(str, label)) if isinstance(label, tuple) else str(label)
    text = text.replace("$", r"\$")
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _legend(ax: Axes, accented: NDArray[np.bool_]) -> None:
    """Say above the rows what the colours mean and how many rows have each."""
    counts = {
        "excludes 0": (int(accented.sum()), ACCENT),
        "includes 0": (int((~accented).sum()), NEUTRAL),
    }
    for text, (count, colour) in counts.items():
        if count:
            ax.plot([], [], color=colour, linewidth=1.6, label=f"{text} ({count:,})")
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
        fontsize="small",
        frameon=False,
        borderaxespad=0.1,
        borderpad=0.2,
        handlelength=1.4,
        columnspacing=1.4,
    )
