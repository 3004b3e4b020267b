"""What is seen of a drawn figure, and what holds of every one: nothing hides or leaves anything."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import mock

from matplotlib.text import Text

__all__ = ["assert_texts_apart", "assert_tidy", "overlapping", "texts_of"]


def texts_of(legend: Any) -> list[str]:
    """Return the texts of a legend."""
    return [text.get_text() for text in legend.get_texts()]


def shown_texts(figure: Any) -> list[Text]:
    """Return all texts that are drawn; ticks beyond limits are not."""
    found = {}
    draw = Text.draw

    def recorded(text: Text, *args: Any, **kwargs: Any) -> None:
        if text.get_visible() and text.get_text():
            found[id(text)] = text
        draw(text, *args, **kwargs)

    with mock.patch.object(Text, "draw", recorded):
        figure.draw_without_rendering()
    return list(found.values())


def overlapping(texts: Any, slack: float = 1.0) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap by more than slack pixels."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack
    ]


def assert_texts_apart(figure: Any, slack: float = 1.0) -> None:
    """Assert that texts overlap by at most slack pixels, and that none leaves the figure."""
    texts = shown_texts(figure)
    assert overlapping(texts, slack) == []
    assert texts_outside(figure, texts) == []


def texts_outside(figure: Any, texts: list[Text], slack: float = 2.0) -> list[str]:
    """Return the texts that leave the figure."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    return [
        text
        for text, box in boxes
        if box.x0 < -slack
        or box.y0 < -slack
        or box.x1 > figure.bbox.x1 + slack
        or box.y1 > figure.bbox.y1 + slack
    ]


def assert_tidy(display: Any) -> None:
    """Assert that texts keep apart and in the figure, and that the legend lies on no panel."""
    figure = display.figure_
    assert_texts_apart(figure)
    if display.legend_ is None:
        return
    legend = display.legend_.get_window_extent()
    for ax in (ax for ax in figure.axes if ax.axison):
        box = ax.get_window_extent()
        beside = legend.x0 >= box.x1 or legend.x1 <= box.x0
        assert beside or legend.y0 >= box.y1 - 1.0 or legend.y1 <= box.y0 + 1.0
