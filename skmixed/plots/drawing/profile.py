"""Panels of a profile: zeta with its limits, or the density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.plots.style.colours import BLUE, DASHED, GREY, SKY_BLUE, VERMILLION
from skmixed.plots.style.text import describe, text_scale, write_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KINDS", "ParameterProfile", "draw_profile"]

FloatArray = NDArray[np.float64]

KINDS = ("zeta", "density")

# Zeta is shown up to so many times its value at the limits.
TALLEST = 1.35


@dataclass(frozen=True, slots=True, eq=False)
class ParameterProfile:
    """Hold the profile of one parameter as a line.

    Attributes
    ----------
    values : ndarray of shape (n_points,)
        Of the parameter, ascending; empty where the data say nothing of it.
    zeta : ndarray of shape (n_points,)
        Signed roots of the deviance.
    """

    values: FloatArray
    zeta: FloatArray
    estimate: float
    limits: tuple[float, float]

    @property
    def slope(self) -> FloatArray:
        """Return the derivative of zeta in the parameter."""
        return np.gradient(self.zeta, self.values, edge_order=2)

    @property
    def density(self) -> FloatArray:
        """Return the density of the parameter if zeta is standard normal."""
        return np.asarray(stats.norm.pdf(self.zeta) * self.slope)


def draw_profile(
    ax: Axes, name: str, one: ParameterProfile, *, kind: str, level: float
) -> tuple[Any, Any] | None:
    """Draw one parameter with limits of a level, or say that the data say nothing of it."""
    describe(ax, title=name)
    if len(one.values) < 2:
        write_in(ax, "The data say nothing of it")
        return None
    return _draw_zeta(ax, one, level) if kind == "zeta" else _draw_density(ax, one)


def _draw_zeta(ax: Axes, one: ParameterProfile, level: float) -> tuple[Any, Any]:
    """Draw zeta, the line that a quadratic likelihood would give, and the limits."""
    cutoff = float(stats.norm.isf(0.5 * (1.0 - level)))
    at_estimate = float(np.interp(one.estimate, one.values, one.slope))
    ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    for height in (-cutoff, cutoff):
        ax.axhline(height, color=GREY, linewidth=0.8, linestyle=DASHED, zorder=1)
    ends = np.array([one.values[0], one.values[-1]])
    straight = at_estimate * (ends - one.estimate)
    ax.plot(ends, straight, color=SKY_BLUE, linewidth=1.0, zorder=2, scalex=False, scaley=False)
    (curve,) = ax.plot(one.values, one.zeta, color=BLUE, linewidth=1.8, zorder=3)
    heights = np.interp(one.limits, one.values, one.zeta)
    known = np.isfinite(one.limits)
    for limit, height in zip(one.limits, heights, strict=True):
        if np.isfinite(limit):
            ax.plot([limit, limit], [0.0, height], color=VERMILLION, linewidth=1.0, zorder=2)
    size = (5.0 * text_scale(ax)) ** 2
    at = np.asarray(one.limits)[known]
    points = ax.scatter(at, heights[known], s=size, color=VERMILLION, zorder=4)
    ax.set_ylim(-TALLEST * cutoff, TALLEST * cutoff)
    return curve, points


def _draw_density(ax: Axes, one: ParameterProfile) -> tuple[Any, Any]:
    """Draw the density, with the estimate and the interval under it."""
    density = one.density
    (curve,) = ax.plot(one.values, density, color=BLUE, linewidth=1.8, zorder=3)
    within = np.sort([*one.values, *filter(np.isfinite, one.limits)])
    within = within[(within >= one.limits[0]) & (within <= one.limits[1])]
    heights = np.interp(within, one.values, density)
    shade = ax.fill_between(within, heights, color=SKY_BLUE, alpha=0.4, linewidth=0, zorder=1)
    top = float(np.interp(one.estimate, one.values, density))
    ax.plot([one.estimate, one.estimate], [0.0, top], color=VERMILLION, linewidth=1.0, zorder=2)
    ax.set_ylim(bottom=0.0)
    ax.set_yticks([])
    return curve, shade
