"""The rows of each group joined along one column, with the line of the population."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.arrays.trajectories import categories_of, spread_groups, trajectories_arrays
from skmixed.plots.display import Display, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.trajectories import (
    add_lines,
    draw_population,
    draw_trajectories,
    number_colors,
)
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.colours import BLACK, BLUE, GREY, PALETTE
from skmixed.plots.style.legends import line_entry, note
from skmixed.plots.style.text import integer_ticks, short_label
from skmixed.results import MixedLMResults

__all__ = ["TrajectoriesDisplay"]

FloatArray = NDArray[np.float64]
# Beyond these groups single trajectories cannot be followed, and some are highlighted.
_MOST_GROUPS, _HIGHLIGHTED = 60, 5


@fill_docstrings
class TrajectoriesDisplay(Display):
    """Show the raw trajectory of each group, and the line of the population.

    Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    groups : array-like of shape (n_groups,)
        Labels.
    x, y : array-like of shape (n,)
        The rows, in units of the feature and of the response.
    codes : array-like of int of shape (n,)
        Position of each row's group in ``groups``.
    line_x : array-like of shape (n_places,)
        Where the population's lines are evaluated.
    lines : array-like of shape (n_lines, n_places)
        The population's prediction; one line, or one for each value that colours.
    colors : array-like of shape (n_groups,), optional
        Value of a covariate for each group: numbers get a colour bar; up to eight others, a legend.
    color_name : str, optional
    feature, response, factor : str
        Names for the axes and the legend.

    Attributes
    ----------
    categories : list
        Values that colour, if they are no numbers.
    highlighted : ndarray of int
        Positions of the groups that stand out.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    trajectories_ : LineCollection
    highlights_ : LineCollection
    population_ : LineCollection
    legend_ : matplotlib Legend
    colorbar_ : matplotlib Colorbar or None

    Raises
    ------
    ValueError
        If shapes disagree, or there are too many values that colour.

    Examples
    --------
    >>> from skmixed.plots import TrajectoriesDisplay
    >>> display = TrajectoriesDisplay(
    ...     groups=["a", "b"],
    ...     x=[0.0, 1.0, 0.0, 1.0],
    ...     y=[1.0, 2.0, 3.0, 5.0],
    ...     codes=[0, 0, 1, 1],
    ...     line_x=[0.0, 1.0],
    ...     lines=[[2.0, 3.5]],
    ... )
    >>> display.trajectory(1)
    array([[0., 3.],
           [1., 5.]])
    """

    def __init__(
        self,
        *,
        groups: Any,
        x: ArrayLike,
        y: ArrayLike,
        codes: ArrayLike,
        line_x: ArrayLike,
        lines: ArrayLike,
        colors: Any = None,
        color_name: str | None = None,
        feature: str = "x",
        response: str = "y",
        factor: str = "group",
    ) -> None:
        self.groups = list(groups)
        self.x, self.y, self.line_x, self.lines = map(number_array, (x, y, line_x, lines))
        self.codes = np.asarray(codes, dtype=np.intp)
        self.colors = None if colors is None else pd.Series(list(colors))
        self.color_name = color_name
        self.feature = feature
        self.response = response
        self.factor = factor
        self.categories = categories_of(self.colors, color_name)
        self._check()
        order = np.lexsort((self.x, self.codes))
        self._order = np.split(order, np.cumsum(np.bincount(self.codes))[:-1])

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        factor: str | None = None,
        feature: Any = None,
        color: Any = None,
        highlight: Any = None,
        ax: Any = None,
    ) -> TrajectoriesDisplay:
        """Draw the trajectories of the groups of a fitted estimator.

        The line of the population has no random effects, the other numbers at their means, and is
        the mean over the combinations of the other values that occur.

        Parameters
        ----------
        {estimator}
        {factor}
        feature : str or int, optional
            Column of X for the x axis; by default the first with a random slope, or else the first
            that holds numbers.
        color : str or int, optional
            Column of X that colours the groups: its mean in each, or its most frequent value. The
            population has a line for each value that is no number.
        highlight : int or list of labels, optional
            As for ``plot``.
        ax : matplotlib Axes, optional

        Raises
        ------
        {not_fitted}
        ValueError
            If there is no such factor, column or label.
        """
        source = read_estimator(estimator, X, y, groups=groups, factor=factor)
        arrays = trajectories_arrays(source, feature=feature, color=color)
        return cls(**arrays).plot(ax, highlight=highlight)

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        feature: Any = None,
        color: Any = None,
        highlight: Any = None,
        ax: Any = None,
    ) -> TrajectoriesDisplay:
        """Draw the trajectories of the groups of results that keep their rows.

        Parameters
        ----------
        {results}
        factor, feature, color, highlight, ax
            As for ``from_estimator``.
        """
        return cls.from_estimator(
            *model_and_rows(results),
            factor=factor,
            feature=feature,
            color=color,
            highlight=highlight,
            ax=ax,
        )

    def trajectory(self, i: int) -> FloatArray:
        """Return the rows of one group in the order of x, shape (n_rows, 2)."""
        rows = self._order[i]
        return np.column_stack([self.x[rows], self.y[rows]])

    def plot(self, ax: Any = None, *, highlight: Any = None) -> TrajectoriesDisplay:
        """Draw the trajectories.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        highlight : int or list of labels, optional
            Which groups stand out, or how many of those of most rows, from low to high means; by
            default 5 where there are more than 60 groups and no colours, else none.

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no group of a label, or ax holds several Axes.
        """
        self.highlighted = chosen = self._to_highlight(highlight)
        made = self._panels(ax, single=(5.8, 4.2))
        (panel,) = made.axes
        segments = [self.trajectory(i) for i in range(len(self.groups))]
        colors, self.colorbar_ = self._group_colors(panel)
        self.trajectories_ = draw_trajectories(panel, segments, colors)
        self.highlights_ = add_lines(
            panel,
            [segments[i] for i in chosen],
            BLUE if colors is None else [colors[i] for i in chosen],
            linewidths=1.3,
            alpha=0.95,
            zorder=3.0,
        )
        shades: Any = PALETTE[: len(self.categories)] or BLACK
        self.population_ = draw_population(panel, self.line_x, self.lines, shades)
        panel.autoscale_view()
        made.label(self.feature, self.response)
        self.legend_ = made.legend(self._entries())
        integer_ticks(panel, "x", self.x)
        return self

    def _to_highlight(self, highlight: Any) -> NDArray[np.intp]:
        """Return the positions of the groups that stand out."""
        if highlight is None:
            many = len(self.groups) > _MOST_GROUPS and self.colors is None
            highlight = _HIGHLIGHTED if many else 0
        if isinstance(highlight, (int, np.integer)) and not isinstance(highlight, bool):
            return spread_groups(self.codes, self.y, int(highlight))
        wanted = [highlight] if isinstance(highlight, (str, tuple)) else list(highlight)
        unknown = [label for label in wanted if label not in self.groups]
        if unknown:
            raise ValueError(
                f"highlight names {unknown[:5]}, which are no levels of {self.factor!r}. Name some "
                f"of its {len(self.groups):,} levels, such as {self.groups[:3]}, or give a number."
            )
        return np.array([self.groups.index(label) for label in wanted], dtype=np.intp)

    def _group_colors(self, ax: Any) -> tuple[list[Any] | None, Any]:
        """Return the colour of each group and the bar of numbers, or None; draw the bar."""
        if self.colors is None:
            return None, None
        if self.categories:
            return [PALETTE[self.categories.index(value)] for value in self.colors], None
        return number_colors(ax, self.colors.to_numpy(dtype=float), self.color_name or "")

    def _entries(self) -> list[Any]:
        """Return what the legend explains."""
        if self.categories:
            counts = pd.Series(self.colors).value_counts()
            categories = [
                line_entry(color, f"{short_label(value)} ({counts[value]:,})", linewidth=2.6)
                for value, color in zip(self.categories, PALETTE, strict=False)
            ]
            return [*categories, note("thick: population")]
        each = f"{short_label(self.factor)} ({len(self.groups):,})"
        plain, k = self.colors is None, len(self.highlighted)
        entries = [line_entry(GREY, each, linewidth=1.0) if plain else note(each)]
        if k:
            entries.append(line_entry(BLUE if plain else BLACK, f"{k} of them", linewidth=1.3))
        return [*entries, line_entry(BLACK, "population", linewidth=2.6)]

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        n, n_groups = len(self.x), len(self.groups)
        self._check_shape((n,), ("y", "codes"), "of x")
        if n_groups == 0 or len(np.unique(self.codes)) != n_groups or self.codes.max() >= n_groups:
            raise ValueError(
                f"codes must name each of the {n_groups} groups at least once by its position, got "
                f"{len(np.unique(self.codes))} different codes."
            )
        n_lines = max(len(self.categories), 1)
        self._check_shape((n_lines, len(self.line_x)), ["lines"], "of lines and their places")
        self._check_shape((n_groups,), ["colors"], "of groups")
