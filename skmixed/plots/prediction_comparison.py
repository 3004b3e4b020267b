"""The predictions of a mixed model against those of least squares without groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.fitted_rows import FittedRows
from skmixed.plots.least_squares import pooled_values
from skmixed.plots.matplotlib_support import require_pyplot
from skmixed.plots.reading import read_estimator, read_results
from skmixed.plots.style import BLACK, BLUE, GREY, VERMILLION, alpha_for, make_panels
from skmixed.results import MixedLMResults

__all__ = ["PredictionComparisonDisplay"]

FloatArray = NDArray[np.float64]


class PredictionComparisonDisplay:
    """Compare two predictions of the same rows, point by point.

    Make one with `from_estimator` or `from_results`: they compare the mixed model with least
    squares of the same fixed effects. With observations, points are coloured by which of the two
    lies nearer.

    Parameters
    ----------
    first, second : array-like of shape (n,)
        Predictions, in units of the response.
    observed : array-like of shape (n,), optional
    names : tuple of two str, default=("pooled least squares", "mixed model")
    response : str

    Attributes
    ----------
    second_nearer : ndarray of shape (n,), or None without observations
    rmse : tuple of two float, or None without observations
        Root mean square error of each.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : list of PathCollection
    identity_ : Line2D
    legend_ : matplotlib Legend

    Raises
    ------
    ValueError
        If shapes disagree.

    Examples
    --------
    >>> from skmixed.plots import PredictionComparisonDisplay
    >>> display = PredictionComparisonDisplay(
    ...     first=[1.0, 2.0], second=[1.5, 1.0], observed=[2.0, 2.0]
    ... )
    >>> display.second_nearer
    array([ True, False])
    """

    ax_: Any
    figure_: Any
    points_: list[Any]
    identity_: Any
    legend_: Any

    def __init__(
        self,
        *,
        first: ArrayLike,
        second: ArrayLike,
        observed: ArrayLike | None = None,
        names: tuple[str, str] = ("pooled least squares", "mixed model"),
        response: str = "y",
    ) -> None:
        self.first = np.asarray(first, dtype=float)
        self.second = np.asarray(second, dtype=float)
        self.observed = None if observed is None else np.asarray(observed, dtype=float)
        self.names = names
        self.response = response
        for name in ("second", "observed"):
            values = getattr(self, name)
            if values is not None and values.shape != self.first.shape:
                raise ValueError(
                    f"{name} must have the shape {self.first.shape} of first, got {values.shape}."
                )
        self.second_nearer: NDArray[np.bool_] | None = None
        self.rmse: tuple[float, float] | None = None
        if self.observed is not None:
            errors = [np.abs(one - self.observed) for one in (self.first, self.second)]
            self.second_nearer = errors[1] < errors[0]
            root = [float(np.sqrt(np.mean(error**2))) for error in errors]
            self.rmse = (root[0], root[1])

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        ax: Any = None,
    ) -> PredictionComparisonDisplay:
        """Draw the predictions of a fitted estimator against pooled least squares.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups
            Rows as given to its fit, or others.
        ax : matplotlib Axes, optional

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        source = read_estimator(estimator, X, y, groups=groups, complete=False)
        return cls._from_source(source).plot(ax)

    @classmethod
    def from_results(
        cls, results: MixedLMResults, *, ax: Any = None
    ) -> PredictionComparisonDisplay:
        """Draw the predictions of results that keep their rows against pooled least squares.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        ax : matplotlib Axes, optional
        """
        return cls._from_source(read_results(results)).plot(ax)

    @classmethod
    def _from_source(cls, source: FittedRows) -> PredictionComparisonDisplay:
        """Compute both predictions."""
        return cls(
            first=pooled_values(source, source.table),
            second=source.predict(source.table, include=True),
            observed=source.response,
            response=source.response_name,
        )

    def plot(self, ax: Any = None) -> PredictionComparisonDisplay:
        """Draw the second predictions against the first.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        made = make_panels(ax, 1, caller=f"{type(self).__name__}.plot", single=(4.8, 4.6))
        panel = made.axes[0]
        self.points_, handles = [], []
        for rows, color, label in self._parts():
            points = panel.scatter(
                self.first[rows],
                self.second[rows],
                s=16.0 if len(self.first) <= 300 else 6.0,
                c=color,
                alpha=alpha_for(len(self.first), full=100),
                linewidths=0,
                zorder=2.0,
                rasterized=len(self.first) > 5000,
            )
            self.points_.append(points)
            if label:
                handles.append(_dot(color, label))
        both = np.concatenate([self.first, self.second])
        margin = 0.04 * (float(np.ptp(both)) or 1.0)
        limits = float(both.min()) - margin, float(both.max()) + margin
        # Both axes have the units of y: one scale shows which predictions vary more.
        panel.set(xlim=limits, ylim=limits)
        self.identity_ = panel.axline(
            (limits[0], limits[0]),
            slope=1.0,
            color=BLACK,
            linewidth=1.0,
            linestyle=(0, (4, 3)),
            label="equal",
        )
        made.label(f"{self.response}: {self.names[0]}", f"{self.response}: {self.names[1]}")
        self.legend_ = made.legend([*handles, self.identity_])
        self.ax_, self.figure_ = made.ax, made.figure
        return self

    def _parts(self) -> list[tuple[NDArray[np.bool_], str, str]]:
        """Return rows, colour and label of what is drawn."""
        if self.second_nearer is None or self.rmse is None:
            return [(np.ones(len(self.first), dtype=bool), GREY, "")]
        parts = [(~self.second_nearer, VERMILLION, 0), (self.second_nearer, BLUE, 1)]
        return [
            (
                rows,
                color,
                f"{self.names[i]} nearer ({int(rows.sum()):,}), RMSE {self.rmse[i]:.4g}",
            )
            for rows, color, i in parts
        ]


def _dot(color: str, label: str) -> Any:
    """Return a point for a legend."""
    plt = require_pyplot("A legend")
    return plt.Line2D([], [], color=color, marker="o", markersize=5, linestyle="none", label=label)
