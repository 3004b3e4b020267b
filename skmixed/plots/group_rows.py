"""Panels in which every group has a row: their room, names, and the height of their figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.panel_text import text_scale
from skmixed.plots.style import short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FEWEST_POINTS", "label_array", "label_rows", "points_per_row", "rows_figure_size"]

# Rows lower than this are too many to tell apart, or to be named.
FEWEST_POINTS = 5.0

_ROW_HEIGHT = 0.2
_TALLEST = 12.0
_LETTER_WIDTH = 0.08
_LARGEST_TEXT = 10.0
_LINE_HEIGHT = 1.2
_SHORTEST_LABEL, _LONGEST_LABEL = 6, 28
# A name may be as wide as this part of the panel that it stands beside.
_WIDEST = 0.6
_LETTER = 0.6


def rows_figure_size(labels: Sequence[Any], n_panels: int = 1) -> tuple[float, float]:
    """Return width and height in inches that give every label its room, where that is possible.

    Parameters
    ----------
    labels : sequence
        One for each row.
    n_panels : int, default=1
        Side by side.
    """
    height = 1.6 + _ROW_HEIGHT * len(labels)
    if height > _TALLEST:
        return 0.5 + 4.6 * n_panels, 6.0
    longest = max((len(short_label(label)) for label in labels), default=0)
    return 0.5 + (4.2 + _LETTER_WIDTH * longest) * n_panels, max(height, 2.8)


def points_per_row(ax: Axes, n_rows: int) -> float:
    """Return the height of one row in points (1/72 inch)."""
    inches = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return 72.0 * float(inches.height) / (n_rows + 1)


def label_rows(ax: Axes, labels: Sequence[Any]) -> None:
    """Name the rows 0, 1, ... from the bottom to the top, unless the names would overlap.

    Parameters
    ----------
    ax : matplotlib Axes
    labels : sequence
    """
    spacing = points_per_row(ax, len(labels))
    if spacing < FEWEST_POINTS * _LINE_HEIGHT:
        ax.set_yticks([])
        return
    size = min(spacing / _LINE_HEIGHT, _LARGEST_TEXT * text_scale(ax))
    width = 72.0 * ax.get_window_extent().width / ax.figure.dpi
    room = int(_WIDEST * width / (_LETTER * size))
    longest = min(max(room, _SHORTEST_LABEL), _LONGEST_LABEL)
    texts = [short_label(label, longest) for label in labels]
    ax.set_yticks(np.arange(len(texts)), texts, fontsize=size)
    ax.tick_params(axis="y", length=0)


def label_array(labels: Any) -> NDArray[np.object_]:
    """Return labels as a one-dimensional array of objects, tuples of an interaction as they are."""
    found = list(labels)
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array
