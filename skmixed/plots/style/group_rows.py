"""Panels in which every group has a row: their room, names, and the height of their figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.style.text import (
    LABEL_SIZE,
    LETTER,
    LINE_HEIGHT,
    short_label,
    size_in_points,
    text_scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FEWEST_POINTS", "label_rows", "points_per_row", "rows_figure_size"]

# Rows lower than this are too many to tell apart, or to be named.
FEWEST_POINTS = 5.0

_ROW_HEIGHT = 0.2
_TALLEST = 12.0
_LETTER_WIDTH = 0.08
_SHORTEST_LABEL, _LONGEST_LABEL = 6, 28
# A name may be as wide as this part of the panel that it stands beside.
_WIDEST = 0.6


def rows_figure_size(labels: Sequence[Any]) -> tuple[float, float]:
    """Return width and height in inches that give the label of each row its room, if possible."""
    height = 1.6 + _ROW_HEIGHT * len(labels)
    if height > _TALLEST:
        return 5.1, 6.0
    longest = max((len(short_label(label)) for label in labels), default=0)
    return 4.7 + _LETTER_WIDTH * longest, max(height, 2.8)


def points_per_row(ax: Axes, n_rows: int) -> float:
    """Return the height of one row in points (1/72 inch)."""
    return size_in_points(ax)[1] / (n_rows + 1)


def label_rows(ax: Axes, labels: Sequence[Any]) -> None:
    """Name the rows 0, 1, ... from the bottom to the top, unless the names would overlap."""
    spacing = points_per_row(ax, len(labels))
    if spacing < FEWEST_POINTS * LINE_HEIGHT:
        ax.set_yticks([])
        return
    size = min(spacing / LINE_HEIGHT, LABEL_SIZE * text_scale(ax))
    room = int(_WIDEST * size_in_points(ax)[0] / (LETTER * size))
    longest = min(max(room, _SHORTEST_LABEL), _LONGEST_LABEL)
    texts = [short_label(label, longest) for label in labels]
    ax.set_yticks(np.arange(len(texts)), texts, fontsize=size)
    ax.tick_params(axis="y", length=0)
