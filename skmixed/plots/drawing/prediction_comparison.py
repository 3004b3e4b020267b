"""Draw one prediction of rows against another, coloured by which is nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skmixed.plots.style.colours import BLACK, BLUE, DASHED, GREY, VERMILLION, alpha_for
from skmixed.plots.style.legends import dot_entry
from skmixed.plots.style.panels import Panels

if TYPE_CHECKING:
    from skmixed.plots.prediction_comparison import PredictionComparisonDisplay

__all__ = ["draw_predictions"]


def draw_predictions(display: PredictionComparisonDisplay, made: Panels) -> None:
    """Draw a display, and keep its artists in it."""
    panel = made.axes[0]
    parts = _parts(display)
    display.points_ = [_draw_points(panel, display, rows, color) for rows, color, _ in parts]
    both = np.concatenate([display.first, display.second])
    margin = 0.04 * (float(np.ptp(both)) or 1.0)
    limits = float(both.min()) - margin, float(both.max()) + margin
    # Both axes have the units of y: one scale shows which predictions vary more.
    panel.set(xlim=limits, ylim=limits)
    display.identity_ = panel.axline(
        (limits[0], limits[0]),
        slope=1.0,
        color=BLACK,
        linewidth=1.0,
        linestyle=DASHED,
        label="equal",
    )
    made.label(*(f"{display.response}: {name}" for name in display.names))
    entries = [dot_entry(color, label) for _, color, label in parts if label]
    display.legend_ = made.legend([*entries, display.identity_])


def _draw_points(panel: Any, display: PredictionComparisonDisplay, rows: Any, color: str) -> Any:
    """Draw some of the rows."""
    n = len(display.first)
    return panel.scatter(
        display.first[rows],
        display.second[rows],
        s=16.0 if n <= 300 else 6.0,
        c=color,
        alpha=alpha_for(n, full=100),
        linewidths=0,
        zorder=2.0,
        rasterized=n > 5000,
    )


def _parts(display: PredictionComparisonDisplay) -> list[tuple[Any, str, str]]:
    """Return rows, colour and label of what is drawn."""
    if display.second_nearer is None or display.rmse is None:
        return [(slice(None), GREY, "")]
    nearer = (~display.second_nearer, display.second_nearer)
    labels = [
        f"{name} nearer ({int(rows.sum()):,}), RMSE {rmse:.4g}"
        for name, rows, rmse in zip(display.names, nearer, display.rmse, strict=True)
    ]
    return list(zip(nearer, (VERMILLION, BLUE), labels, strict=True))
