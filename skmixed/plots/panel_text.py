"""Title and labels of a panel, in sizes that fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.style import legend_above, short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["describe", "explain", "text_scale", "write_in"]

# Inches from which on a panel has text of full size.
_WIDE, _HIGH = 2.4, 1.8
_SMALLEST = 0.5
_TITLE, _LABEL = 11.0, 10.0
_LETTER = 0.55
_SHORTEST = 8
# Inches that a number of five digits below an axis takes.
_NUMBER_WIDTH = 0.5


def describe(ax: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Write title and labels of the axes, smaller and shorter where the panel is small.

    Parameters
    ----------
    ax : matplotlib Axes
    title, x, y : str
    """
    scale = text_scale(ax)
    width, height = _size(ax)
    shown = _fitted(title, width, _TITLE * scale)
    ax.set_title(shown, loc="left", fontsize=_TITLE * scale)
    ax.set_xlabel(_fitted(x, width, _LABEL * scale), fontsize=_LABEL * scale)
    ax.set_ylabel(_fitted(y, height, _LABEL * scale), fontsize=_LABEL * scale)
    ax.tick_params(labelsize=0.9 * _LABEL * scale)
    most = int(width / (_NUMBER_WIDTH * scale))
    ax.locator_params(axis="x", nbins=min(max(most, 2), 8))


def explain(ax: Axes, handles: Sequence[Any]) -> Any:
    """Explain artists, which have labels, under the title; return the Legend.

    Parameters
    ----------
    ax : matplotlib Axes
        With its title.
    handles : sequence of artists
    """
    from matplotlib.text import Text

    legend = legend_above(ax, handles)
    scale = text_scale(ax)
    title = ax.get_title(loc="left")
    for text in ax.get_children():
        # Lifting the title has given it the default size.
        if title and isinstance(text, Text) and text.get_text() == title:
            text.set_fontsize(_TITLE * scale)
    for text in legend.get_texts():
        text.set_fontsize(0.85 * _LABEL * scale)
    return legend


def text_scale(ax: Axes) -> float:
    """Return the size of text in a panel, relative to that of a large one."""
    width, height = _size(ax)
    return float(np.clip(min(width / _WIDE, height / _HIGH), _SMALLEST, 1.0))


def write_in(ax: Axes, text: str) -> None:
    """Say in the middle of an empty panel why it is empty."""
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=0.9 * _LABEL * text_scale(ax),
        color="black",
    )


def _fitted(text: str, inches: float, size: float) -> str:
    """Return as much of a text as fits a length, which it may exceed by a third."""
    room = int(1.3 * 72.0 * inches / (_LETTER * size))
    return short_label(text, max(room, _SHORTEST))


def _size(ax: Axes) -> tuple[float, float]:
    """Return width and height of a panel in inches."""
    box = ax.get_window_extent()
    return box.width / ax.figure.dpi, box.height / ax.figure.dpi
