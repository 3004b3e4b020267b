"""Predictions with their intervals: along one column for some groups, or row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.arrays.prediction_interval import NEW, POPULATION, band_arrays, row_arrays
from skmixed.plots.display import Display, check_choice, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.colours import BLACK, BLUE, DOTS, ORANGE, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry, patch_entry
from skmixed.plots.style.lines import draw_points
from skmixed.plots.style.panels import Panels
from skmixed.plots.style.text import integer_ticks, short_label, size_in_points
from skmixed.results import MixedLMResults

__all__ = ["PredictionIntervalDisplay"]

KINDS = ("bands", "rows")
_PALE_BLUE = "#BFD9EA"
_MANY = 5000


@fill_docstrings
class PredictionIntervalDisplay(Display):
    """Show predictions with intervals that new observations keep with a given probability.

    Make one with `from_estimator` or `from_results`. ``kind="bands"`` has a panel for each of some
    groups, one for a new group, whose random effects are all unknown, and one for the line of the
    population, whose band is that of the estimated line alone. ``kind="rows"`` has an interval for
    each row, sorted by the prediction, with the observations and the share of them inside.

    Parameters
    ----------
    names : sequence of str
        Of the series: one panel each. One series alone may be rows.
    x : array-like of shape (n_series, n_places)
        Values of the feature, or the order of the rows.
    mean, lower, upper : array-like of shape (n_series, n_places)
        In units of the response.
    observed_x, observed_y : array-like of shape (n,), optional
        Observations.
    observed_series : array-like of int of shape (n,), optional
        The series of each.
    coverage : float, default=0.95
    kind : {"bands", "rows"}, default="bands"
    feature, response, factor : str

    Attributes
    ----------
    inside : ndarray of shape (n,)
        Whether each observation lies within the interval of its row, for ``kind="rows"``.
    empirical_coverage : float
        Share of them.
    ax_ : matplotlib Axes, or ndarray of Axes if there are several panels
    figure_ : matplotlib Figure
    bands_ : list of PolyCollection, or LineCollection of the rows' intervals
    lines_ : list of Line2D
    points_ : list of PathCollection
    legend_ : matplotlib Legend

    Raises
    ------
    ValueError
        If shapes disagree, or coverage is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import PredictionIntervalDisplay
    >>> display = PredictionIntervalDisplay(
    ...     names=["rows"],
    ...     x=[[0, 1, 2]],
    ...     mean=[[1.0, 2.0, 3.0]],
    ...     lower=[[0.0, 1.0, 2.0]],
    ...     upper=[[2.0, 3.0, 4.0]],
    ...     observed_x=[0, 1, 2],
    ...     observed_y=[1.5, 3.5, 2.5],
    ...     kind="rows",
    ... )
    >>> display.inside
    array([ True, False,  True])
    """

    bands_: list[Any]
    lines_: list[Any]
    points_: list[Any]

    def __init__(
        self,
        *,
        names: Any,
        x: ArrayLike,
        mean: ArrayLike,
        lower: ArrayLike,
        upper: ArrayLike,
        observed_x: ArrayLike = (),
        observed_y: ArrayLike = (),
        observed_series: ArrayLike | None = None,
        coverage: float = 0.95,
        kind: str = "bands",
        feature: str = "x",
        response: str = "y",
        factor: str = "group",
    ) -> None:
        self.names = [name if isinstance(name, tuple) else str(name) for name in names]
        self.x, self.mean, self.lower, self.upper = map(number_array, (x, mean, lower, upper))
        self.observed_x, self.observed_y = map(number_array, (observed_x, observed_y))
        series = np.zeros(len(self.observed_x)) if observed_series is None else observed_series
        self.observed_series = np.asarray(series, dtype=np.intp)
        self.coverage, self.kind = coverage, kind
        self.feature, self.response, self.factor = feature, response, factor
        self._check()

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Tell of each observation whether it lies within the interval of its row."""
        rows = self.observed_x.astype(np.intp)
        low, high = self.lower[0, rows], self.upper[0, rows]
        return (low <= self.observed_y) & (self.observed_y <= high)

    @property
    def empirical_coverage(self) -> float:
        """Return the share of the observations within their intervals."""
        return float(self.inside.mean())

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        factor: str | None = None,
        kind: str = "bands",
        feature: Any = None,
        levels: Any = None,
        coverage: float = 0.95,
        ax: Any = None,
    ) -> PredictionIntervalDisplay:
        """Draw the intervals of a fitted estimator.

        Bands hold the other columns at the group's mean or most frequent value, those of the new
        group and of the population at the mean or most frequent value of all rows.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups
            As given to its fit; with ``kind="rows"`` any rows, of new groups too.
        {factor}
        kind : {"bands", "rows"}, default="bands"
        feature : str or int, optional
            Column of X for the x axis of bands; by default the first with a random slope, or else
            the first that holds numbers.
        levels : list of labels, optional
            The groups that have bands; by default four, small and large ones with low and high
            effects.
        coverage : float, default=0.95
            Probability that an interval covers a new observation.
        ax : matplotlib Axes, or array of Axes for the panels, optional

        Raises
        ------
        {not_fitted}
        ValueError
            If there is no such kind, factor, feature or level.
        """
        check_choice("kind", kind, KINDS)
        source = read_estimator(
            estimator, X, y, groups=groups, factor=factor, complete=kind == "bands"
        )
        if kind == "rows":
            return cls(**row_arrays(source, coverage)).plot(ax)
        return cls(**band_arrays(source, feature, levels, coverage)).plot(ax)

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        kind: str = "bands",
        feature: Any = None,
        levels: Any = None,
        coverage: float = 0.95,
        ax: Any = None,
    ) -> PredictionIntervalDisplay:
        """Draw the intervals of results that keep their rows.

        Parameters
        ----------
        {results}
        factor, kind, feature, levels, coverage, ax
            As for ``from_estimator``.
        """
        return cls.from_estimator(
            *model_and_rows(results),
            factor=factor,
            kind=kind,
            feature=feature,
            levels=levels,
            coverage=coverage,
            ax=ax,
        )

    def plot(self, ax: Any = None) -> PredictionIntervalDisplay:
        """Draw the intervals.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for the panels, optional
            Where to draw; a new figure by default. The place of one Axes is divided into panels.

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there are not as many axes as panels.
        """
        draw = self._draw_bands if self.kind == "bands" else self._draw_rows
        draw(self._panels(ax, len(self.names), size=(2.4, 2.1)))
        return self

    def _draw_bands(self, made: Panels) -> None:
        """Draw a panel with line, band and observations for each series."""
        # The labels of groups may be tuples.
        special: dict[Any, str] = {NEW: ORANGE, POPULATION: BLACK}
        colors = [special.get(name, BLUE) for name in self.names]
        self.bands_, self.lines_, self.points_ = [], [], []
        for i, (ax, color) in enumerate(zip(made.axes, colors, strict=True)):
            band = self.x[i], self.lower[i], self.upper[i]
            self.bands_.append(ax.fill_between(*band, color=color, alpha=0.2, linewidth=0))
            self.lines_ += ax.plot(self.x[i], self.mean[i], color=color, linewidth=1.6)
            rows = self.observed_series == i
            self.points_.append(draw_points(ax, self.observed_x[rows], self.observed_y[rows]))
            if len(made.axes) > 1:
                ax.set_title(short_label(self.names[i]), loc="left", fontsize="small", pad=3.0)
        made.label(self.feature, self.response)
        percent = f"{100 * self.coverage:g} %"
        entries = {
            BLUE: f"{short_label(self.factor)}: {percent} of new observations",
            ORANGE: f"new group: {percent} of observations",
            BLACK: f"population: {percent} confidence of the line",
        }
        self.legend_ = made.legend(
            [patch_entry(one, text, alpha=0.3) for one, text in entries.items() if one in colors]
        )
        integer_ticks(made.axes[0], "x", self.observed_x)

    def _draw_rows(self, made: Panels) -> None:
        """Draw the sorted intervals of rows, and the observations inside and outside of them."""
        ax, n = made.axes[0], self.x.shape[1]
        many = n > _MANY
        spacing = size_in_points(ax)[0] / max(n, 1)
        width = float(np.clip(0.6 * spacing, 0.5, 4.0))
        style = {"colors": _PALE_BLUE, "linewidth": width, "zorder": 1.5, "rasterized": many}
        self.bands_ = [ax.vlines(self.x[0], self.lower[0], self.upper[0], **style)]
        self.lines_ = ax.plot(self.x[0], self.mean[0], color=BLUE, linewidth=1.6, zorder=2.5)
        size, inside = float(np.clip(1.1 * spacing, 1.5, 4.0)) ** 2, self.inside
        self.points_ = []
        for rows, style in (
            (inside, {"c": DOTS, "s": size, "alpha": 0.8 if n < 1000 else 0.4, "zorder": 2.0}),
            (~inside, {"c": VERMILLION, "s": 1.7 * size, "alpha": 0.95, "zorder": 3.0}),
        ):
            points = self.observed_x[rows], self.observed_y[rows]
            self.points_.append(ax.scatter(*points, linewidths=0, rasterized=many, **style))
        ax.set_xlim(-0.02 * n - 0.5, 1.02 * n - 0.5)
        made.label("row, by prediction", self.response)
        count, total = int(inside.sum()), len(inside)
        share = f"{count:,} of {total:,}, {100 * self.empirical_coverage:.1f} %"
        entries = [
            line_entry(BLUE, "prediction", linewidth=1.6),
            patch_entry(_PALE_BLUE, f"{100 * self.coverage:g} % interval"),
            dot_entry(DOTS, f"inside ({share})", markersize=4),
            dot_entry(VERMILLION, f"outside ({total - count:,})", markersize=4),
        ]
        self.legend_ = made.legend(entries)

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        check_choice("kind", self.kind, KINDS)
        if not 0.0 < self.coverage < 1.0:
            raise ValueError(f"coverage must be between 0 and 1, got {self.coverage!r}. Use 0.95.")
        if self.x.ndim != 2 or len(self.x) != len(self.names):
            raise ValueError(
                f"x must have a row for each of the {len(self.names)} series, got the shape "
                f"{self.x.shape}."
            )
        self._check_shape(self.x.shape, ("mean", "lower", "upper"), "of x")
        observed = ("observed_y", "observed_series")
        self._check_shape(self.observed_x.shape, observed, "of observed_x")
        if self.kind == "rows" and len(self.names) != 1:
            raise ValueError(f"kind='rows' shows one series, got {len(self.names)}.")
