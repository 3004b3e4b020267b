"""Means of residuals over bins, between the limits that the model sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.stats import norm

from skmixed.plots.style.colours import BLUE, DASHED, GREY, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import describe, short_label

if TYPE_CHECKING:
    from skmixed.plots.binned_residuals import BinnedResidualsDisplay

__all__ = ["draw_binned_residuals"]


def draw_binned_residuals(display: BinnedResidualsDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    describe(ax, title="Binned residuals", x=short_label(display.by), y="Mean residual")
    reach = float(norm.isf(0.5 * (1.0 - display.level))) * display.standard_errors
    ax.axhline(0.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=1.0)
    display.limits_ = [
        ax.plot(display.at, sign * reach, color=GREY, linewidth=1.2, zorder=1.5)[0]
        for sign in (-1.0, 1.0)
    ]
    outside = display.outside()
    display.points_ = ax.scatter(
        display.at,
        display.residuals,
        s=22.0,
        c=[VERMILLION if out else BLUE for out in outside],
        linewidths=0,
        zorder=3.0,
    )
    entries = [dot_entry(BLUE, "mean of a bin")]
    if outside.any():
        entries.append(dot_entry(VERMILLION, "outside the limits"))
    made.legend([*entries, line_entry(GREY, f"{100 * display.level:g}% limits")])
