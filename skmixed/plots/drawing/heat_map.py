"""A symmetric matrix as a heat map with the boundaries of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.text import LETTER, LINE_HEIGHT, short_label, size_in_points, text_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_heat_map"]

FloatArray = NDArray[np.float64]

# Maps that readers who confuse colours can read, with 0 almost white in both.
SEQUENTIAL, DIVERGING = "Blues", "PuOr_r"
# A group narrower than this many points is not marked.
NARROWEST = 3.0
TEXT = 9.0
LONGEST_LABEL, LONGEST_UPRIGHT = 20, 6


def draw_heat_map(
    ax: Axes,
    matrix: FloatArray,
    groups: NDArray[np.object_] | None,
    *,
    largest: float | None,
    name: str,
) -> tuple[Any, Any, Any, bool]:
    """Draw a matrix, its first row at the top; return image, colour bar, lines between the groups.

    The last that is returned is whether the groups of the rows are named.

    Parameters
    ----------
    largest : float or None
        Where the colours end; None takes the largest size of an entry.
    name : str
        What the colours mean.
    """
    n = len(matrix)
    largest = (float(np.abs(matrix).max()) or 1.0) if largest is None else largest
    # Rounding makes no negative covariance.
    signed = bool((matrix < -1e-12 * largest).any())
    image = ax.imshow(
        matrix,
        cmap=DIVERGING if signed else SEQUENTIAL,
        vmin=-largest if signed else 0.0,
        vmax=largest,
        interpolation="nearest" if n <= 500 else "antialiased",
        aspect="equal",
    )
    colorbar = ax.figure.colorbar(image, ax=ax, shrink=0.85, aspect=25)
    scale = text_scale(ax)
    colorbar.set_label(name, fontsize=10.0 * scale)
    colorbar.ax.tick_params(labelsize=9.0 * scale)
    colorbar.outline.set_visible(False)
    boundaries, marked = None, False
    if groups is not None:
        # Where each run of one label starts.
        changes = [i for i in range(1, n) if groups[i] != groups[i - 1]]
        starts = np.array([0, *changes], dtype=np.intp)
        boundaries = _mark(ax, starts, n)
        marked = _label(ax, starts, [groups[i] for i in starts], n)
    if not marked:
        # The rows are counted from 0 on both axes.
        ax.locator_params(integer=True)
    return image, colorbar, boundaries, marked


def _mark(ax: Axes, starts: NDArray[np.intp], n: int) -> Any:
    """Draw lines between the groups, unless they are too close."""
    from matplotlib.collections import LineCollection

    between = starts[1:] - 0.5
    often = 2 * len(starts) > n
    if not len(between) or often or NARROWEST * len(starts) > min(size_in_points(ax)):
        return None
    across = [[(-0.5, at), (n - 0.5, at)] for at in between]
    down = [[(at, -0.5), (at, n - 0.5)] for at in between]
    lines = LineCollection([*across, *down], colors="black", linewidths=0.5, alpha=0.6)
    ax.add_collection(lines, autolim=False)
    return lines


def _label(ax: Axes, starts: NDArray[np.intp], labels: list[Any], n: int) -> bool:
    """Name the groups at their middles; return False where there is room for too few names."""
    size = TEXT * text_scale(ax)
    point = n / min(size_in_points(ax))
    middles = 0.5 * (starts + np.append(starts[1:], n) - 1.0)
    texts = [short_label(label, LONGEST_LABEL) for label in labels]
    kept = _apart(middles, LINE_HEIGHT * size * point)
    # Of groups that take turns, some names would say nothing of the others.
    fewest = len(texts) if 2 * len(starts) > n else 0.5 * len(texts)
    if len(kept) < fewest:
        return False
    ax.set_yticks(middles[kept], [texts[i] for i in kept], fontsize=size)
    longest = max(map(len, texts))
    upright = (longest + 1) * LETTER * size * point <= np.diff(middles).min(initial=n)
    # Long names beside the rows are enough: above each other they would squeeze the map.
    shown = kept if upright or longest <= LONGEST_UPRIGHT else []
    ax.set_xticks(middles[shown], [texts[i] for i in shown], fontsize=size)
    ax.tick_params(axis="x", rotation=0.0 if upright else 90.0)
    ax.tick_params(length=0)
    return True


def _apart(places: FloatArray, distance: float) -> list[int]:
    """Return positions of places that are at least a distance apart, from the first on."""
    kept: list[int] = []
    for i, place in enumerate(places):
        if not kept or place - places[kept[-1]] >= distance:
            kept.append(i)
    return kept
