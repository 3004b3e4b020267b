"""Standard deviations of strata: points with limits, and a mark for the fitted one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.style.colours import BLUE, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import LETTER, describe, short_label, size_in_points, text_scale

if TYPE_CHECKING:
    from skmixed.plots.spread_by_stratum import SpreadByStratumDisplay

__all__ = ["draw_spread"]

# Half the width of a mark, in places of strata.
HALF = 0.25
TEXT = 9.0


def draw_spread(display: SpreadByStratumDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    places = np.arange(len(display.strata), dtype=float)
    describe(ax, title="Residual spread", x=short_label(display.by), y="Standard deviation")
    around = None
    if display.limits is not None:
        around = np.abs(display.limits.T - display.observed)
    display.observed_ = ax.errorbar(
        places,
        display.observed,
        yerr=around,
        fmt="o",
        color=BLUE,
        markersize=5.0,
        elinewidth=1.2,
        zorder=2.0,
    )
    label = "observed" if around is None else f"observed, with {100 * display.level:g}% limits"
    entries = [dot_entry(BLUE, label)]
    display.fitted_ = None
    if display.fitted is not None:
        display.fitted_ = ax.hlines(
            display.fitted,
            places - HALF,
            places + HALF,
            color=VERMILLION,
            linewidth=2.0,
            zorder=3.0,
        )
        entries.append(line_entry(VERMILLION, "fitted", linewidth=2.0))
    _name_strata(ax, places, display.strata)
    ax.set_ylim(bottom=0.0)
    display.legend_ = made.legend(entries) if len(entries) > 1 else None


def _name_strata(ax: Any, places: Any, strata: Any) -> None:
    """Write the labels below their places, upended or some of them where there is no room."""
    size = TEXT * text_scale(ax)
    names = [short_label(label, 18) for label in strata]
    room = size_in_points(ax)[0] / max(len(names), 1)
    upright = max(map(len, names), default=0) * LETTER * size <= room
    step = 1 if upright else max(1, int(np.ceil(1.5 * size / room)))
    ax.set_xticks(places[::step], names[::step], fontsize=size, rotation=0.0 if upright else 90.0)
    ax.set_xlim(-0.6, len(names) - 0.4)
