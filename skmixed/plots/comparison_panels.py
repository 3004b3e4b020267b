"""Panels that compare models: a row for each, with criteria or with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skmixed.plots.panel_text import text_scale
from skmixed.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PALETTE,
    VERMILLION,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CRITERIA", "draw_criteria", "draw_term", "write_weights"]

# Column of the table, its name, colour and marker.
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


def draw_criteria(ax: Axes, differences: pd.DataFrame) -> dict[str, Any]:
    """Draw how far each model is above the best, a row each from the bottom to the top.

    Parameters
    ----------
    ax : matplotlib Axes
    differences : DataFrame
        Models x criteria.

    Returns
    -------
    dict of str to PathCollection
        By criterion.
    """
    n_models, n_criteria = differences.shape
    rows = np.arange(n_models)
    ax.hlines(rows, 0.0, differences.max(axis=1), color=LIGHT_GREY, linewidth=1.0, zorder=1)
    ax.axvline(0.0, color=GREY, linewidth=0.8, zorder=1)
    shifts = APART * (0.5 * (n_criteria - 1) - np.arange(n_criteria))
    points = {}
    for (criterion, values), shift in zip(differences.items(), shifts, strict=True):
        name, colour, marker = CRITERIA[str(criterion)]
        points[str(criterion)] = ax.scatter(
            values, rows + shift, color=colour, marker=marker, s=34.0, zorder=3, label=name
        )
    ax.set_ylim(-0.6, n_models - 0.4)
    return points


def write_weights(ax: Axes, weights: pd.Series) -> None:
    """Write the weight of each model beside its row.

    Parameters
    ----------
    ax : matplotlib Axes
    weights : Series
        From the bottom to the top.
    """
    size = 9.0 * text_scale(ax)
    for row, weight in enumerate(weights):
        ax.text(
            BESIDE,
            row,
            f"{weight:.2f}",
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=size,
        )
    ax.text(BESIDE, 1.01, "Akaike\nweight", transform=ax.transAxes, va="bottom", fontsize=size)


def draw_term(ax: Axes, rows: pd.DataFrame, models: list[Any]) -> tuple[Any, Any]:
    """Draw the intervals of one coefficient, a row for each model from the top to the bottom.

    Parameters
    ----------
    ax : matplotlib Axes
    rows : DataFrame
        Columns model, estimate, lower, upper.
    models : list
        All models; some may not have the coefficient.

    Returns
    -------
    tuple of (LineCollection, PathCollection)
    """
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
        ax.axvline(0.0, color=BLACK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.set_ylim(-0.7, len(models) - 0.3)
    return intervals, points
