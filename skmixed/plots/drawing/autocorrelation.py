"""Autocorrelations as bars, with the limits of independence and the expected ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from skmixed.plots.style.colours import BLACK, BLUE, DASHED, VERMILLION
from skmixed.plots.style.text import integer_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_autocorrelation"]


def draw_autocorrelation(ax: Axes, table: pd.DataFrame, *, level: float) -> dict[str, Any]:
    """Draw the lags from 1 on.

    Parameters
    ----------
    table : DataFrame
        With lag, autocorrelation, limit and expected.
    level : float
        Of the limits.

    Returns
    -------
    dict of str to Artist
        ``bars``, ``limits`` and ``expected``.
    """
    table = table[table["lag"] > 0]
    lag = table["lag"].to_numpy(dtype=float)
    ax.axhline(0.0, color=BLACK, linewidth=0.8, zorder=1.0)
    height, width = table["autocorrelation"], _width(len(lag))
    bars = ax.vlines(lag, 0.0, height, BLUE, linewidth=width, zorder=2.0, label="residuals")
    style: dict[str, Any] = {"color": BLACK, "linewidth": 1.0, "linestyle": DASHED, "zorder": 1.5}
    limits = [
        *ax.plot(lag, table["limit"], **style, label=f"{100 * level:g}% limits"),
        *ax.plot(lag, -table["limit"], **style),
    ]
    line: dict[str, Any] = {"color": VERMILLION, "marker": "o", "markersize": 4.0, "zorder": 3.0}
    (expected,) = ax.plot(lag, table["expected"], **line, linewidth=1.2, label="expected")
    ax.margins(x=0.06)
    integer_ticks(ax, "x", lag)
    return {"bars": bars, "limits": limits, "expected": expected}


def _width(n: int) -> float:
    """Return the width in points of n bars."""
    return max(1.2, min(5.0, 100.0 / max(n, 1)))
