"""Draw separate estimates against those of a mixed model, in four ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.plots.style.colours import BLACK, BLUE, DASHED, GREY, alpha_for
from skmixed.plots.style.legends import dot_entry, line_entry, note
from skmixed.plots.style.lines import LINES
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.point_labels import place_labels
from skmixed.plots.style.text import short_label

__all__ = [
    "Estimates",
    "densities_of",
    "draw_arrows",
    "draw_densities",
    "draw_differences",
    "draw_scatter",
]

FloatArray = NDArray[np.float64]
Drawn = tuple[dict[str, Any], Any]

# Separate estimates as rare as this may lie beyond the limits, if those would else be this factor
# further apart.
_RARE, _TOLERATED = 0.01, 1.5
_PLACES = 200
# The arrows of more groups than this have no heads, which would hide the rest.
_MOST_HEADS = 400
SEPARATE, MIXED = LINES["separate"].color, LINES["mixed"].color


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Hold the effects that are shown, of the groups that have separate estimates of them.

    Attributes
    ----------
    separate, mixed : ndarray of shape (n_shown, n_effects)
    n_groups : int
        Shown or not.
    """

    names: Sequence[str]
    groups: Sequence[Any]
    separate: FloatArray
    mixed: FloatArray
    population: FloatArray
    sizes: NDArray[Any]
    n_groups: int

    def missing(self, n_outside: int = 0) -> list[Any]:
        """Say in the legend how many groups have no separate estimate, or one beyond the Axes."""
        n = self.n_groups - len(self.groups)
        entries = [note(f"{n:,} of {self.n_groups:,} groups: too few rows")] if n else []
        return [*entries, note(f"{n_outside:,} beyond the axes")] if n_outside else entries

    def limits(self, j: int) -> tuple[float, float]:
        """Return limits for one effect."""
        return robust_limits(self.separate[:, j], self.mixed[:, j], self.population[j])


def draw_arrows(made: Panels, shown: Estimates) -> Drawn:
    """Draw an arrow from the separate to the mixed estimates of each group."""
    ax = made.axes[0]
    tails, heads, center = shown.separate, shown.mixed, shown.population
    limits = [shown.limits(j) for j in range(len(center))]
    names = [short_label(name, 60) for name in shown.names]
    one = len(center) == 1
    if one:
        tails, heads = np.column_stack([tails, tails]), np.column_stack([tails, heads])
        limits *= 2
    artists = _arrows(ax, tails, heads)
    entries = [dot_entry(MIXED, "mixed model")]
    if one:
        artists["identity"] = _identity(ax, center[0])
        artists["population"] = ax.axhline(center[0], color=GREY, linewidth=1.0, zorder=1.5)
        ax.set(xlabel=f"{names[0]}: separate least squares", ylabel=f"{names[0]}: mixed model")
        entries += _lines_of_one_effect()
    else:
        style = {"marker": "D", "s": 46, "c": BLACK, "edgecolors": "white", "zorder": 5}
        artists["population"] = ax.scatter(center[:1], center[1:], **style)
        ax.set(xlabel=names[0], ylabel=names[1])
        separate = dot_entry(SEPARATE, "separate least squares", markerfacecolor="white")
        entries = [separate, *entries, dot_entry(BLACK, "population", marker="D")]
    ax.set(xlim=limits[0], ylim=limits[1])
    low, high = np.transpose(limits)
    beyond = int(((tails < low) | (tails > high)).any(axis=1).sum())
    legend = made.legend([*entries, *shown.missing(beyond)])
    artists["labels"] = [] if one else place_labels(ax, shown.groups, tails, heads, center[None])
    return artists, legend


def draw_densities(
    made: Panels, shown: Estimates, places: list[FloatArray], densities: dict[str, list[FloatArray]]
) -> Drawn:
    """Draw the density of the separate and of the mixed estimates, a panel for each effect."""
    artists: dict[str, Any] = {"separate": [], "mixed": [], "population": []}
    for j, (ax, x) in enumerate(zip(made.axes, places, strict=True)):
        for name in ("separate", "mixed"):
            style, values = LINES[name], densities[name][j]
            (line,) = ax.plot(
                x, values, color=style.color, linestyle=style.linestyle, linewidth=style.linewidth
            )
            ax.fill_between(x, 0.0, values, color=style.color, alpha=0.12, linewidth=0)
            artists[name].append(line)
        center = shown.population[j]
        artists["population"].append(ax.axvline(center, color=BLACK, linewidth=1.0, zorder=1.5))
        ax.set_ylim(bottom=0.0)
        ax.set_xlim(x[0], x[-1])
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set(xlabel=short_label(shown.names[j], 60), ylabel="")
    made.axes[0].set_ylabel("Density")
    handles = [LINES[name].handle() for name in ("separate", "mixed", "population")]
    return artists, made.legend([*handles, *shown.missing()])


def draw_differences(
    made: Panels, shown: Estimates, x: FloatArray, values: FloatArray, response: str
) -> Drawn:
    """Draw the mixed less the separate line of each group."""
    from matplotlib.collections import LineCollection

    ax = made.axes[0]
    points = np.stack([np.broadcast_to(x, values.shape), values], axis=-1)
    style = {"linewidths": 1.2, "alpha": alpha_for(len(values)), "zorder": 2.0}
    lines = LineCollection(list(points), colors=BLUE, **style)
    ax.add_collection(lines)
    zero = ax.axhline(0.0, color=BLACK, linewidth=1.0, linestyle=DASHED, zorder=2.5)
    low, high = robust_limits(values.ravel(), np.zeros(1), 0.0)
    ax.set(xlim=(x[0], x[-1]), ylim=(low, high))
    beyond = int(((values < low) | (values > high)).any(axis=1).sum())
    name = f"{short_label(response, 40)}: mixed less separate line"
    ax.set(xlabel=short_label(shown.names[-1], 60), ylabel=name)
    return {"lines": lines, "zero": zero}, made.legend(shown.missing(beyond))


def draw_scatter(made: Panels, shown: Estimates) -> Drawn:
    """Draw the mixed against the separate estimates, a panel for each effect."""
    artists: dict[str, Any] = {"points": [], "identity": [], "population": []}
    sizes, n = shown.sizes, len(shown.sizes)
    equal = np.ptp(sizes) == 0
    area = np.full(n, 22.0) if equal else 70.0 * sizes / sizes.max() + 4.0
    area *= 0.3 if n > _MOST_HEADS else 1.0
    style = {"c": MIXED, "alpha": min(alpha_for(n, full=60), 0.75), "linewidths": 0, "zorder": 3.0}
    outside = np.zeros(n, dtype=bool)
    names = [short_label(name, 40) for name in shown.names]
    for j, ax in enumerate(made.axes):
        x, y, center = shown.separate[:, j], shown.mixed[:, j], shown.population[j]
        artists["points"].append(ax.scatter(x, y, s=area, **style))
        artists["identity"].append(_identity(ax, center))
        artists["population"].append(ax.axhline(center, color=GREY, linewidth=1.0, zorder=1.5))
        low, high = shown.limits(j)
        ax.set(xlim=(low, high), ylim=(low, high))
        outside |= (x < low) | (x > high)
        if len(made.axes) > 1:
            ax.set_title(names[j], loc="left", fontsize="medium")
    beginning = f"{names[0]}: " if len(made.axes) == 1 else ""
    made.label(f"{beginning}separate least squares", f"{beginning}mixed model")
    dot = dot_entry(MIXED, "group" if equal else "group, by number of rows")
    return artists, made.legend([dot, *_lines_of_one_effect(), *shown.missing(int(outside.sum()))])


def _arrows(ax: Any, tails: FloatArray, heads: FloatArray) -> dict[str, Any]:
    """Draw arrows with a ring at the tail and a point at the head."""
    n = len(tails)
    few = n <= _MOST_HEADS
    alpha = alpha_for(n, full=80)
    arrows = ax.quiver(
        *tails.T,
        *(heads - tails).T,
        angles="xy",
        scale_units="xy",
        scale=1.0,
        units="dots",
        width=1.2 if few else 0.8,
        headwidth=6.0 if few else 0.0,
        headlength=7.0 if few else 0.0,
        headaxislength=6.0 if few else 0.0,
        minlength=0.0,
        minshaft=2.0,
        color="#6E6E6E",
        alpha=alpha if few else 0.5 * alpha,
        zorder=2.5,
    )
    size = 20.0 if n <= 60 else 10.0 if few else 5.0
    style = {"facecolors": "white" if few else SEPARATE, "linewidths": 1.1 if few else 0}
    separate = ax.scatter(*tails.T, s=size, edgecolors=SEPARATE, alpha=alpha, zorder=3.0, **style)
    mixed = ax.scatter(*heads.T, s=size, c=MIXED, linewidths=0, alpha=alpha, zorder=3.5)
    return {"arrows": arrows, "separate": separate, "mixed": mixed}


def _identity(ax: Any, center: float) -> Any:
    """Draw the line of no shrinkage."""
    style = {"color": BLACK, "linewidth": 1.0, "linestyle": DASHED, "zorder": 1.6}
    return ax.axline((center, center), slope=1.0, **style)


def _lines_of_one_effect() -> list[Any]:
    """Return what explains the lines beside the estimates of one effect."""
    equal = line_entry(BLACK, "no shrinkage", linewidth=1.0, linestyle=DASHED)
    return [equal, line_entry(GREY, "population")]


def densities_of(
    separate: FloatArray, mixed: FloatArray, center: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return places, and the densities of separate and of mixed estimates there."""
    low, high = robust_limits(separate, mixed, center)
    margin = 3.0 * max(_bandwidth(separate), _bandwidth(mixed))
    x = np.linspace(low - margin, high + margin, _PLACES)
    return x, _density(separate, x), _density(mixed, x)


def robust_limits(separate: FloatArray, mixed: FloatArray, center: float) -> tuple[float, float]:
    """Return limits that a few wild separate estimates do not decide.

    Rows that barely determine a group's own estimate can put it anywhere.
    """
    inner = np.concatenate([np.quantile(separate, (_RARE, 1.0 - _RARE)), mixed, [center]])
    low, high = inner.min(), inner.max()
    every = np.concatenate([separate, mixed, [center]])
    if np.ptp(every) < _TOLERATED * (high - low):
        low, high = every.min(), every.max()
    margin = 0.06 * (high - low) or max(1e-3 * abs(center), 1e-9)
    return float(low - margin), float(high + margin)


def _bandwidth(values: FloatArray) -> float:
    """Return the standard deviation of a kernel, by Silverman's (1986) rule (equation 3.31)."""
    quartiles = np.quantile(values, (0.25, 0.75))
    spreads = [np.std(values, ddof=1) if len(values) > 1 else 0.0, np.ptp(quartiles) / 1.34]
    return float(0.9 * min((s for s in spreads if s > 0.0), default=0.0) * len(values) ** -0.2)


def _density(values: FloatArray, x: FloatArray) -> FloatArray:
    """Return a kernel estimate of the density; NaN for values that do not differ."""
    width = _bandwidth(values)
    if width <= 1e-12 * np.abs(values).max():
        return np.full(len(x), np.nan)
    return stats.norm.pdf(x[:, None], values, width).mean(axis=1)
