"""Panels that compare models: a row for each, with criteria or with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skmixed.plots.style.colours import (
    BLACK,
    BLUE,
    DASHED,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PALETTE,
    VERMILLION,
)
from skmixed.plots.style.group_rows import label_rows
from skmixed.plots.style.legends import explain
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import describe, text_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CRITERIA", "draw_coefficients", "draw_criteria"]

# Columns of a table of criteria, with their names, colours and markers.
CRITERIA = {
    "aic": ("AIC", BLUE, "o"),
    "bic": ("BIC", VERMILLION, "s"),
    "caic": ("Conditional AIC", GREEN, "D"),
    "aicc": ("AICc", ORANGE, "^"),
}

# How far apart the criteria of one model are, in rows.
APART = 0.13
# Where the weights stand, in widths of the panel.
BESIDE = 1.03


def draw_criteria(ax: Axes, differences: pd.DataFrame, weights: pd.Series) -> dict[str, Any]:
    """Draw how far each model is above the best, from the bottom to the top; return the points.

    The differences are models x criteria, the weights Akaike's.
    """
    describe(ax, x="Difference from the lowest")
    points = _draw_points(ax, differences)
    names = list(differences.index)
    label_rows(ax, names)
    if len(ax.get_yticks()) == len(names):
        _write_weights(ax, weights)
    explain(ax, list(points.values()))
    return points


def draw_coefficients(made: Panels, table: pd.DataFrame) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw the intervals of all models, a panel for each term; return lines and points by term."""
    models = list(table["model"].unique())
    intervals, points = {}, {}
    for panel, term in zip(made.axes, table["term"].unique(), strict=True):
        rows = table[table["term"] == term]
        intervals[str(term)], points[str(term)] = _draw_term(panel, rows, models)
        describe(panel, title=str(term))
        if made.root is None or panel.get_subplotspec().is_first_col():
            label_rows(panel, models[::-1])
        else:
            panel.set_yticks([])
    return intervals, points


def _draw_points(ax: Axes, differences: pd.DataFrame) -> dict[str, Any]:
    """Draw the criteria of each model beside each other."""
    n_models, n_criteria = differences.shape
    rows = np.arange(n_models)
    ax.hlines(rows, 0.0, differences.max(axis=1), color=LIGHT_GREY, linewidth=1.0, zorder=1)
    ax.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    shifts = APART * (0.5 * (n_criteria - 1) - np.arange(n_criteria))
    points = {}
    for name, shift in zip(differences.columns, shifts, strict=True):
        label, colour, marker = CRITERIA[name]
        style: dict[str, Any] = {"color": colour, "marker": marker, "s": 34.0, "zorder": 3}
        points[name] = ax.scatter(differences[name], rows + shift, label=label, **style)
    ax.set_ylim(-0.6, n_models - 0.4)
    return points


def _write_weights(ax: Axes, weights: pd.Series) -> None:
    """Write the weight of each model beside its row."""
    size = 9.0 * text_scale(ax)
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center"}
    for row, weight in enumerate(weights):
        ax.text(BESIDE, row, f"{weight:.2f}", fontsize=size, **beside)
    ax.text(BESIDE, 1.01, "Akaike\nweight", transform=ax.transAxes, va="bottom", fontsize=size)


def _draw_term(ax: Axes, rows: pd.DataFrame, models: list[Any]) -> tuple[Any, Any]:
    """Draw the intervals of one coefficient; some models may not have it."""
    positions = [models.index(model) for model in rows["model"]]
    heights = len(models) - 1.0 - np.array(positions)
    few = len(models) <= len(PALETTE)
    colours = [PALETTE[i] if few else BLUE for i in positions]
    intervals = ax.hlines(
        heights, rows["lower"], rows["upper"], colors=colours, linewidth=1.8, zorder=2
    )
    points = ax.scatter(rows["estimate"], heights, c=colours, s=30.0, linewidths=0, zorder=3)
    low, high = float(rows["lower"].min()), float(rows["upper"].max())
    reach = high - low
    # 0 is shown where it is not far.
    if low - 0.5 * reach <= 0.0 <= high + 0.5 * reach:
        ax.axvline(0.0, color=BLACK, linewidth=0.8, linestyle=DASHED, zorder=1)
    ax.set_ylim(-0.7, len(models) - 0.3)
    return intervals, points
