"""Labels beside points that keep apart from each other and from the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.text import short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["place_labels"]

FloatArray = NDArray[np.float64]

_MOST = 30
_LONGEST = 16
# Radius of a marker in pixels.
_MARKER = 3.0
# To try one after the other: offset in points, and the text's alignment.
_SIDES = (
    ((5, 3), "left", "bottom"),
    ((-5, 3), "right", "bottom"),
    ((5, -3), "left", "top"),
    ((-5, -3), "right", "top"),
)


def place_labels(
    ax: Axes, labels: Sequence[Any], places: FloatArray, *others: FloatArray
) -> list[Any]:
    """Write labels beside points where there is room, if they are few; return those written.

    The Axes has its limits; places and others, which are left free, are points of shape (n, 2).
    """
    if len(labels) > _MOST:
        return []
    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    points = ax.transData.transform(np.concatenate([places, *others]))
    frame = ax.get_window_extent()
    taken: list[Any] = []
    texts: list[Any] = []
    for label, place in zip(labels, places, strict=True):
        for offset, horizontal, vertical in _SIDES:
            text = ax.annotate(
                short_label(label, _LONGEST),
                place,
                xytext=offset,
                textcoords="offset points",
                horizontalalignment=horizontal,
                verticalalignment=vertical,
                fontsize=7,
                color="#555555",
                zorder=4.0,
            )
            box = text.get_window_extent()
            inside = frame.containsx(box.x0) and frame.containsx(box.x1)
            inside = inside and frame.containsy(box.y0) and frame.containsy(box.y1)
            if (
                inside
                and not box.padded(_MARKER).count_contains(points)
                and not box.count_overlaps(taken)
            ):
                taken.append(box)
                texts.append(text)
                break
            text.remove()
    return texts
