"""Caterpillar plots of random effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.caterpillar import Caterpillar, draw_caterpillar
from skmixed.plots.group_rows import label_array, rows_figure_size
from skmixed.plots.panel_text import describe
from skmixed.plots.pipelines import model_and_columns
from skmixed.plots.style import make_panels, short_label
from skmixed.prediction.group_errors import group_effects
from skmixed.results import MixedLMResults

__all__ = ["RandomEffectsDisplay"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FactorEffects:
    """Hold the random effects of one factor: arrays of shape (n_levels, n_effects)."""

    levels: NDArray[np.object_]
    modes: FloatArray
    standard_deviations: FloatArray
    effect_names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray

    @property
    def excludes_zero(self) -> NDArray[np.bool_]:
        """Tell which intervals exclude 0."""
        return (self.lower > 0.0) | (self.upper < 0.0)

    def sorted(self, j: int) -> Caterpillar:
        """Return one effect, sorted by value."""
        order = np.argsort(self.modes[:, j], kind="stable")
        return Caterpillar(
            labels=self.levels[order],
            values=self.modes[order, j],
            lower=self.lower[order, j],
            upper=self.upper[order, j],
            accented=self.excludes_zero[order, j],
        )


class RandomEffectsDisplay:
    """Show random effects with their intervals, sorted by value, for each factor and effect.

    Each panel shows one effect of one grouping factor. An interval is the conditional mode plus and
    minus a normal quantile times its standard error, as in ``results.random_effects_table``; it is
    coloured where it excludes 0.
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

    ax_: Any
    figure_: Any
    points_: list[Any]
    intervals_: list[Any]
    zero_lines_: list[Any]

    def __init__(
        self,
        *,
        levels: Any,
        modes: Any,
        standard_deviations: Any,
        effect_names: Any,
        factor: str | None = None,
        level: float = 0.95,
    ) -> None:
        self.level = check_level(level)
        self.factor = factor
        arrays = (levels, modes, standard_deviations, effect_names)
        self._several = isinstance(levels, Mapping)
        if self._several:
            self._factors = {
                str(name): self._effects(*(one[name] for one in arrays)) for name in levels
            }
        else:
            self._factors = {str(factor or "group"): self._effects(*arrays)}
        self.levels = self._stored("levels")
        self.modes = self._stored("modes")
        self.standard_deviations = self._stored("standard_deviations")
        self.effect_names = self._stored("effect_names")
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
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        factor : str, optional
            Name of the grouping factor; all of them by default.
        effect : str, optional
            Name of the effect, such as ``"Intercept"``; all of them by default.
        level : float, default=0.95
        beta_known : bool, default=False
            Whether the intervals are those given the fixed effects, as in lme4.
        ax : matplotlib Axes, or array of Axes for several panels, optional
            The place of one Axes is divided.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If it has no such factor or effect.
        """
        model, _ = model_and_columns(estimator)
        return cls.from_results(
            model.results_,
            factor=factor,
            effect=effect,
            level=level,
            beta_known=beta_known,
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
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted model's results.

        Parameters
        ----------
        results : MixedLMResults
        factor : str, optional
            Name of the grouping factor; all of them by default.
        effect : str, optional
            Name of the effect, such as ``"Intercept"``; all of them by default.
        level : float, default=0.95
        beta_known : bool, default=False
            Whether the intervals are those given the fixed effects, as in lme4.
        ax : matplotlib Axes, or array of Axes for several panels, optional
            The place of one Axes is divided.

        Raises
        ------
        ValueError
            If the model has no such factor or effect.
        """
        if not results.random_effects:
            raise ValueError(
                "The model has no random effects to show: it was fitted without groups."
            )
        chosen = _chosen(factor, list(results.random_effects), "factor")
        tables = {
            one.name: (
                results.random_effects[one.name],
                _standard_errors(results, one, beta_known=beta_known),
            )
            for one in results.fit.random
            if chosen in (None, one.name)
        }
        known = list(dict.fromkeys(one for modes, _ in tables.values() for one in modes.columns))
        if _chosen(effect, known, "effect") is not None:
            tables = {
                name: (modes[[effect]], deviations[[effect]])
                for name, (modes, deviations) in tables.items()
                if effect in modes.columns
            }
        arrays: dict[str, dict[str, Any]] = {
            "levels": {name: modes.index for name, (modes, _) in tables.items()},
            "modes": {name: modes.to_numpy() for name, (modes, _) in tables.items()},
            "standard_deviations": {name: sd.to_numpy() for name, (_, sd) in tables.items()},
            "effect_names": {name: modes.columns for name, (modes, _) in tables.items()},
        }
        if len(tables) > 1:
            everything: dict[str, Any] = dict(arrays)
            return cls(**everything, level=level).plot(ax)
        (name,) = tables
        only: dict[str, Any] = {argument: found[name] for argument, found in arrays.items()}
        return cls(**only, factor=name, level=level).plot(ax)

    def plot(self, ax: Any = None) -> RandomEffectsDisplay:
        """Draw one panel for each factor and effect.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for several panels, optional
            Where to draw; a new figure by default. The place of one Axes is divided.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
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
        caller = f"{type(self).__name__}.plot"
        panels = make_panels(ax, len(shown), caller=caller, size=size, single=size, share=False)
        self.points_, self.intervals_, self.zero_lines_ = [], [], []
        for panel, (name, effects, j) in zip(panels.axes, shown, strict=True):
            self._draw(panel, effects, j, name)
        self.ax_, self.figure_ = panels.ax, panels.figure
        return self

    def _draw(self, panel: Any, effects: FactorEffects, j: int, name: str) -> None:
        """Draw one effect of one factor."""
        n_groups = f"{short_label(name)} ({len(effects.levels):,} groups)"
        describe(
            panel,
            title=f"{name}: {effects.effect_names[j]}"
            if self._several
            else effects.effect_names[j],
            x=f"Deviation with {100 * self.level:g} % interval",
            y=n_groups if j == 0 else "",
        )
        artists = draw_caterpillar(panel, effects.sorted(j))
        self.points_.append(artists.points)
        self.intervals_.append(artists.intervals)
        self.zero_lines_.append(artists.zero_line)

    def _effects(
        self, levels: Any, modes: Any, standard_deviations: Any, effect_names: Any
    ) -> FactorEffects:
        """Return the arrays of one factor, with intervals."""
        labels, names = label_array(levels), tuple(effect_names)
        arrays = {"modes": np.asarray(modes, dtype=float)}
        arrays["standard_deviations"] = np.asarray(standard_deviations, dtype=float)
        shape = (len(labels), len(names))
        for name, array in arrays.items():
            if array.shape != shape:
                raise ValueError(
                    f"{name} must have shape {shape} (levels, effects), got {array.shape}."
                )
        reach = stats.norm.isf(0.5 * (1.0 - self.level)) * arrays["standard_deviations"]
        lower, upper = arrays["modes"] - reach, arrays["modes"] + reach
        return FactorEffects(labels, **arrays, effect_names=names, lower=lower, upper=upper)

    def _stored(self, name: str) -> Any:
        """Return an array of the only factor, or those of several in a dict."""
        found = {factor: getattr(effects, name) for factor, effects in self._factors.items()}
        return found if self._several else next(iter(found.values()))


def _standard_errors(
    results: MixedLMResults, effects: RandomEffects, *, beta_known: bool
) -> pd.DataFrame:
    """Return the standard errors of the effects of one factor, levels x effects."""
    modes = results.random_effects[effects.name]
    errors = group_effects(results.fit, effects, beta_known=beta_known)
    return pd.DataFrame(errors, index=modes.index, columns=modes.columns)


def _chosen(name: str | None, known: list[str], what: str) -> str | None:
    """Return name, if it is known or None."""
    if name is not None and name not in known:
        raise ValueError(f"The model has no {what} {name!r}. Choose one of {known}.")
    return name
