"""Each group's rows with the lines that several ways of pooling put through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.plots.arrays.group_fit import group_fit_arrays, usual_lines
from skmixed.plots.display import Display, check_shape, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.legends import note
from skmixed.plots.style.lines import LINES, draw_lines, draw_points
from skmixed.plots.style.text import integer_ticks, short_label
from skmixed.results import MixedLMResults

__all__ = ["GroupFitDisplay"]


@fill_docstrings
class GroupFitDisplay(Display):
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
        self.x, self.y, self.line_x = map(number_array, (x, y, line_x))
        self.codes = np.asarray(codes, dtype=np.intp)
        self.lines = {name: number_array(values) for name, values in lines.items()}
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
        show: Sequence[str] | None = None,
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
        {estimator}
        {factor}
        feature : str or int, optional
            Column of X for the x axis; by default the first with a random slope, or else the first
            that holds numbers.
        levels : list of labels, optional
            Which groups; by default all, or 12 of more than 20 (40 of more than 60 in one panel),
            small and large ones with low and high effects.
        show : sequence of str, optional
            By default points, and the lines separate, mixed and pooled; mixed and population of a
            generalised model, whose lines are those of the mean response and have no least-squares
            counterparts. ``"population"`` is the line of the fixed effects.
        true : DataFrame or array-like of shape (n_levels, 2), optional
            Intercept and slope of each group's true line: a DataFrame indexed by labels, or rows
            in the sorted order of all labels.
        panels : bool, default=True
            Whether each group has a panel; else all share one.
        ax : matplotlib Axes, or array of Axes for the panels, optional
            The place of one Axes is divided into panels.

        Raises
        ------
        {not_fitted}
        ValueError
            If there is no such factor, feature, level or line.
        """
        if show is not None:
            _check_show(show)
        source = read_estimator(estimator, X, y, groups=groups, factor=factor)
        show = usual_lines(source.fit) if show is None else show
        arrays = group_fit_arrays(
            source, feature=feature, levels=levels, show=show, true=true, panels=panels
        )
        return cls(**arrays).plot(ax, show=show, panels=panels)

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        feature: Any = None,
        levels: Any = None,
        show: Sequence[str] | None = None,
        true: Any = None,
        panels: bool = True,
        ax: Any = None,
    ) -> GroupFitDisplay:
        """Draw the rows and lines of the groups of results that keep their rows.

        Parameters
        ----------
        {results}
        factor, feature, levels, show, true, panels, ax
            As for ``from_estimator``.
        """
        return cls.from_estimator(
            *model_and_rows(results),
            factor=factor,
            feature=feature,
            levels=levels,
            show=show,
            true=true,
            panels=panels,
            ax=ax,
        )

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
        {no_matplotlib}
        ValueError
            If there are not as many axes as groups, or a name is unknown.
        """
        shown = ("points", *self.lines) if show is None else tuple(show)
        _check_show(shown)
        names = [n for n in LINES if n in self.lines and (n in shown or n == "true")]
        n_groups = len(self.groups)
        size = (3.0, 2.5) if n_groups <= 4 else (2.0, 1.8)
        members = np.arange(n_groups).reshape(-1, 1 if panels else n_groups)
        made = self._panels(ax, len(members), size=size)
        self.points_: list[Any] = []
        self.lines_: dict[str, list[Any]] = {name: [] for name in names}
        for panel, groups in zip(made.axes, members, strict=True):
            if panels:
                panel.set_title(self._title(groups[0]), loc="left", fontsize="small", pad=3.0)
            if "points" in shown:
                rows = np.isin(self.codes, groups)
                self.points_.append(draw_points(panel, self.x[rows], self.y[rows]))
            for name in names:
                line = self.line_x[groups], self.lines[name][groups]
                self.lines_[name].append(draw_lines(panel, *line, name, together=not panels))
            panel.autoscale_view()
            integer_ticks(panel, "x", self.x)
        made.label(self.feature, self.response)
        entries = [LINES[name].handle() for name in names]
        if self.n_levels != n_groups:
            entries.append(note(f"{n_groups:,} of {self.n_levels:,} groups"))
        self.legend_ = made.legend(entries)
        return self

    def _title(self, i: int) -> str:
        """Name the group of a panel, with its rows if groups differ in size."""
        sizes = np.bincount(self.codes, minlength=len(self.groups))
        rows = "" if np.ptp(sizes) == 0 else f"  n = {sizes[i]:,}"
        return short_label(self.groups[i], 24 - len(rows)) + rows

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        n, n_groups = len(self.x), len(self.groups)
        self._check_shape((n,), ("y", "codes"), "of x")
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
            check_shape(f"lines[{name!r}]", values, self.line_x.shape, "of line_x")


def _check_show(show: Sequence[str]) -> None:
    """Raise ValueError for what cannot be shown: all but "points" and the names of lines."""
    known = ["points", *LINES]
    unknown = [show] if isinstance(show, str) else [name for name in show if name not in known]
    if unknown:
        raise ValueError(f"show must be a sequence of some of {known}, got {unknown}.")
