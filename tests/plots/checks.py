"""What holds of every figure: nothing hides anything, nothing leaves the figure."""

from __future__ import annotations

import itertools
from typing import Any

__all__ = ["assert_apart", "assert_tidy", "texts_of"]


def texts_of(legend: Any) -> list[str]:
    """Return the texts of a legend."""
    return [text.get_text() for text in legend.get_texts()]


def assert_apart(artists: Any, slack: float = 0.5) -> None:
    """Assert that no two texts overlap."""
    boxes = [(one.get_text(), one.get_window_extent()) for one in artists if one.get_text()]
    for (name, box), (other, beside) in itertools.combinations(boxes, 2):
        apart = (
            box.x1 <= beside.x0 + slack
            or beside.x1 <= box.x0 + slack
            or box.y1 <= beside.y0 + slack
            or beside.y1 <= box.y0 + slack
        )
        assert apart, f"{name!r} overlaps {other!r}"


def assert_tidy(display: Any) -> None:
    """Assert that texts keep apart, and that the legend lies on no panel but within the figure."""
    figure = display.figure_
    figure.draw_without_rendering()
    axes = [ax for ax in figure.axes if ax.axison]
    texts = []
    for ax in axes:
        low, high = sorted(ax.get_xlim())
        ticks = ax.xaxis.get_major_ticks() if ax.xaxis.get_visible() else []
        shown = [t.label1 for t in ticks if low <= t.get_loc() <= high and t.label1.get_visible()]
        titles = [ax.title, ax._left_title, ax._right_title]
        texts += [*shown, ax.xaxis.label, ax.yaxis.label, *titles]
    assert_apart(texts)
    if display.legend_ is None:
        return
    legend = display.legend_.get_window_extent()
    for ax in axes:
        box = ax.get_window_extent()
        beside = legend.x0 >= box.x1 or legend.x1 <= box.x0
        assert beside or legend.y0 >= box.y1 - 1.0 or legend.y1 <= box.y0 + 1.0
    assert legend.y1 <= figure.bbox.y1 + 2.0
    assert_apart([*display.legend_.get_texts(), *(ax._left_title for ax in axes)])
