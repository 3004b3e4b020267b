"""Diagnostic plots of residuals and random effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.arrays.residuals import NAMES, UNIT_VARIANCE, residuals_arrays
from skmixed.plots.display import Display, check_choice, label_array, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.normal_quantiles import (
    NormalQuantiles,
    draw_effects,
    draw_quantiles,
    normal_quantiles,
)
from skmixed.plots.drawing.residuals import draw_fitted, draw_groups, draw_scale_location
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.group_rows import rows_figure_size
from skmixed.plots.style.text import describe, short_label

__all__ = ["ResidualsDisplay"]

Drawing = Callable[[Any], dict[str, Any]]

KINDS = ("overview", "fitted", "scale_location", "qq", "qq_random", "groups")


@fill_docstrings
class ResidualsDisplay(Display):
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
        One of the kinds of ``skmixed.inference.residuals``, or ``"quantile"``.
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
        self.fitted, self.residuals = number_array(fitted), number_array(residuals)
        self.residual_kind = residual_kind
        self.groups = None if groups is None else label_array(groups)
        self.factor = factor
        self.random_effects = dict(random_effects or {})
        self.level = check_level(level)
        check_choice("residual_kind", self.residual_kind, sorted(NAMES))
        if self.fitted.ndim != 1:
            raise ValueError(
                f"fitted must have one value for each row, got the shape {self.fitted.shape}."
            )
        self._check_shape(self.fitted.shape, ("residuals", "groups"), "of fitted")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        group_weight: Any = None,
        kind: str = "overview",
        residual_kind: str | None = None,
        factor: Any = None,
        level: float = 0.95,
        random_state: Any = 0,
        ax: Any = None,
    ) -> ResidualsDisplay:
        """Draw the residuals of the rows that an estimator was fitted to.

        Parameters
        ----------
        {weighted_estimator}
        kind, residual_kind, factor, level, random_state, ax
            As for ``from_results``.

        Raises
        ------
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or there is no such kind or factor.
        """
        given = {"groups": groups, "sample_weight": sample_weight, "group_weight": group_weight}
        return cls.from_results(
            fitted_to(estimator, X, y, **given),
            kind=kind,
            residual_kind=residual_kind,
            factor=factor,
            level=level,
            random_state=random_state,
            ax=ax,
        )

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        kind: str = "overview",
        residual_kind: str | None = None,
        factor: Any = None,
        level: float = 0.95,
        random_state: Any = 0,
        ax: Any = None,
    ) -> ResidualsDisplay:
        """Draw the residuals of a model that keeps its rows.

        Parameters
        ----------
        results : MixedLMResults or MixedGLMResults
            Of ``mixedlm`` or ``mixedglm``.
        kind : {"overview", "fitted", "scale_location", "qq", "qq_random", "groups"}
        residual_kind : str, optional
            As in ``skmixed.inference.residuals``; by default ``"normalised"`` where there is a
            residual structure, else ``"standardised"``. Marginal and decorrelated residuals are
            shown against the mean of the population, all others against the mean of their groups.
            Of a generalised model the default is ``"quantile"``: normal quantiles of
            ``skmixed.inference.quantile_residuals``, which should look like those of a linear model
            whatever the family.
        factor : str or array-like of shape (n,), optional
            By which the residuals are grouped: a grouping factor (the first one by default), a
            column of the data, or labels.
        level : float, default=0.95
        random_state : int, numpy.random.Generator or None, default=0
            Of quantile residuals, which are drawn.
        ax : matplotlib Axes, or array of Axes, optional
            The place of one Axes is divided where there are several panels.

        Raises
        ------
        {no_rows}
        ValueError
            If there is no such kind or factor.
        """
        arrays = residuals_arrays(results, residual_kind, factor, random_state)
        return cls(**arrays, level=level).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "overview") -> ResidualsDisplay:
        """Draw one kind.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, optional
        kind : {"overview", "fitted", "scale_location", "qq", "qq_random", "groups"}

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no such kind, it needs groups or random effects that are not there, or ax
            does not fit.
        """
        check_choice("kind", kind, KINDS)
        wanted = self._drawings(kind)
        labels = [] if self.groups is None else sorted(set(map(short_label, self.groups)))
        single = rows_figure_size(labels) if kind == "groups" else (5.6, 4.2)
        made = self._panels(ax, len(wanted), size=(4.4, 3.4), single=single, share=False)
        self.artists_ = {
            name: draw(panel) for panel, (name, draw) in zip(made.axes, wanted.items(), strict=True)
        }
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
        of_rows = {
            "fitted": self._draw_fitted,
            "scale_location": self._draw_scale_location,
            "qq": self._draw_quantiles,
        }
        if kind in of_rows:
            return {kind: of_rows[kind]}
        if kind == "groups":
            if self.groups is None:
                raise ValueError(
                    'kind="groups" needs labels of groups, and there are none. Name a factor= or '
                    "give groups=."
                )
            return {kind: self._draw_groups}
        effects = self.effect_quantiles()
        if kind == "overview":
            shown: dict[str, Drawing] = {**of_rows}
            for factor in list(effects)[:1]:
                shown["qq_random"] = partial(draw_effects, factor, effects[factor])
            return shown
        if not effects:
            raise ValueError('kind="qq_random" needs random effects, and the model has none.')
        return {
            f"{factor}: {effect}": partial(draw_effects, factor, {effect: values})
            for factor, by_effect in effects.items()
            for effect, values in by_effect.items()
        }

    def _draw_fitted(self, ax: Any) -> dict[str, Any]:
        """Draw the residuals over the fitted values."""
        describe(ax, title="Linearity", x="Fitted value", y=NAMES[self.residual_kind])
        return draw_fitted(ax, self.fitted, self.residuals)

    def _draw_scale_location(self, ax: Any) -> dict[str, Any]:
        """Draw the roots of the absolute residuals over the fitted values."""
        name = NAMES[self.residual_kind].lower()
        describe(ax, title="Constant variance", x="Fitted value", y=f"Root of |{name}|")
        unit = self.residual_kind in UNIT_VARIANCE
        return draw_scale_location(ax, self.fitted, self.residuals, unit_variance=unit)

    def _draw_quantiles(self, ax: Any) -> dict[str, Any]:
        """Draw the ordered residuals against normal quantiles."""
        name = NAMES[self.residual_kind]
        describe(ax, title="Normal residuals", x="Normal quantile", y=name)
        return draw_quantiles(ax, {name: self.quantiles()})

    def _draw_groups(self, ax: Any) -> dict[str, Any]:
        """Draw the residuals of each group."""
        name = NAMES[self.residual_kind]
        return draw_groups(ax, self.residuals, self.groups, name=name, factor=self.factor)
