"""Each group's rows with the lines that several ways of pooling put through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.plots.drawn_lines import LINES, draw_lines, draw_points, note
from skmixed.plots.group_lines import group_lines
from skmixed.plots.reading import read_estimator, read_results
from skmixed.plots.style import integer_ticks, make_panels, short_label
from skmixed.results import MixedLMResults

__all__ = ["GroupFitDisplay"]


class GroupFitDisplay:
    """Show groups' rows with the lines of no pooling, complete pooling and the mixed model.

    Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    groups : array-like of shape (n_groups,)
        Labels.
    x, y : array-like of shape (n,)
        The rows of these groups, in units of the feature and of the response.
    codes : array-like of int of shape (n,)
        Position of each row's group in ``groups``.
    line_x : array-like of shape (n_groups, n_places)
        Where the lines are evaluated.
    lines : mapping of str to array-like of shape (n_groups, n_places)
        By name: ``"mixed"``, ``"separate"`` (NaN where a group's rows determine no line),
        ``"pooled"``, ``"population"`` or ``"true"``.
    feature, response, factor : str
        Names for the axes and messages.
    n_levels : int, optional
        Number of groups of which these are some; by default these are all.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of Axes if there are several panels
    figure_ : matplotlib Figure
    points_ : list of PathCollection
        For each panel.
    lines_ : dict of str to list of LineCollection
        For each panel.
    legend_ : matplotlib Legend

    Raises
    ------
    ValueError
        If shapes disagree, or a line has an unknown name.

    Examples
    --------
    >>> from skmixed.plots import GroupFitDisplay
    >>> display = GroupFitDisplay(
    ...     groups=["a", "b"],
    ...     x=[0.0, 1.0, 0.0, 1.0],
    ...     y=[1.0, 2.0, 3.0, 5.0],
    ...     codes=[0, 0, 1, 1],
    ...     line_x=[[0.0, 1.0], [0.0, 1.0]],
    ...     lines={"mixed": [[1.2, 2.3], [2.8, 4.6]]},
    ...     feature="days",
    ...     response="reaction",
    ...     factor="subject",
    ... )
    >>> sorted(display.lines)
    ['mixed']
    """

    ax_: Any
    figure_: Any
    points_: list[Any]
    lines_: dict[str, list[Any]]
    legend_: Any

    def __init__(
        self,
        *,
        groups: Any,
        x: ArrayLike,
        y: ArrayLike,
        codes: ArrayLike,
        line_x: ArrayLike,
        lines: Mapping[str, ArrayLike],
        feature: str = "x",
        response: str = "y",
        factor: str = "group",
        n_levels: int | None = None,
    ) -> None:
        self.groups = list(groups)
        self.n_levels = len(self.groups) if n_levels is None else n_levels
        self.x = np.asarray(x, dtype=float)
        self.y = np.asarray(y, dtype=float)
        self.codes = np.asarray(codes, dtype=np.intp)
        self.line_x = np.asarray(line_x, dtype=float)
        self.lines = {name: np.asarray(values, dtype=float) for name, values in lines.items()}
        self.feature = feature
        self.response = response
        self.factor = factor
        self._check()

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
        levels: Any = None,
        show: Sequence[str] = ("points", "separate", "mixed", "pooled"),
        true: Any = None,
        panels: bool = True,
        ax: Any = None,
    ) -> GroupFitDisplay:
        """Draw the rows and lines of a fitted estimator's groups.

        Every line holds the other columns at the group's mean, or its most frequent value. The
        mixed line includes the effects of the factor, and of factors whose levels contain its
        levels whole. The separate line regresses the group's rows on what the feature adds to the
        model's columns, without weights; the pooled line is that of all fixed effects, fitted
        without groups.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups
            As given to its fit.
        factor : str, optional
            Grouping factor; the one of most levels by default.
        feature : str or int, optional
            Column of X for the x axis; by default the first with a random slope, or else the first
            that holds numbers.
        levels : list of labels, optional
            Which groups; by default all, or 12 of more than 20 (40 of more than 60 in one panel),
            small and large ones with low and high effects.
        show : sequence of str, default=("points", "separate", "mixed", "pooled")
            Also ``"population"``, the line of the fixed effects.
        true : DataFrame or array-like of shape (n_levels, 2), optional
            Intercept and slope of each group's true line: a DataFrame indexed by labels, or rows
            in the sorted order of all labels.
        panels : bool, default=True
            Whether each group has a panel; else all share one.
        ax : matplotlib Axes, or array of Axes for the panels, optional
            The place of one Axes is divided into panels.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such factor, feature, level or line.
        """
        _check_show(show)
        source = read_estimator(estimator, X, y, groups=groups, factor=factor)
        arguments = group_lines(
            source, feature=feature, levels=levels, show=show, true=true, panels=panels
        )
        return cls(**arguments).plot(ax, show=show, panels=panels)

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        feature: Any = None,
        levels: Any = None,
        show: Sequence[str] = ("points", "separate", "mixed", "pooled"),
        true: Any = None,
        panels: bool = True,
        ax: Any = None,
    ) -> GroupFitDisplay:
        """Draw the rows and lines of the groups of results that keep their rows.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        factor, feature, levels, show, true, panels, ax
            As for ``from_estimator``.
        """
        _check_show(show)
        source = read_results(results, factor=factor)
        arguments = group_lines(
            source, feature=feature, levels=levels, show=show, true=true, panels=panels
        )
        return cls(**arguments).plot(ax, show=show, panels=panels)

    def plot(
        self, ax: Any = None, *, show: Sequence[str] | None = None, panels: bool = True
    ) -> GroupFitDisplay:
        """Draw the groups.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for the panels, optional
            Where to draw; a new figure by default.
        show : sequence of str, optional
            ``"points"`` and names of lines; all by default. True lines are always drawn.
        panels : bool, default=True
            Whether each group has a panel.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are not as many axes as groups, or a name is unknown.
        """
        shown = ("points", *self.lines) if show is None else tuple(show)
        _check_show(shown)
        names = [n for n in LINES if n in self.lines and (n in shown or n == "true")]
        n_groups = len(self.groups)
        made = make_panels(
            ax,
            n_groups if panels else 1,
            caller=f"{type(self).__name__}.plot",
            size=(3.0, 2.5) if n_groups <= 4 else (2.0, 1.8),
        )
        each = [np.array([i]) for i in range(n_groups)] if panels else [np.arange(n_groups)]
        self.points_, self.lines_ = [], {name: [] for name in names}
        for panel, members in zip(made.axes, each, strict=True):
            if panels:
                self._title(panel, int(members[0]))
            if "points" in shown:
                rows = np.isin(self.codes, members)
                self.points_.append(draw_points(panel, self.x[rows], self.y[rows]))
            for name in names:
                x, values = self.line_x[members], self.lines[name][members]
                self.lines_[name].append(draw_lines(panel, x, values, name, together=not panels))
            panel.autoscale_view()
            integer_ticks(panel, "x", self.x)
        made.label(self.feature, self.response)
        self.legend_ = made.legend([LINES[name].handle() for name in names] + self._part())
        self.ax_, self.figure_ = made.ax, made.figure
        return self

    def _part(self) -> list[Any]:
        """Say in the legend that there are groups which are not shown."""
        if self.n_levels == len(self.groups):
            return []
        return [note(f"{len(self.groups):,} of {self.n_levels:,} groups")]

    def _title(self, panel: Any, i: int) -> None:
        """Name the group of a panel, with its rows if groups differ in size."""
        sizes = np.bincount(self.codes, minlength=len(self.groups))
        rows = "" if np.ptp(sizes) == 0 else f"  n = {sizes[i]:,}"
        title = short_label(self.groups[i], 24 - len(rows)) + rows
        panel.set_title(title, loc="left", fontsize="small", pad=3.0)

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        n, n_groups = len(self.x), len(self.groups)
        for name in ("y", "codes"):
            found = getattr(self, name).shape
            if found != (n,):
                raise ValueError(f"{name} must have shape {(n,)}, as x, got {found}.")
        if n and (self.codes.min() < 0 or self.codes.max() >= n_groups):
            raise ValueError(
                f"codes must lie between 0 and {n_groups - 1}, the positions in groups; got "
                f"{self.codes.min()} to {self.codes.max()}."
            )
        if self.line_x.ndim != 2 or len(self.line_x) != n_groups:
            raise ValueError(
                f"line_x must have a row for each of the {n_groups} groups, got the shape "
                f"{self.line_x.shape}."
            )
        for name, values in self.lines.items():
            if name not in LINES:
                raise ValueError(f"lines has the name {name!r}. Choose among {list(LINES)}.")
            if values.shape != self.line_x.shape:
                raise ValueError(
                    f"lines[{name!r}] must have the shape {self.line_x.shape} of line_x, got "
                    f"{values.shape}."
                )


def _check_show(show: Sequence[str]) -> None:
    """Raise ValueError for what cannot be shown."""
    known = ["points", *LINES]
    unknown = [show] if isinstance(show, str) else [name for name in show if name not in known]
    if unknown:
        raise ValueError(f"show must be a sequence of some of {known}, got {unknown}.")
