"""Roots of observed counts hanging from those of the expected ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skmixed.plots.style.colours import DASHED, GREY, SKY_BLUE, VERMILLION
from skmixed.plots.style.legends import line_entry, patch_entry
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import describe, integer_ticks

if TYPE_CHECKING:
    from skmixed.plots.rootogram import RootogramDisplay

__all__ = ["draw_rootogram"]

WIDTH = 0.85


def draw_rootogram(display: RootogramDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    describe(ax, title="Rootogram", x=display.response_name, y="Root of the number of rows")
    expected, observed = np.sqrt(display.expected), np.sqrt(display.observed)
    display.bars_ = ax.bar(
        display.counts,
        -observed,
        bottom=expected,
        width=WIDTH,
        color=SKY_BLUE,
        linewidth=0,
        zorder=2.0,
    )
    (display.line_,) = ax.plot(
        display.counts, expected, color=VERMILLION, marker="o", markersize=3.5, zorder=3.0
    )
    ax.axhline(0.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=2.5)
    ax.set_ylim(top=1.08 * float(max(expected.max(), 1.0)))
    integer_ticks(ax, "x", display.counts)
    made.legend([patch_entry(SKY_BLUE, "observed"), line_entry(VERMILLION, "expected")])
