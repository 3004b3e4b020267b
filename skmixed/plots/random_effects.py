"""Caterpillar plots of random effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.arrays.random_effects import FactorEffects, effects_of_factor, shown_effects
from skmixed.plots.display import Display
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import model_and_steps
from skmixed.plots.style.colours import BLUE, DASHED, GREY
from skmixed.plots.style.group_rows import (
    FEWEST_POINTS,
    label_rows,
    points_per_row,
    rows_figure_size,
)
from skmixed.plots.style.legends import explain, line_entry
from skmixed.plots.style.text import describe, short_label
from skmixed.results import MixedLMResults
from skmixed.results.group_intervals import GroupUncertainty

__all__ = ["ACCENT", "NEUTRAL", "RandomEffectsDisplay"]

# Apart in hue and in lightness.
ACCENT, NEUTRAL = BLUE, GREY


@fill_docstrings
class RandomEffectsDisplay(Display):
    """Show random effects with their intervals, sorted by value, for each factor and effect.

    Each panel shows one effect of one grouping factor. An interval is the conditional mode plus and
    minus a quantile of the normal or of Student's distribution times its standard error, as in
    ``results.random_effects_table``; it is coloured where it excludes 0.
    Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        Labels of the groups. For several factors this and the next three are dicts by the names of
        the factors.
    modes : array-like of shape (n_levels, n_effects)
        Conditional modes, in units of y per unit of the effect's column.
    standard_deviations : array-like of shape (n_levels, n_effects)
        Of the errors of the modes.
    effect_names : sequence of str
    factor : str, optional
        Name of the grouping factor; not needed for several.
    level : float, default=0.95
        Probability that an interval covers its effect.
    df : array-like of shape (n_levels, n_effects), optional
        Degrees of freedom of Student's t, for several factors a dict; infinite by default.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_levels, n_effects), or dict of them by factor
        Limits of the intervals.
    excludes_zero : ndarray of shape (n_levels, n_effects), or dict of them by factor
    ax_ : matplotlib Axes, or ndarray of Axes if there are several panels
    figure_ : matplotlib Figure
    points_ : list of PathCollection
        The modes, for each panel.
    intervals_ : list of LineCollection
    zero_lines_ : list of Line2D

    Raises
    ------
    ValueError
        If shapes disagree, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import RandomEffectsDisplay
    >>> display = RandomEffectsDisplay(
    ...     levels=["a", "b"],
    ...     modes=[[3.0], [-1.0]],
    ...     standard_deviations=[[1.0], [1.0]],
    ...     effect_names=["Intercept"],
    ...     factor="school",
    ... )
    >>> display.excludes_zero.ravel()
    array([ True, False])
    """

    def __init__(
        self,
        *,
        levels: Any,
        modes: Any,
        standard_deviations: Any,
        effect_names: Any,
        factor: str | None = None,
        level: float = 0.95,
        df: Any = None,
    ) -> None:
        self.level = check_level(level)
        self.factor = factor
        arrays = (levels, modes, standard_deviations, effect_names, df)
        self._several = isinstance(levels, Mapping)
        if self._several:
            self._factors = {
                str(name): effects_of_factor(
                    *(None if one is None else one[name] for one in arrays), level=level
                )
                for name in levels
            }
        else:
            self._factors = {str(factor or "group"): effects_of_factor(*arrays, level=level)}
        self.levels = self._stored("levels")
        self.modes = self._stored("modes")
        self.standard_deviations = self._stored("standard_deviations")
        self.effect_names = self._stored("effect_names")
        self.df = self._stored("df")
        self.lower, self.upper = self._stored("lower"), self._stored("upper")
        self.excludes_zero = self._stored("excludes_zero")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        factor: str | None = None,
        effect: str | None = None,
        level: float = 0.95,
        beta_known: bool = False,
        variance_uncertainty: GroupUncertainty = None,
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        {group_effects}

        Raises
        ------
        {not_fitted}
        ValueError
            If it has no such factor or effect, or has not kept the cross-products that
            ``variance_uncertainty`` needs.
        """
        model, _ = model_and_steps(estimator)
        return cls.from_results(
            model.results_,
            factor=factor,
            effect=effect,
            level=level,
            beta_known=beta_known,
            variance_uncertainty=variance_uncertainty,
            ax=ax,
        )

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        effect: str | None = None,
        level: float = 0.95,
        beta_known: bool = False,
        variance_uncertainty: GroupUncertainty = None,
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted model's results.

        Parameters
        ----------
        results : MixedLMResults
        {group_effects}

        Raises
        ------
        ValueError
            If the model has no such factor or effect, or has not kept the cross-products that
            ``variance_uncertainty`` needs.
        """
        if not results.random_effects:
            raise ValueError(
                "The model has no random effects to show: it was fitted without groups."
            )
        shown = shown_effects(
            results,
            factor,
            effect,
            beta_known=beta_known,
            variance_uncertainty=variance_uncertainty,
        )
        if len(shown) > 1:
            by_factor: dict[str, Any] = {
                argument: {name: arrays[argument] for name, arrays in shown.items()}
                for argument in next(iter(shown.values()))
            }
            return cls(**by_factor, level=level).plot(ax)
        ((name, arrays),) = shown.items()
        return cls(**arrays, factor=name, level=level).plot(ax)

    def plot(self, ax: Any = None) -> RandomEffectsDisplay:
        """Draw one panel for each factor and effect.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for several panels, optional
            Where to draw; a new figure by default. The place of one Axes is divided.

        Raises
        ------
        {no_matplotlib}
        ValueError
            If ax holds another number of Axes.
        """
        shown = [
            (name, effects, j)
            for name, effects in self._factors.items()
            for j in range(len(effects.effect_names))
        ]
        sizes = [rows_figure_size(list(effects.levels)) for effects in self._factors.values()]
        size = (max(width for width, _ in sizes), max(height for _, height in sizes))
        panels = self._panels(ax, len(shown), size=size, single=size, share=False)
        drawn = [self._draw(panel, *which) for panel, which in zip(panels.axes, shown, strict=True)]
        self.points_, self.intervals_, self.zero_lines_ = map(list, zip(*drawn, strict=True))
        return self

    def _stored(self, name: str) -> Any:
        """Return an array of the only factor, or those of several in a dict."""
        found = {factor: getattr(effects, name) for factor, effects in self._factors.items()}
        return found if self._several else next(iter(found.values()))

    def _draw(self, ax: Any, name: str, effects: FactorEffects, j: int) -> tuple[Any, Any, Any]:
        """Draw one effect of one factor, sorted; return points, intervals and the line of 0."""
        title = effects.effect_names[j]
        describe(
            ax,
            title=f"{name}: {title}" if self._several else title,
            x=f"Deviation with {100 * self.level:g} % interval",
            y=f"{short_label(name)} ({len(effects.levels):,} groups)" if j == 0 else "",
        )
        order = np.argsort(effects.modes[:, j], kind="stable")
        accented = effects.excludes_zero[order, j]
        places = np.arange(len(order))
        colours = np.where(accented, ACCENT, NEUTRAL).tolist()
        spacing = points_per_row(ax, len(places))
        dense = spacing < FEWEST_POINTS
        style: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": DASHED}
        zero_line = ax.axvline(0.0, zorder=2.5 if dense else 1.0, **style)
        limits = effects.lower[order, j], effects.upper[order, j]
        width = float(np.clip(0.25 * spacing, 0.4, 1.6))
        intervals = ax.hlines(places, *limits, colors=colours, linewidth=width, zorder=2)
        style = {"c": "black" if dense else colours, "linewidths": 0, "zorder": 3}
        size = float(np.clip(0.4 * spacing, 1.2, 4.5)) ** 2
        points = ax.scatter(effects.modes[order, j], places, s=size, **style)
        ax.set_ylim(-0.8, len(places) - 0.2)
        label_rows(ax, list(effects.levels[order]))
        counts = {"excludes 0": (accented, ACCENT), "includes 0": (~accented, NEUTRAL)}
        entries = [
            line_entry(colour, f"{text} ({which.sum():,})", linewidth=1.6)
            for text, (which, colour) in counts.items()
            if which.any()
        ]
        explain(ax, entries)
        return points, intervals, zero_line
