"""Shares of successes over predicted probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skmixed.plots.style.colours import BLUE, DASHED, GREY, VERMILLION
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import describe

if TYPE_CHECKING:
    from skmixed.plots.probability_calibration import ProbabilityCalibrationDisplay

__all__ = ["draw_calibration"]

STYLES = ((BLUE, "o"), (VERMILLION, "s"))
# Of the range of the probabilities, beside which points and limits stay legible.
MARGIN = 0.05


def draw_calibration(display: ProbabilityCalibrationDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    describe(ax, title="Calibration", x="Predicted probability", y="Observed share")
    ax.axline((0.0, 0.0), slope=1.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=1.0)
    limits = display.limits()
    display.curves_ = {}
    for (name, at), (colour, marker) in zip(display.predicted.items(), STYLES, strict=False):
        shares = display.observed[name]
        display.curves_[name] = ax.errorbar(
            at,
            shares,
            yerr=np.abs(limits[name].T - shares),
            color=colour,
            marker=marker,
            markersize=4.5,
            linewidth=1.4,
            elinewidth=0.9,
            label=name,
            zorder=3.0,
        )
    low = min(np.min(at) for at in (*display.predicted.values(), *limits.values()))
    high = max(np.max(at) for at in (*display.predicted.values(), *limits.values()))
    margin = MARGIN * (high - low)
    ax.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    made.legend(list(display.curves_.values()))
