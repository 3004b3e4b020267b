"""Diagnostic plots of residuals and random effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.group_boxes import draw_groups, group_quartiles
from skmixed.plots.group_rows import label_array, rows_figure_size
from skmixed.plots.normal_quantiles import NormalQuantiles, draw_quantiles, normal_quantiles
from skmixed.plots.panel_text import describe, write_in
from skmixed.plots.pipelines import model_and_columns
from skmixed.plots.residual_inputs import (
    NAMES,
    UNIT_VARIANCE,
    check_residual_kind,
    residual_arrays,
)
from skmixed.plots.residual_panels import draw_fitted, draw_scale_location
from skmixed.plots.style import make_panels, short_label

__all__ = ["ResidualsDisplay"]

KINDS = ("overview", "fitted", "scale_location", "qq", "qq_random", "groups")

Drawing = Callable[[Any], dict[str, Any]]


class ResidualsDisplay:
    """Show what the residuals and the random effects say of a model's assumptions.

    Make one with `from_estimator` or `from_results`. The kinds of `plot`:

    - ``"fitted"``: residuals against fitted values with a local regression, which should be flat
      but for a slight rise that shrinkage gives to conditional residuals;
    - ``"scale_location"``: roots of the absolute residuals against fitted values, which should have
      the same mean everywhere;
    - ``"qq"``: ordered residuals against normal quantiles, with a pointwise band;
    - ``"qq_random"``: the same of the random effects, a panel for each factor and effect;
    - ``"groups"``: residuals of each group with quartiles and median, sorted by the median;
    - ``"overview"``: the first three, and the random effects of the first factor in one panel.

    Parameters
    ----------
    fitted : array-like of shape (n,)
        Fitted values, in units of y.
    residuals : array-like of shape (n,)
        NaN where a row says nothing.
    residual_kind : str, default="standardised"
        One of the kinds of ``skmixed.inference.residuals``.
    groups : array-like of shape (n,), optional
        Labels for ``kind="groups"``.
    factor : str, default="group"
        What the labels are called.
    random_effects : mapping of str to DataFrame, optional
        For each factor, levels x effects: modes over their standard deviations.
    level : float, default=0.95
        Probability of each part of the band of a quantile-quantile plot.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of Axes
    figure_ : matplotlib Figure
    artists_ : dict of str to dict
        What was drawn, by the name of the panel: a kind, or ``"factor: effect"``.

    Raises
    ------
    ValueError
        If shapes disagree, level is not between 0 and 1, or there is no such kind of residuals.

    Examples
    --------
    >>> from skmixed.plots import ResidualsDisplay
    >>> display = ResidualsDisplay(
    ...     fitted=[1.0, 2.0, 3.0], residuals=[0.5, -1.0, 0.5], groups=["a", "a", "b"]
    ... )
    >>> display.quantiles().ordered
    array([-1. ,  0.5,  0.5])
    """

    ax_: Any
    figure_: Any
    artists_: dict[str, dict[str, Any]]

    def __init__(
        self,
        *,
        fitted: ArrayLike,
        residuals: ArrayLike,
        residual_kind: str = "standardised",
        groups: ArrayLike | None = None,
        factor: str = "group",
        random_effects: Mapping[str, pd.DataFrame] | None = None,
        level: float = 0.95,
    ) -> None:
        self.fitted = np.asarray(fitted, dtype=float)
        self.residuals = np.asarray(residuals, dtype=float)
        self.residual_kind = residual_kind
        self.groups = None if groups is None else label_array(groups)
        self.factor = factor
        self.random_effects = dict(random_effects or {})
        self.level = check_level(level)
        self._check()

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        kind: str = "overview",
        residual_kind: str = "standardised",
        factor: Any = None,
        level: float = 0.95,
        ax: Any = None,
        **arguments: Any,
    ) -> ResidualsDisplay:
        """Draw the residuals of the rows that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y : array-like
            What it was fitted to; y may be left out where a formula names it.
        kind, residual_kind, factor, level, ax
            As in `from_results`.
        **arguments
            What else ``fit`` was given: ``groups``, ``sample_weight``, ``group_weight``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the rows are not those of the fit, or there is no such kind or factor.
        """
        model, columns = model_and_columns(estimator, X)
        arrays = residual_arrays(model, columns, y, kind=residual_kind, factor=factor, **arguments)
        return cls(**arrays, level=level).plot(ax, kind=kind)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        kind: str = "overview",
        residual_kind: str = "standardised",
        factor: Any = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> ResidualsDisplay:
        """Draw the residuals of a model that keeps its rows.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        kind : {"overview", "fitted", "scale_location", "qq", "qq_random", "groups"}
        residual_kind : str, default="standardised"
            As in ``skmixed.inference.residuals``; marginal and decorrelated residuals are shown
            against the mean of the population, all others against the mean of their groups.
        factor : str or array-like of shape (n,), optional
            By which the residuals are grouped: a grouping factor (the first one by default), a
            column of the data, or labels.
        level : float, default=0.95
        ax : matplotlib Axes, or array of Axes, optional
            The place of one Axes is divided where there are several panels.

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If there is no such kind or factor.
        """
        arrays = residual_arrays(results, kind=residual_kind, factor=factor)
        return cls(**arrays, level=level).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "overview") -> ResidualsDisplay:
        """Draw one kind.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, optional
        kind : {"overview", "fitted", "scale_location", "qq", "qq_random", "groups"}

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such kind, it needs groups or random effects that are not there, or ax
            does not fit.
        """
        drawings = self._drawings(kind)
        labels = [] if self.groups is None else sorted(set(map(short_label, self.groups)))
        panels = make_panels(
            ax,
            len(drawings),
            caller=f"{type(self).__name__}.plot",
            size=(4.4, 3.4),
            single=rows_figure_size(labels) if kind == "groups" else (5.6, 4.2),
            share=False,
        )
        self.artists_ = {}
        for panel, (name, draw) in zip(panels.axes, drawings.items(), strict=True):
            self.artists_[name] = draw(panel)
        self.ax_, self.figure_ = panels.ax, panels.figure
        return self

    def quantiles(self) -> NormalQuantiles:
        """Return what ``kind="qq"`` shows."""
        return normal_quantiles(
            self.residuals,
            level=self.level,
            unit_variance=self.residual_kind in UNIT_VARIANCE,
        )

    def effect_quantiles(self) -> dict[str, dict[str, NormalQuantiles]]:
        """Return what ``kind="qq_random"`` shows, for each factor and effect."""
        return {
            factor: {
                str(effect): normal_quantiles(
                    values.to_numpy(dtype=float), level=self.level, unit_variance=True
                )
                for effect, values in table.items()
            }
            for factor, table in self.random_effects.items()
        }

    def _drawings(self, kind: str) -> dict[str, Drawing]:
        """Return what draws each panel of a kind, by the panel's name."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}.")
        rows: dict[str, Drawing] = {
            "fitted": self._draw_fitted,
            "scale_location": self._draw_scale_location,
            "qq": self._draw_quantiles,
            "groups": self._draw_groups,
        }
        if kind in rows:
            if kind == "groups" and self.groups is None:
                raise ValueError(
                    'kind="groups" needs labels of groups, and there are none. Name a factor= or '
                    "give groups=."
                )
            return {kind: rows[kind]}
        effects = self.effect_quantiles()
        if kind == "overview":
            shown = {name: rows[name] for name in ("fitted", "scale_location", "qq")}
            for factor in list(effects)[:1]:
                shown["qq_random"] = partial(_draw_effects, factor, effects[factor])
            return shown
        if not effects:
            raise ValueError('kind="qq_random" needs random effects, and the model has none.')
        return {
            f"{factor}: {effect}": partial(_draw_effects, factor, {effect: values})
            for factor, by_effect in effects.items()
            for effect, values in by_effect.items()
        }

    def _draw_fitted(self, ax: Any) -> dict[str, Any]:
        name = NAMES[self.residual_kind]
        describe(ax, title="Linearity", x="Fitted value", y=name)
        return draw_fitted(ax, self.fitted, self.residuals)

    def _draw_scale_location(self, ax: Any) -> dict[str, Any]:
        name = NAMES[self.residual_kind].lower()
        describe(ax, title="Constant variance", x="Fitted value", y=f"Root of |{name}|")
        unit_variance = self.residual_kind in UNIT_VARIANCE
        return draw_scale_location(ax, self.fitted, self.residuals, unit_variance=unit_variance)

    def _draw_quantiles(self, ax: Any) -> dict[str, Any]:
        name = NAMES[self.residual_kind]
        describe(ax, title="Normal residuals", x="Normal quantile", y=name)
        return draw_quantiles(ax, {name: self.quantiles()})

    def _draw_groups(self, ax: Any) -> dict[str, Any]:
        if self.groups is None:
            return {}
        found = group_quartiles(self.residuals, self.groups)
        name = f"{short_label(self.factor)} ({len(found.labels):,} groups)"
        describe(ax, title="Residuals by group", x=NAMES[self.residual_kind], y=name)
        return draw_groups(ax, found)

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        check_residual_kind(self.residual_kind)
        n = self.fitted.shape
        for name in ("residuals", "groups"):
            values = getattr(self, name)
            if values is not None and (values.shape != n or len(n) != 1):
                raise ValueError(
                    f"{name} must have one value for each row of fitted, shape {n}, got "
                    f"{values.shape}."
                )


def _draw_effects(factor: str, samples: Mapping[str, NormalQuantiles], ax: Any) -> dict[str, Any]:
    """Draw the random effects of one factor."""
    several = len(samples) > 1
    title = "Normal random effects" if several else f"Normal effects: {next(iter(samples))}"
    name = f"Standardised effect of {short_label(factor)}"
    describe(ax, title=title, x="Normal quantile", y=name)
    if not any(len(one.ordered) for one in samples.values()):
        write_in(ax, "The estimated variance is 0")
        ax.set(xticks=[], yticks=[])
        return {"points": []}
    return draw_quantiles(ax, samples)
