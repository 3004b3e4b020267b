"""Draw the rows of groups with their lines, in panels of their own or in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.style.legends import note
from skmixed.plots.style.lines import LINES, draw_lines, draw_points
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import integer_ticks, short_label

if TYPE_CHECKING:
    from skmixed.plots.group_fit import GroupFitDisplay

__all__ = ["check_show", "draw_groups"]

Members = NDArray[np.intp]


def draw_groups(
    display: GroupFitDisplay,
    made: Panels,
    members: Sequence[Members],
    names: Sequence[str],
    *,
    points: bool,
    titles: bool,
) -> None:
    """Draw a display, and keep its artists in it.

    Parameters
    ----------
    members : sequence of ndarray
        Positions of each panel's groups.
    names : sequence of str
        Of the lines.
    points : bool
        Whether the rows are drawn.
    titles : bool
        Whether each panel is called as its only group; else the groups share one.
    """
    display.points_, display.lines_ = [], {name: [] for name in names}
    for panel, groups in zip(made.axes, members, strict=True):
        if titles:
            panel.set_title(_title(display, groups[0]), loc="left", fontsize="small", pad=3.0)
        if points:
            rows = np.isin(display.codes, groups)
            display.points_.append(draw_points(panel, display.x[rows], display.y[rows]))
        for name in names:
            x, values = display.line_x[groups], display.lines[name][groups]
            display.lines_[name].append(draw_lines(panel, x, values, name, together=not titles))
        panel.autoscale_view()
        integer_ticks(panel, "x", display.x)
    made.label(display.feature, display.response)
    display.legend_ = made.legend([*(LINES[name].handle() for name in names), *_part(display)])


def check_show(show: Sequence[str]) -> None:
    """Raise ValueError for what cannot be shown.

    Parameters
    ----------
    show : sequence of str
        ``"points"`` and names of lines.
    """
    known = ["points", *LINES]
    unknown = [show] if isinstance(show, str) else [name for name in show if name not in known]
    if unknown:
        raise ValueError(f"show must be a sequence of some of {known}, got {unknown}.")


def _title(display: GroupFitDisplay, i: int) -> str:
    """Name the group of a panel, with its rows if groups differ in size."""
    sizes = np.bincount(display.codes, minlength=len(display.groups))
    rows = "" if np.ptp(sizes) == 0 else f"  n = {sizes[i]:,}"
    return short_label(display.groups[i], 24 - len(rows)) + rows


def _part(display: GroupFitDisplay) -> list[Any]:
    """Say in the legend that there are groups which are not shown."""
    shown, n_levels = len(display.groups), display.n_levels
    return [] if n_levels == shown else [note(f"{shown:,} of {n_levels:,} groups")]
