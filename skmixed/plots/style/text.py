"""Texts of a panel, in sizes and lengths that fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "LABEL_SIZE",
    "LETTER",
    "LINE_HEIGHT",
    "POINTS_PER_INCH",
    "TITLE_SIZE",
    "describe",
    "integer_ticks",
    "short_label",
    "size_in_points",
    "text_scale",
    "write_in",
]

POINTS_PER_INCH = 72.0
TITLE_SIZE, LABEL_SIZE = 11.0, 10.0
# Width of a letter and height of a line, in sizes of the text.
LETTER, LINE_HEIGHT = 0.6, 1.2

# Points from which on a panel has text of full size.
_WIDE, _HIGH = 2.4 * POINTS_PER_INCH, 1.8 * POINTS_PER_INCH
_SMALLEST = 0.5
_SHORTEST = 8
# Titles and labels may exceed their panel by this factor, in letters that are narrow on average.
_EXCESS, _NARROW_LETTER = 1.3, 0.55
# Points that a number of five digits below an axis takes.
_NUMBER_WIDTH = 0.5 * POINTS_PER_INCH


def describe(ax: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Write title and labels of the axes, smaller and shorter where the panel is small."""
    scale = text_scale(ax)
    width, height = size_in_points(ax)
    shown = _fitted(title, width, TITLE_SIZE * scale)
    ax.set_title(shown, loc="left", fontsize=TITLE_SIZE * scale)
    ax.set_xlabel(_fitted(x, width, LABEL_SIZE * scale), fontsize=LABEL_SIZE * scale)
    ax.set_ylabel(_fitted(y, height, LABEL_SIZE * scale), fontsize=LABEL_SIZE * scale)
    ax.tick_params(labelsize=0.9 * LABEL_SIZE * scale)
    most = int(width / (_NUMBER_WIDTH * scale))
    ax.locator_params(axis="x", nbins=min(max(most, 2), 8))


def write_in(ax: Axes, text: str) -> None:
    """Say in the middle of an empty panel why it is empty."""
    size = 0.9 * LABEL_SIZE * text_scale(ax)
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=size)
    ax.set(xticks=[], yticks=[])


def integer_ticks(ax: Axes, axis: str, values: Any) -> None:
    """Put the numbers of an axis at integers where all values are some."""
    values = np.asarray(values, dtype=float)
    if len(values) and (values == np.round(values)).all():
        getattr(ax, f"{axis}axis").get_major_locator().set_params(
            integer=True, steps=[1, 2, 3, 5, 10]
        )


def short_label(label: Any, longest: int = 28) -> str:
    """Return a label as text without formulas that is not too long; tuples are joined by ":"."""
    text = ":".join(map(str, label)) if isinstance(label, tuple) else str(label)
    if len(text) > longest:
        # Long names often begin alike and end with what tells them apart.
        end = (longest - 1) // 2
        text = f"{text[: longest - 1 - end]}…{text[len(text) - end :]}"
    return text.replace("$", r"\$")


def text_scale(ax: Axes) -> float:
    """Return the size of text in a panel, relative to that of a large one."""
    width, height = size_in_points(ax)
    return float(np.clip(min(width / _WIDE, height / _HIGH), _SMALLEST, 1.0))


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return width and height of a panel in points, 1/72 of an inch, as text is measured."""
    box = ax.get_window_extent()
    scale = POINTS_PER_INCH / ax.figure.dpi
    return scale * box.width, scale * box.height


def _fitted(text: str, length: float, size: float) -> str:
    """Return as much of a text as fits a length in points."""
    room = int(_EXCESS * length / (_NARROW_LETTER * size))
    return short_label(text, max(room, _SHORTEST))
