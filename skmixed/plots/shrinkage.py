"""How far a mixed model moves each group's estimates towards the population's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.arrays.shrinkage import shrinkage_arrays
from skmixed.plots.display import Display, check_choice
from skmixed.plots.drawing.densities import densities_of
from skmixed.plots.drawing.shrinkage import DRAWINGS
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.text import integer_ticks
from skmixed.results import MixedLMResults

__all__ = ["ShrinkageDisplay"]

FloatArray = NDArray[np.float64]


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

    artists_: dict[str, Any]
    legend_: Any
    line_x: FloatArray
    line_differences: FloatArray
    density_x: list[FloatArray]
    densities: dict[str, list[FloatArray]]

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
        self.separate = np.asarray(separate, dtype=float)
        self.mixed = np.asarray(mixed, dtype=float)
        self.population = np.asarray(population, dtype=float)
        self.sizes = np.asarray(np.ones(len(self.groups)) if sizes is None else sizes)
        n = len(self.effect_names)
        self.reach = np.asarray([np.zeros(n), np.ones(n)] if reach is None else reach, dtype=float)
        self.center = np.asarray(self.reach.mean(axis=0) if center is None else center, dtype=float)
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
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups
            As given to its fit.
        factor : str, optional
            Grouping factor; the one of most levels by default.
        kind : {"arrow", "density", "lines", "scatter"}, default="arrow"
            As for ``plot``.
        effects : list of str, optional
            As for ``plot``.
        ax : matplotlib Axes, or array of Axes for the panels, optional

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there is no such factor, effect or kind.
        """
        source = read_estimator(estimator, X, y, groups=groups, factor=factor)
        return cls(**shrinkage_arrays(source)).plot(ax, kind=kind, effects=effects)

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
        results : MixedLMResults
            Of ``mixedlm``.
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
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such kind or effect, no group with a separate estimate, or ax holds
            another number of axes.
        """
        check_choice("kind", kind, DRAWINGS)
        chosen = self._chosen(effects, kind)
        there = self._there(chosen)
        one = kind == "lines" or (kind == "arrow" and len(chosen) > 1)
        made = self._panels(ax, 1 if one else len(chosen), size=(3.6, 3.4), share=False)
        if kind == "lines":
            self._lines(chosen)
            integer_ticks(made.axes[0], "x", self.reach[:, chosen[-1]])
        if kind == "density":
            self._densities(chosen, there)
        self.artists_, self.legend_ = DRAWINGS[kind](self, made, chosen, there)
        return self

    def _lines(self, chosen: NDArray[np.intp]) -> None:
        """Compute mixed less separate lines over the column of the last chosen effect."""
        low, high = self.reach[:, chosen[-1]]
        columns = np.repeat(self.center[:, None], 2, axis=1)
        columns[chosen[-1]] = self.line_x = np.array([low, high])
        self.line_differences = self.differences[:, chosen] @ columns[chosen]

    def _densities(self, chosen: NDArray[np.intp], there: NDArray[np.bool_]) -> None:
        """Estimate the densities of the separate and the mixed estimates of each chosen effect."""
        found = [
            densities_of(self.separate[there, j], self.mixed[there, j], float(self.population[j]))
            for j in chosen
        ]
        self.density_x = [x for x, _, _ in found]
        self.densities = {
            "separate": [separate for _, separate, _ in found],
            "mixed": [mixed for _, _, mixed in found],
        }

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
        there = np.isfinite(self.separate[:, chosen]).all(axis=1)
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
