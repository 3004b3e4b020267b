"""Clouds of residuals over fitted values with a smooth line, and residuals of groups in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from skmixed.plots.style.colours import BLUE, DASHED, GREY, SKY_BLUE, VERMILLION, alpha_for
from skmixed.plots.style.group_rows import FEWEST_POINTS, label_rows, points_per_row
from skmixed.plots.style.text import describe, short_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_fitted", "draw_groups", "draw_scale_location", "local_regression"]

FloatArray = NDArray[np.float64]

# The mean of the root of |z| for a standard normal z.
_EXPECTED_ROOT = float(2.0**0.25 * special.gamma(0.75) / np.sqrt(np.pi))

PLACES = 60
# A smooth line needs so many points, of so many distinct fitted values.
FEWEST = 10
MANY = 2000


def draw_fitted(ax: Axes, fitted: FloatArray, residuals: FloatArray) -> dict[str, Any]:
    """Draw residuals against fitted values; return ``"points"``, ``"smooth"`` and ``"line"``."""
    artists = _cloud(ax, fitted, residuals)
    artists["line"] = ax.axhline(0.0, color=GREY, linewidth=1.0, zorder=2)
    return artists


def draw_scale_location(
    ax: Axes, fitted: FloatArray, residuals: FloatArray, *, unit_variance: bool
) -> dict[str, Any]:
    """Draw the roots of absolute residuals against fitted values, as ``draw_fitted`` does.

    The line is their mean, which is known of residuals that should have variance 1.
    """
    artists = _cloud(ax, fitted, np.sqrt(np.abs(residuals)))
    if unit_variance:
        artists["line"] = ax.axhline(_EXPECTED_ROOT, color=GREY, linewidth=1.0, zorder=2)
    ax.set_ylim(bottom=0.0)
    return artists


def draw_groups(
    ax: Axes, values: FloatArray, labels: Any, *, name: str, factor: str
) -> dict[str, Any]:
    """Draw each group as a row; return ``"points"``, ``"quartiles"`` and ``"medians"``."""
    known = np.isfinite(values)
    values = values[known]
    codes, levels = pd.factorize(labels[known])
    of_groups = pd.Series(values).groupby(codes)
    quartiles = np.array([of_groups.quantile(p) for p in (0.25, 0.5, 0.75)])
    n_groups = len(levels)
    title = f"{short_label(factor)} ({n_groups:,} groups)"
    describe(ax, title="Residuals by group", x=name, y=title)
    order, places = np.argsort(quartiles[1], kind="stable"), np.arange(n_groups)
    rows = np.empty_like(order)
    rows[order] = places
    spacing = points_per_row(ax, n_groups)
    dense = spacing < FEWEST_POINTS
    style: dict[str, Any] = {"color": GREY, "linewidths": 0, "rasterized": dense, "zorder": 1}
    style["s"] = float(np.clip(0.4 * spacing, 1.0, 4.0)) ** 2
    alpha = alpha_for(len(values), full=400, least=0.15)
    points = ax.scatter(values, rows[codes], alpha=alpha, **style)
    low, middle, high = quartiles[:, order]
    style = {"colors": SKY_BLUE if dense else BLUE, "rasterized": dense, "zorder": 2}
    style["linewidth"] = float(np.clip(0.4 * spacing, 0.5, 5.0))
    lines = ax.hlines(places, low, high, alpha=0.5 if dense else 0.75, **style)
    style = {"color": "black" if dense else "white", "edgecolors": "black", "zorder": 3}
    style["s"] = float(np.clip(0.5 * spacing, 1.2, 5.0)) ** 2
    medians = ax.scatter(middle, places, linewidths=0.0 if dense else 0.9, **style)
    ax.axvline(0.0, color="black", linewidth=0.8, linestyle=DASHED, zorder=1.5)
    ax.set_ylim(-0.8, n_groups - 0.2)
    label_rows(ax, list(levels[order]))
    return {"points": points, "quartiles": lines, "medians": medians}


def _cloud(ax: Axes, x: FloatArray, y: FloatArray) -> dict[str, Any]:
    """Draw points, and a local regression where there are enough of them."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    n = len(x)
    points = ax.scatter(
        x,
        y,
        s=float(np.clip(14.0 * np.sqrt(MANY / max(n, 1)), 1.2, 14.0)),
        color=BLUE,
        alpha=alpha_for(n, full=150, least=0.025),
        linewidths=0,
        zorder=1,
        rasterized=n > MANY,
    )
    smooth = None
    if len(np.unique(x)) >= FEWEST:
        at = np.linspace(x.min(), x.max(), PLACES)
        (smooth,) = ax.plot(
            at, local_regression(x, y, at), color=VERMILLION, linewidth=1.6, zorder=3
        )
    return {"points": points, "smooth": smooth}


def local_regression(
    x: FloatArray, y: FloatArray, at: FloatArray, *, span: float = 2.0 / 3.0
) -> FloatArray:
    """Return local linear regressions on tricube weights at some places (Cleveland 1979).

    Each uses a part of the points, the span: the nearest ones.

    References
    ----------
    Cleveland, W. S. (1979). Robust locally weighted regression and smoothing scatterplots.
    Journal of the American Statistical Association 74, 829-836.
    """
    nearest = max(int(span * len(x) + 1e-10), min(2, len(x)))
    return np.array([_at(x - place, y, nearest) for place in at])


def _at(distance: FloatArray, y: FloatArray, nearest: int) -> float:
    """Return the value at distance 0 of the line through the nearest points."""
    away = np.abs(distance)
    reach = np.partition(away, nearest - 1)[nearest - 1]
    weight = np.maximum(1.0 - (away / reach) ** 3, 0.0) ** 3 if reach else (away == 0.0) * 1.0
    if not weight.any():
        weight = (away <= reach) * 1.0
    weight = weight / weight.sum()
    centre = weight @ distance
    spread = weight @ (distance - centre) ** 2
    level = weight @ y
    # Points of almost one x say nothing of a slope.
    if spread <= 1e-6 * reach**2:
        return float(level)
    return float(level - centre * (weight @ ((distance - centre) * y)) / spread)
