"""What is seen of a drawn figure, and data of few and of many groups to draw."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
import pandas as pd
from matplotlib.text import Text


def simulated_groups(n_groups, n_rows):
    """Return rows of groups with long names."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(n_groups), n_rows)
    x = rng.normal(size=len(codes))
    y = 1.0 + 2.0 * x + rng.normal(size=n_groups)[codes] + rng.normal(size=len(codes))
    names = np.array([f"a municipality of a long name {i}" for i in range(n_groups)])
    return pd.DataFrame({"y": y, "x": x, "municipality": names[codes]})


def shown_texts(figure):
    """Return all texts that are drawn, with their boxes in pixels; ticks beyond limits are not."""
    found = {}
    draw = Text.draw

    def recorded(text, *args, **kwargs):
        if text.get_visible() and text.get_text():
            found[id(text)] = text
        return draw(text, *args, **kwargs)

    with mock.patch.object(Text, "draw", recorded):
        figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent()) for text in found.values()]


def overlapping_texts(figure, slack=1.0):
    """Return the pairs of texts that overlap by more than slack pixels."""
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(shown_texts(figure), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack
    ]


def texts_outside(figure, slack=2.0):
    """Return the texts that leave the figure."""
    return [
        text
        for text, box in shown_texts(figure)
        if box.x0 < -slack
        or box.y0 < -slack
        or box.x1 > figure.bbox.x1 + slack
        or box.y1 > figure.bbox.y1 + slack
    ]
