"""Caterpillar plots of random effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from skmixed.plots.caterpillar import Caterpillar, draw_caterpillar, figure_size
from skmixed.plots.matplotlib_support import require_pyplot
from skmixed.results import MixedLMResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RandomEffectsDisplay"]


class RandomEffectsDisplay:
    """Show the random effects of one grouping factor with their intervals, sorted by value.

    Each panel shows one effect. An interval is the conditional mode plus and minus a normal
    quantile times the standard deviation of the effect given the data; it is coloured where it
    excludes 0.
    Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    levels : array-like of shape (n_levels,)
        Labels of the groups.
    modes : array-like of shape (n_levels, n_effects)
        Conditional modes, in units of y per unit of the effect's column.
    standard_deviations : array-like of shape (n_levels, n_effects)
        Of the effects given the data.
    effect_names : sequence of str
    factor : str
        Name of the grouping factor.
    level : float, default=0.95
        Probability that an interval covers its effect.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_levels, n_effects)
        Limits of the intervals.
    excludes_zero : ndarray of shape (n_levels, n_effects)
    ax_ : matplotlib Axes, or ndarray of Axes if there are several effects
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
        levels: ArrayLike,
        modes: ArrayLike,
        standard_deviations: ArrayLike,
        effect_names: Any,
        factor: str,
        level: float = 0.95,
    ) -> None:
        self.levels = _labels(levels)
        self.modes = np.asarray(modes, dtype=float)
        self.standard_deviations = np.asarray(standard_deviations, dtype=float)
        self.effect_names = tuple(effect_names)
        self.factor = factor
        self.level = level
        self._check()
        reach = stats.norm.isf(0.5 * (1.0 - level)) * self.standard_deviations
        self.lower = self.modes - reach
        self.upper = self.modes + reach
        self.excludes_zero: NDArray[np.bool_] = (self.lower > 0.0) | (self.upper < 0.0)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        factor: str | None = None,
        effect: str | None = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
        factor : str, optional
            Name of the grouping factor; the first one by default.
        effect : str, optional
            Name of the effect, such as ``"Intercept"``; all of them by default.
        level : float, default=0.95
        ax : matplotlib Axes, or array of Axes for several effects, optional

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If it has no such factor or effect.
        """
        check_is_fitted(estimator)
        return cls.from_results(
            estimator.results_, factor=factor, effect=effect, level=level, ax=ax
        )

    @classmethod
    def from_results(
        cls,
        results: MixedLMResults,
        *,
        factor: str | None = None,
        effect: str | None = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> RandomEffectsDisplay:
        """Draw the random effects of a fitted model's results.

        Parameters
        ----------
        results : MixedLMResults
        factor : str, optional
            Name of the grouping factor; the first one by default.
        effect : str, optional
            Name of the effect, such as ``"Intercept"``; all of them by default.
        level : float, default=0.95
        ax : matplotlib Axes, or array of Axes for several effects, optional

        Raises
        ------
        ValueError
            If the model has no such factor or effect.
        """
        if not results.random_effects:
            raise ValueError(
                "The model has no random effects to show: it was fitted without groups."
            )
        name = _chosen(factor, list(results.random_effects), "factor") or next(
            iter(results.random_effects)
        )
        modes, deviations = results.random_effects[name], results.random_effects_sd[name]
        kept = np.ones(modes.shape[1], dtype=bool)
        if _chosen(effect, list(modes.columns), "effect") is not None:
            kept = np.asarray(modes.columns == effect)
        display = cls(
            levels=modes.index,
            modes=modes.to_numpy()[:, kept],
            standard_deviations=deviations.to_numpy()[:, kept],
            effect_names=modes.columns[kept],
            factor=name,
            level=level,
        )
        return display.plot(ax)

    def plot(self, ax: Axes | Any = None) -> RandomEffectsDisplay:
        """Draw one panel for each effect.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for several effects, optional
            Where to draw; a new figure by default.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are not as many axes as effects.
        """
        axes = self._axes(ax)
        self.points_, self.intervals_, self.zero_lines_ = [], [], []
        for j, panel in enumerate(axes):
            order = np.argsort(self.modes[:, j], kind="stable")
            artists = draw_caterpillar(
                panel,
                Caterpillar(
                    labels=self.levels[order],
                    values=self.modes[order, j],
                    lower=self.lower[order, j],
                    upper=self.upper[order, j],
                    accented=self.excludes_zero[order, j],
                ),
                title=self.effect_names[j],
            )
            panel.set_xlabel(f"Deviation from the population ({100 * self.level:g} % interval)")
            self.points_.append(artists.points)
            self.intervals_.append(artists.intervals)
            self.zero_lines_.append(artists.zero_line)
        axes[0].set_ylabel(f"{self.factor} ({len(self.levels):,} groups)", labelpad=8.0)
        self.ax_ = axes[0] if len(axes) == 1 else axes
        self.figure_ = axes[0].figure
        return self

    def _axes(self, ax: Any) -> NDArray[Any]:
        """Return one Axes for each effect, shape (n_effects,)."""
        plt = require_pyplot(f"{type(self).__name__}.plot")
        n_effects = len(self.effect_names)
        if ax is None:
            size = figure_size(self.levels, n_effects)
            _, axes = plt.subplots(1, n_effects, squeeze=False, figsize=size, layout="constrained")
        else:
            axes = np.atleast_1d(np.asarray(ax, dtype=object))
        if axes.size != n_effects:
            raise ValueError(
                f"There are {n_effects} effects {list(self.effect_names)}, but ax holds "
                f"{axes.size} Axes. Pass one for each effect, or choose one with effect=."
            )
        return axes.ravel()

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        shape = (len(self.levels), len(self.effect_names))
        for name in ("modes", "standard_deviations"):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name} must have shape {shape} (levels, effects), got {found}.")
        if not 0.0 < self.level < 1.0:
            raise ValueError(f"level must be between 0 and 1, got {self.level!r}. Use 0.95.")


def _labels(levels: Any) -> NDArray[np.object_]:
    """Return labels as a one-dimensional array of objects, tuples of an interaction as they are."""
    found = list(levels)
    labels = np.empty(len(found), dtype=object)
    labels[:] = found
    return labels


def _chosen(name: str | None, known: list[str], what: str) -> str | None:
    """Return name, if it is known or None."""
    if name is not None and name not in known:
        raise ValueError(f"The model has no {what} {name!r}. Choose one of {known}.")
    return name
