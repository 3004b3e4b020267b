"""Quantile-quantile plots against the normal distribution, with a pointwise band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.plots.style.colours import BLUE, GREY, LIGHT_GREY, PALETTE, alpha_for
from skmixed.plots.style.legends import dot_entry, explain
from skmixed.plots.style.text import describe, short_label, write_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NormalQuantiles", "draw_effects", "draw_quantiles", "normal_quantiles"]

FloatArray = NDArray[np.float64]

# Places at each end of the sample at which the band is worked out.
PLACES = 100
MANY = 2000


@dataclass(frozen=True, slots=True, eq=False)
class NormalQuantiles:
    """Hold what a quantile-quantile plot shows.

    Attributes
    ----------
    theoretical : ndarray of shape (n,)
        Standard normal quantiles at the medians of the order statistics (Filliben 1975).
    ordered : ndarray of shape (n,)
        The sample, ascending.
    intercept, slope : float
        Of the line on which a normal sample lies.
    band_at, band_lower, band_upper : ndarray of shape (n_places,)
        Limits between which each ordered value lies with the chosen probability if the sample is
        independent and normal.
    """

    theoretical: FloatArray
    ordered: FloatArray
    intercept: float
    slope: float
    band_at: FloatArray
    band_lower: FloatArray
    band_upper: FloatArray


def normal_quantiles(values: FloatArray, *, level: float, unit_variance: bool) -> NormalQuantiles:
    """Compare a sample, of which NaN is left out, with the normal distribution.

    Parameters
    ----------
    level : float
        Probability of each part of the band.
    unit_variance : bool
        Whether the values should have mean 0 and variance 1, so that the line is the diagonal; else
        it goes through the quartiles.
    """
    sample = values[np.isfinite(values)]
    n = len(sample)
    theoretical, ordered = stats.probplot(sample, fit=False) if n else (sample, sample)
    intercept, slope = (0.0, 1.0) if unit_variance or n < 2 else _line(ordered)
    ranks = _ranks(n)
    tail = 0.5 * (1.0 - level)
    # The i-th smallest of n independent probabilities has a beta distribution.
    limits = [
        intercept + slope * np.asarray(stats.norm.ppf(stats.beta.ppf(p, ranks, n + 1 - ranks)))
        for p in (tail, 1.0 - tail)
    ]
    return NormalQuantiles(
        theoretical, ordered, intercept, slope, theoretical[ranks - 1], limits[0], limits[1]
    )


def draw_effects(factor: str, samples: Mapping[str, NormalQuantiles], ax: Axes) -> dict[str, Any]:
    """Draw the random effects of one factor."""
    several = len(samples) > 1
    title = "Normal random effects" if several else f"Normal effects: {next(iter(samples))}"
    name = f"Standardised effect of {short_label(factor)}"
    describe(ax, title=title, x="Normal quantile", y=name)
    if not any(len(one.ordered) for one in samples.values()):
        write_in(ax, "The estimated variance is 0")
        return {"points": []}
    return draw_quantiles(ax, samples)


def draw_quantiles(ax: Axes, samples: Mapping[str, NormalQuantiles]) -> dict[str, Any]:
    """Draw samples of one size over each other; return ``"band"``, ``"line"`` and ``"points"``."""
    first = next(iter(samples.values()))
    band = ax.fill_between(
        first.band_at, first.band_lower, first.band_upper, color=LIGHT_GREY, linewidth=0, zorder=1
    )
    line = ax.axline((0.0, first.intercept), slope=first.slope, color=GREY, linewidth=1.0, zorder=2)
    points = []
    for i, (name, one) in enumerate(samples.items()):
        n = len(one.ordered)
        points.append(
            ax.scatter(
                one.theoretical,
                one.ordered,
                s=14.0 if n <= MANY else 5.0,
                color=BLUE if len(samples) == 1 else PALETTE[i % len(PALETTE)],
                alpha=alpha_for(n, full=200, least=0.5),
                linewidths=0,
                zorder=3,
                label=name,
                rasterized=n > MANY,
            )
        )
    _limit(ax, list(samples.values()))
    if len(samples) > 1:
        explain(ax, [_entry(one) for one in points])
    return {"band": band, "line": line, "points": points}


def _entry(points: Any) -> Any:
    """Return a point for the legend, of full size and colour."""
    colour = points.get_facecolor()[0][:3]
    return dot_entry(colour, short_label(points.get_label()), markersize=4.0)


def _limit(ax: Axes, samples: list[NormalQuantiles]) -> None:
    """Leave out the ends of a band that reach far beyond the points."""
    low = min((one.ordered[0] for one in samples if len(one.ordered)), default=-1.0)
    high = max((one.ordered[-1] for one in samples if len(one.ordered)), default=1.0)
    at = samples[0].theoretical[[0, -1]] if len(samples[0].theoretical) else np.array([-1.0, 1.0])
    line = samples[0].intercept + samples[0].slope * at
    low, high = min(low, float(line[0])), max(high, float(line[1]))
    margin = 0.12 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _ranks(n: int) -> NDArray[np.intp]:
    """Return ranks from 1 to n, dense towards both ends."""
    if n <= 2 * PLACES:
        return np.arange(1, n + 1)
    lower = np.geomspace(1.0, 0.5 * n, PLACES).astype(np.intp)
    return np.unique(np.concatenate([lower, n + 1 - lower]))


def _line(ordered: FloatArray) -> tuple[float, float]:
    """Return intercept and slope of the line through the quartiles."""
    low, high = np.quantile(ordered, [0.25, 0.75])
    slope = float(high - low) / float(stats.norm.ppf(0.75) - stats.norm.ppf(0.25))
    return 0.5 * float(low + high), slope
