"""Points of a semivariogram, larger for more pairs, and the lines of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.style.colours import BLACK, BLUE, DASHED, VERMILLION
from skmixed.plots.style.legends import dot_entry
from skmixed.plots.style.panels import Panels

if TYPE_CHECKING:
    from skmixed.plots.semivariogram import SemivariogramDisplay

__all__ = ["draw_semivariogram"]

# Areas of points in square points.
SMALLEST, LARGEST = 8.0, 60.0
DOTTED = (0, (1, 1.2))


def draw_semivariogram(display: SemivariogramDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    ax = made.axes[0]
    # Residuals that know nothing of each other.
    ax.axhline(1.0, color=BLACK, linewidth=1.0, linestyle=DASHED, zorder=1.0)
    size: Any = 24.0
    if display.n_pairs is not None and len(display.n_pairs):
        size = np.maximum(LARGEST * display.n_pairs / display.n_pairs.max(), SMALLEST)
    display.points_ = ax.scatter(
        display.distance, display.semivariance, s=size, color=BLUE, linewidths=0, zorder=3.0
    )
    display.expected_ = _draw_line(ax, display.distance, display.expected, "expected", "solid")
    display.fitted_ = _draw_line(ax, display.distance, display.fitted, "residual structure", DOTTED)
    lines = [line for line in (display.expected_, display.fitted_) if line is not None]
    display.legend_ = made.legend([dot_entry(BLUE, "pairs of rows"), *lines]) if lines else None
    ax.set_ylim(bottom=0.0, top=max(1.1, ax.get_ylim()[1]))
    ax.set_xlim(left=0.0)


def _draw_line(ax: Any, x: Any, y: Any, label: str, linestyle: Any) -> Any:
    """Draw one line of the model; None where it is not known."""
    if y is None:
        return None
    style = {"color": VERMILLION, "linewidth": 1.6, "linestyle": linestyle, "zorder": 2.0}
    (line,) = ax.plot(x, y, label=label, **style)
    return line
