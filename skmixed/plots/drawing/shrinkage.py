"""Draw separate estimates against those of a mixed model, in four ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.drawing.densities import robust_limits
from skmixed.plots.style.colours import BLACK, BLUE, DASHED, GREY, alpha_for
from skmixed.plots.style.legends import dot_entry, line_entry, note
from skmixed.plots.style.lines import LINES
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.point_labels import place_labels
from skmixed.plots.style.text import short_label

if TYPE_CHECKING:
    from skmixed.plots.shrinkage import ShrinkageDisplay

__all__ = ["DRAWINGS"]

FloatArray = NDArray[np.float64]
Chosen = NDArray[np.intp]
There = NDArray[np.bool_]
Drawn = tuple[dict[str, Any], Any]

# The arrows of more groups than this have no heads, which would hide the rest.
_MOST_HEADS = 400
SEPARATE, MIXED = LINES["separate"].color, LINES["mixed"].color


def _draw_arrows(display: ShrinkageDisplay, made: Panels, chosen: Chosen, there: There) -> Drawn:
    """Draw an arrow from the separate to the mixed estimates of each group."""
    ax = made.axes[0]
    tails = display.separate[there][:, chosen]
    heads = display.mixed[there][:, chosen]
    center = display.population[chosen]
    limits = [
        robust_limits(*both, center[j]) for j, both in enumerate(zip(tails.T, heads.T, strict=True))
    ]
    one = len(chosen) == 1
    if one:
        tails, heads = np.column_stack([tails, tails]), np.column_stack([tails, heads])
        limits *= 2
    artists = _arrows(ax, tails, heads)
    names = [short_label(display.effect_names[j], 60) for j in chosen]
    if one:
        artists["identity"] = _identity(ax, center[0])
        artists["population"] = ax.axhline(center[0], color=GREY, linewidth=1.0, zorder=1.5)
        ax.set(xlabel=f"{names[0]}: separate least squares", ylabel=f"{names[0]}: mixed model")
    else:
        artists["population"] = ax.scatter(
            center[:1], center[1:], marker="D", s=46, c=BLACK, edgecolors="white", zorder=5
        )
        ax.set(xlabel=names[0], ylabel=names[1])
    ax.set(xlim=limits[0], ylim=limits[1])
    legend = made.legend([*_arrow_entries(one=one), *_absent(there, tails, limits)])
    labels = [label for label, known in zip(display.groups, there, strict=True) if known]
    artists["labels"] = place_labels(ax, labels, tails, heads, center[None]) if not one else []
    return artists, legend


def _draw_densities(display: ShrinkageDisplay, made: Panels, chosen: Chosen, there: There) -> Drawn:
    """Draw the density of the separate and of the mixed estimates, a panel for each effect."""
    artists: dict[str, Any] = {"separate": [], "mixed": [], "population": []}
    for j, ax in enumerate(made.axes):
        x = display.density_x[j]
        for name in ("separate", "mixed"):
            style, values = LINES[name], display.densities[name][j]
            (line,) = ax.plot(
                x, values, color=style.color, linestyle=style.linestyle, linewidth=style.linewidth
            )
            ax.fill_between(x, 0.0, values, color=style.color, alpha=0.12, linewidth=0)
            artists[name].append(line)
        center = display.population[chosen[j]]
        artists["population"].append(ax.axvline(center, color=BLACK, linewidth=1.0, zorder=1.5))
        ax.set_ylim(bottom=0.0)
        ax.set_xlim(x[0], x[-1])
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set(xlabel=short_label(display.effect_names[chosen[j]], 60), ylabel="")
    made.axes[0].set_ylabel("Density")
    handles = [LINES[name].handle() for name in ("separate", "mixed", "population")]
    return artists, made.legend([*handles, *_missing(there)])


def _draw_differences(
    display: ShrinkageDisplay, made: Panels, chosen: Chosen, there: There
) -> Drawn:
    """Draw the mixed less the separate line of each group."""
    from matplotlib.collections import LineCollection

    ax = made.axes[0]
    values = display.line_differences[there]
    points = np.stack([np.broadcast_to(display.line_x, values.shape), values], axis=-1)
    lines = LineCollection(
        list(points), colors=BLUE, linewidths=1.2, alpha=alpha_for(len(values)), zorder=2.0
    )
    ax.add_collection(lines)
    zero = ax.axhline(0.0, color=BLACK, linewidth=1.0, linestyle=DASHED, zorder=2.5)
    low, high = robust_limits(values.ravel(), np.zeros(1), 0.0)
    ax.set(xlim=(display.line_x[0], display.line_x[-1]), ylim=(low, high))
    beyond = int(((values < low) | (values > high)).any(axis=1).sum())
    ax.set(
        xlabel=short_label(display.effect_names[chosen[-1]], 60),
        ylabel=f"{short_label(display.response, 40)}: mixed less separate line",
    )
    legend = made.legend(_missing(there, beyond))
    return {"lines": lines, "zero": zero}, legend


def _draw_scatter(display: ShrinkageDisplay, made: Panels, chosen: Chosen, there: There) -> Drawn:
    """Draw the mixed against the separate estimates, a panel for each effect."""
    artists: dict[str, Any] = {"points": [], "identity": [], "population": []}
    sizes = display.sizes[there]
    area = np.full(len(sizes), 22.0) if np.ptp(sizes) == 0 else 70.0 * sizes / sizes.max() + 4.0
    area *= 0.3 if len(sizes) > _MOST_HEADS else 1.0
    alpha = min(alpha_for(len(sizes), full=60), 0.75)
    outside = np.zeros(0)
    for ax, j in zip(made.axes, chosen, strict=True):
        x, y, center = display.separate[there, j], display.mixed[there, j], display.population[j]
        points = ax.scatter(x, y, s=area, c=MIXED, alpha=alpha, linewidths=0, zorder=3.0)
        artists["points"].append(points)
        artists["identity"].append(_identity(ax, center))
        artists["population"].append(ax.axhline(center, color=GREY, linewidth=1.0, zorder=1.5))
        limits = robust_limits(x, y, center)
        ax.set(xlim=limits, ylim=limits)
        outside = np.union1d(outside, np.flatnonzero((x < limits[0]) | (x > limits[1])))
        name = short_label(display.effect_names[j], 40)
        if len(made.axes) > 1:
            ax.set_title(name, loc="left", fontsize="medium")
    ending = f"{name}: " if len(made.axes) == 1 else ""
    made.label(f"{ending}separate least squares", f"{ending}mixed model")
    dot = dot_entry(MIXED, "group" if np.ptp(sizes) == 0 else "group, by number of rows")
    return artists, made.legend([dot, *_lines_of_one_effect(), *_missing(there, len(outside))])


def _arrows(ax: Any, tails: FloatArray, heads: FloatArray) -> dict[str, Any]:
    """Draw arrows with a ring at the tail and a point at the head."""
    n = len(tails)
    few = n <= _MOST_HEADS
    alpha = alpha_for(n, full=80)
    moves = heads - tails
    arrows = ax.quiver(
        *tails.T,
        *moves.T,
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
    separate = ax.scatter(
        *tails.T,
        s=size,
        facecolors="white" if few else SEPARATE,
        edgecolors=SEPARATE,
        linewidths=1.1 if few else 0,
        alpha=alpha,
        zorder=3.0,
    )
    mixed = ax.scatter(*heads.T, s=size, c=MIXED, linewidths=0, alpha=alpha, zorder=3.5)
    return {"arrows": arrows, "separate": separate, "mixed": mixed}


def _identity(ax: Any, center: float) -> Any:
    """Draw the line of no shrinkage."""
    return ax.axline(
        (center, center), slope=1.0, color=BLACK, linewidth=1.0, linestyle=DASHED, zorder=1.6
    )


def _absent(there: There, tails: FloatArray, limits: list[tuple[float, float]]) -> list[Any]:
    """Say in the legend how many groups are not on the Axes."""
    low, high = np.transpose(limits)
    return _missing(there, int(((tails < low) | (tails > high)).any(axis=1).sum()))


def _lines_of_one_effect() -> list[Any]:
    """Return what explains the lines beside the estimates of one effect."""
    equal = line_entry(BLACK, "no shrinkage", linewidth=1.0, linestyle=DASHED)
    return [equal, line_entry(GREY, "population")]


def _arrow_entries(*, one: bool) -> list[Any]:
    """Return what explains arrows."""
    mixed = dot_entry(MIXED, "mixed model")
    if one:
        return [mixed, *_lines_of_one_effect()]
    separate = dot_entry(SEPARATE, "separate least squares", markerfacecolor="white")
    return [separate, mixed, dot_entry(BLACK, "population", marker="D")]


def _missing(there: There, n_outside: int = 0) -> list[Any]:
    """Say in the legend how many groups have no separate estimate, or one beyond the Axes."""
    entries = []
    n = int((~there).sum())
    if n:
        entries.append(note(f"{n:,} of {len(there):,} groups: too few rows"))
    if n_outside:
        entries.append(note(f"{n_outside:,} beyond the axes"))
    return entries


# By kind.
DRAWINGS = {
    "arrow": _draw_arrows,
    "density": _draw_densities,
    "lines": _draw_differences,
    "scatter": _draw_scatter,
}
