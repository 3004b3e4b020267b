"""How far a mixed model moves each group's estimates towards the population's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.display import Display, check_choice, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.shrinkage import (
    Estimates,
    densities_of,
    draw_arrows,
    draw_densities,
    draw_differences,
    draw_scatter,
)
from skmixed.plots.reading.least_squares import separate_effects
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.text import integer_ticks
from skmixed.results import MixedLMResults

__all__ = ["ShrinkageDisplay"]

FloatArray = NDArray[np.float64]

KINDS = ("arrow", "density", "lines", "scatter")


@fill_docstrings
class ShrinkageDisplay(Display):
    """Compare each group's own least-squares estimates with those of the mixed model.

    Make one with `from_estimator` or `from_results`. The separate estimates are the least-squares
    coefficients of a group's rows on its random-effect columns, once the part that the model
    explains by other columns and other factors is taken off: with one grouping factor whose effects
    are all of the fixed ones, these are the coefficients of a regression in each group alone, and
    for an intercept alone the raw mean.

    Parameters
    ----------
    groups : array-like of shape (n_groups,)
        Labels.
    effect_names : sequence of str
    separate : array-like of shape (n_groups, n_effects)
        NaN where a group's rows do not determine its coefficients.
    mixed : array-like of shape (n_groups, n_effects)
        The group's coefficients in the mixed model: the population's plus the conditional modes.
    population : array-like of shape (n_effects,)
    sizes : array-like of int of shape (n_groups,), optional
        Rows of each group, for the areas of points.
    reach : array-like of shape (2, n_effects), optional
        Least and largest value of each effect's column, for ``kind="lines"``.
    center : array-like of shape (n_effects,), optional
        Means of these columns.
    factor, response : str

    Attributes
    ----------
    differences : ndarray of shape (n_groups, n_effects)
        Mixed less separate estimates.
    line_x : ndarray of shape (n_places,)
        Where ``kind="lines"`` is drawn.
    line_differences : ndarray of shape (n_groups, n_places)
    density_x : list of ndarray
        Values of each effect at which ``kind="density"`` is drawn.
    densities : dict of str to list of ndarray
        By ``"separate"`` and ``"mixed"``.
    ax_ : matplotlib Axes, or ndarray of Axes if there are several panels
    figure_ : matplotlib Figure
    artists_ : dict
        What was drawn, by name.
    legend_ : matplotlib Legend

    Raises
    ------
    ValueError
        If shapes disagree.

    Examples
    --------
    >>> from skmixed.plots import ShrinkageDisplay
    >>> display = ShrinkageDisplay(
    ...     groups=["a", "b"],
    ...     effect_names=["Intercept"],
    ...     separate=[[3.0], [-1.0]],
    ...     mixed=[[2.5], [-0.5]],
    ...     population=[1.0],
    ... )
    >>> display.differences.ravel()
    array([-0.5,  0.5])
    """

    def __init__(
        self,
        *,
        groups: Any,
        effect_names: Any,
        separate: ArrayLike,
        mixed: ArrayLike,
        population: ArrayLike,
        sizes: ArrayLike | None = None,
        reach: ArrayLike | None = None,
        center: ArrayLike | None = None,
        factor: str = "group",
        response: str = "y",
    ) -> None:
        self.groups = list(groups)
        self.effect_names = tuple(map(str, effect_names))
        self.separate, self.mixed = number_array(separate), number_array(mixed)
        self.population = number_array(population)
        self.sizes = np.asarray(np.ones(len(self.groups)) if sizes is None else sizes)
        n = len(self.effect_names)
        self.reach = number_array([np.zeros(n), np.ones(n)] if reach is None else reach)
        self.center = number_array(self.reach.mean(axis=0) if center is None else center)
        self.factor = factor
        self.response = response
        self._check()
        self.differences: FloatArray = self.mixed - self.separate

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        factor: str | None = None,
        kind: str = "arrow",
        effects: Any = None,
        ax: Any = None,
    ) -> ShrinkageDisplay:
        """Draw how a fitted estimator shrinks its groups.

        Parameters
        ----------
        {estimator}
        {factor}
        kind : {"arrow", "density", "lines", "scatter"}, default="arrow"
            As for ``plot``.
        effects : list of str, optional
            As for ``plot``.
        ax : matplotlib Axes, or array of Axes for the panels, optional

        Raises
        ------
        {not_fitted}
        ValueError
            If there is no such factor, effect or kind.
        """
        source = read_estimator(estimator, X, y, groups=groups, factor=factor)
        found, fixed = source.effects, source.fit.fixed
        coefficients = dict(zip(fixed.names, fixed.coefficients, strict=True))
        population = np.array([coefficients.get(name, 0.0) for name in found.effect_names])
        mixed = population + found.modes
        columns = source.design.blocks[source.position].columns
        return cls(
            groups=source.labels,
            effect_names=found.effect_names,
            separate=mixed + separate_effects(source),
            mixed=mixed,
            population=population,
            sizes=found.sizes,
            reach=[columns.min(axis=0), columns.max(axis=0)],
            center=columns.mean(axis=0),
            factor=source.factor,
            response=source.response_name,
        ).plot(ax, kind=kind, effects=effects)

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        kind: str = "arrow",
        effects: Any = None,
        ax: Any = None,
    ) -> ShrinkageDisplay:
        """Draw how the model of results that keep their rows shrinks its groups.

        Parameters
        ----------
        {results}
        factor, kind, effects, ax
            As for ``from_estimator``.
        """
        return cls.from_estimator(
            *model_and_rows(results), factor=factor, kind=kind, effects=effects, ax=ax
        )

    def plot(self, ax: Any = None, *, kind: str = "arrow", effects: Any = None) -> ShrinkageDisplay:
        """Draw the estimates.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for the panels, optional
            Where to draw; a new figure by default.
        kind : {"arrow", "density", "lines", "scatter"}, default="arrow"
            Arrows from the separate to the mixed estimates of two effects (of one effect: from the
            identity line to the mixed estimate, over the separate one); the densities of both for
            each effect; the mixed less the separate line of each group, over the column of the
            second effect; or the mixed against the separate estimates of each effect.
        effects : str or list of str, optional
            Which effects; the first two for arrows and lines, all for the other kinds.

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no such kind or effect, no group with a separate estimate, or ax holds
            another number of axes.
        """
        check_choice("kind", kind, KINDS)
        chosen = self._chosen(effects, kind)
        there = self._there(chosen)
        one = kind == "lines" or (kind == "arrow" and len(chosen) > 1)
        made = self._panels(ax, 1 if one else len(chosen), size=(3.6, 3.4), share=False)
        shown = Estimates(
            [self.effect_names[j] for j in chosen],
            [group for group, known in zip(self.groups, there, strict=True) if known],
            self.separate[there][:, chosen],
            self.mixed[there][:, chosen],
            self.population[chosen],
            self.sizes[there],
            len(self.groups),
        )
        if kind == "lines":
            self._lines(chosen)
            integer_ticks(made.axes[0], "x", self.reach[:, chosen[-1]])
            lines = self.line_x, self.line_differences[there]
            drawn = draw_differences(made, shown, *lines, self.response)
        elif kind == "density":
            self._densities(shown)
            drawn = draw_densities(made, shown, self.density_x, self.densities)
        else:
            drawn = (draw_arrows if kind == "arrow" else draw_scatter)(made, shown)
        self.artists_, self.legend_ = drawn
        return self

    def _lines(self, chosen: NDArray[np.intp]) -> None:
        """Compute mixed less separate lines over the column of the last chosen effect."""
        low, high = self.reach[:, chosen[-1]]
        columns = np.repeat(self.center[:, None], 2, axis=1)
        columns[chosen[-1]] = self.line_x = np.array([low, high])
        self.line_differences = self.differences[:, chosen] @ columns[chosen]

    def _densities(self, shown: Estimates) -> None:
        """Estimate the densities of the separate and the mixed estimates of each shown effect."""
        columns = zip(shown.separate.T, shown.mixed.T, shown.population, strict=True)
        found = [densities_of(separate, mixed, float(one)) for separate, mixed, one in columns]
        self.density_x, separate, mixed = map(list, zip(*found, strict=True))
        self.densities = {"separate": separate, "mixed": mixed}

    def _chosen(self, effects: Any, kind: str) -> NDArray[np.intp]:
        """Return the positions of the effects that a kind shows."""
        wanted = [effects] if isinstance(effects, str) else effects
        wanted = list(self.effect_names if wanted is None else wanted)
        unknown = [name for name in wanted if name not in self.effect_names]
        if unknown or not wanted:
            raise ValueError(f"effects must name some of {list(self.effect_names)}, got {wanted}.")
        chosen = [self.effect_names.index(name) for name in wanted]
        if kind == "lines" and len(chosen) < 2:
            raise ValueError(
                "kind='lines' needs two effects, the second of which has a column for the x axis; "
                f"got {wanted[0]!r} alone. Choose kind='scatter'."
            )
        return np.array(chosen[:2] if kind in ("arrow", "lines") else chosen)

    def _there(self, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which groups have separate estimates of the chosen effects."""
        there = np.asarray(np.isfinite(self.separate[:, chosen]).all(axis=1))
        if not there.any():
            raise ValueError(
                f"No group of {self.factor!r} has rows enough for estimates of its own: the least "
                f"number of rows is {len(chosen)} of different values. Choose one effect with "
                "effects=, or show the modes with RandomEffectsDisplay."
            )
        return there

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        n, k = len(self.groups), len(self.effect_names)
        why = f"for {n} groups and {k} effects"
        self._check_shape((n, k), ("separate", "mixed"), why)
        self._check_shape((2, k), ["reach"], why)
        self._check_shape((k,), ("population", "center"), why)
        self._check_shape((n,), ["sizes"], why)
