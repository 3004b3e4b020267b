"""The panels of each kind of plot of residuals: their names, their words, and what draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from skmixed.plots.arrays.residuals import NAMES, UNIT_VARIANCE
from skmixed.plots.drawing.clouds import draw_fitted, draw_scale_location
from skmixed.plots.drawing.group_boxes import draw_groups, group_quartiles
from skmixed.plots.drawing.normal_quantiles import NormalQuantiles, draw_quantiles
from skmixed.plots.style.text import describe, short_label, write_in

if TYPE_CHECKING:
    from skmixed.plots.residuals import ResidualsDisplay

__all__ = ["KINDS", "drawings"]

KINDS = ("overview", "fitted", "scale_location", "qq", "qq_random", "groups")

Drawing = Callable[[Any], dict[str, Any]]


def drawings(display: ResidualsDisplay, kind: str) -> dict[str, Drawing]:
    """Return what draws each panel of a kind, by the panel's name.

    Parameters
    ----------
    kind : str
        One of KINDS.

    Raises
    ------
    ValueError
        If it needs groups or random effects that are not there.
    """
    if kind in _OF_ROWS:
        return {kind: partial(_OF_ROWS[kind], display)}
    effects = display.effect_quantiles()
    if kind == "overview":
        names = ("fitted", "scale_location", "qq")
        shown: dict[str, Drawing] = {name: partial(_OF_ROWS[name], display) for name in names}
        for factor in list(effects)[:1]:
            shown["qq_random"] = partial(_draw_effects, factor, effects[factor])
        return shown
    if kind == "groups":
        if display.groups is None:
            raise ValueError(
                'kind="groups" needs labels of groups, and there are none. Name a factor= or '
                "give groups=."
            )
        return {kind: partial(_draw_groups, display, display.groups)}
    if not effects:
        raise ValueError('kind="qq_random" needs random effects, and the model has none.')
    return {
        f"{factor}: {effect}": partial(_draw_effects, factor, {effect: values})
        for factor, by_effect in effects.items()
        for effect, values in by_effect.items()
    }


def _draw_fitted(display: ResidualsDisplay, ax: Any) -> dict[str, Any]:
    """Draw the residuals over the fitted values."""
    describe(ax, title="Linearity", x="Fitted value", y=NAMES[display.residual_kind])
    return draw_fitted(ax, display.fitted, display.residuals)


def _draw_scale_location(display: ResidualsDisplay, ax: Any) -> dict[str, Any]:
    """Draw the roots of the absolute residuals over the fitted values."""
    name = NAMES[display.residual_kind].lower()
    describe(ax, title="Constant variance", x="Fitted value", y=f"Root of |{name}|")
    unit_variance = display.residual_kind in UNIT_VARIANCE
    return draw_scale_location(ax, display.fitted, display.residuals, unit_variance=unit_variance)


def _draw_quantiles(display: ResidualsDisplay, ax: Any) -> dict[str, Any]:
    """Draw the ordered residuals against normal quantiles."""
    name = NAMES[display.residual_kind]
    describe(ax, title="Normal residuals", x="Normal quantile", y=name)
    return draw_quantiles(ax, {name: display.quantiles()})


def _draw_groups(display: ResidualsDisplay, labels: Any, ax: Any) -> dict[str, Any]:
    """Draw the residuals of each group."""
    found = group_quartiles(display.residuals, labels)
    name = f"{short_label(display.factor)} ({len(found.labels):,} groups)"
    describe(ax, title="Residuals by group", x=NAMES[display.residual_kind], y=name)
    return draw_groups(ax, found)


def _draw_effects(factor: str, samples: Mapping[str, NormalQuantiles], ax: Any) -> dict[str, Any]:
    """Draw the random effects of one factor."""
    several = len(samples) > 1
    title = "Normal random effects" if several else f"Normal effects: {next(iter(samples))}"
    name = f"Standardised effect of {short_label(factor)}"
    describe(ax, title=title, x="Normal quantile", y=name)
    if not any(len(one.ordered) for one in samples.values()):
        write_in(ax, "The estimated variance is 0")
        return {"points": []}
    return draw_quantiles(ax, samples)


_OF_ROWS = {
    "fitted": _draw_fitted,
    "scale_location": _draw_scale_location,
    "qq": _draw_quantiles,
}
