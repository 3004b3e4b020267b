"""The predictions of a mixed model against those of least squares without groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.display import Display, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.least_squares import pooled_values
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.plots.style.colours import BLACK, BLUE, DASHED, GREY, VERMILLION, alpha_for
from skmixed.plots.style.legends import dot_entry
from skmixed.results import MixedLMResults

__all__ = ["PredictionComparisonDisplay"]


@fill_docstrings
class PredictionComparisonDisplay(Display):
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

    def __init__(
        self,
        *,
        first: ArrayLike,
        second: ArrayLike,
        observed: ArrayLike | None = None,
        names: tuple[str, str] = ("pooled least squares", "mixed model"),
        response: str = "y",
    ) -> None:
        self.first = number_array(first)
        self.second = number_array(second)
        self.observed = number_array(observed)
        self.names = names
        self.response = response
        self._check_shape(self.first.shape, ("second", "observed"), "of first")
        self.second_nearer: NDArray[np.bool_] | None = None
        self.rmse: tuple[float, float] | None = None
        if self.observed is not None:
            errors = [np.abs(one - self.observed) for one in (self.first, self.second)]
            self.second_nearer = errors[1] < errors[0]
            root = [float(np.sqrt(np.mean(error**2))) for error in errors]
            self.rmse = (root[0], root[1])

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, groups: Any = None, ax: Any = None
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
        {not_fitted}
        """
        source = read_estimator(estimator, X, y, groups=groups, complete=False)
        return cls(
            first=pooled_values(source, source.table),
            second=source.predict(source.table, include=True),
            observed=source.response,
            response=source.response_name,
        ).plot(ax)

    @classmethod
    def from_results(
        cls, results: MixedLMResults, *, ax: Any = None
    ) -> PredictionComparisonDisplay:
        """Draw the predictions of results that keep their rows against pooled least squares.

        Parameters
        ----------
        {results}
        ax : matplotlib Axes, optional
        """
        return cls.from_estimator(*model_and_rows(results), ax=ax)

    def plot(self, ax: Any = None) -> PredictionComparisonDisplay:
        """Draw the second predictions against the first.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Raises
        ------
        {no_matplotlib}
        """
        made = self._panels(ax, single=(4.8, 4.6))
        (panel,) = made.axes
        parts = self._parts()
        self.points_ = [self._draw_points(panel, rows, color) for rows, color, _ in parts]
        both = np.concatenate([self.first, self.second])
        margin = 0.04 * (float(np.ptp(both)) or 1.0)
        limits = float(both.min()) - margin, float(both.max()) + margin
        # Both axes have the units of y: one scale shows which predictions vary more.
        panel.set(xlim=limits, ylim=limits)
        style = {"color": BLACK, "linewidth": 1.0, "linestyle": DASHED, "label": "equal"}
        self.identity_ = panel.axline((limits[0], limits[0]), slope=1.0, **style)
        made.label(*(f"{self.response}: {name}" for name in self.names))
        entries = [dot_entry(color, label) for _, color, label in parts if label]
        self.legend_ = made.legend([*entries, self.identity_])
        return self

    def _draw_points(self, panel: Any, rows: Any, color: str) -> Any:
        """Draw some of the rows."""
        n = len(self.first)
        return panel.scatter(
            self.first[rows],
            self.second[rows],
            s=16.0 if n <= 300 else 6.0,
            c=color,
            alpha=alpha_for(n, full=100),
            linewidths=0,
            zorder=2.0,
            rasterized=n > 5000,
        )

    def _parts(self) -> list[tuple[Any, str, str]]:
        """Return rows, colour and label of what is drawn."""
        if self.second_nearer is None or self.rmse is None:
            return [(slice(None), GREY, "")]
        nearer = (~self.second_nearer, self.second_nearer)
        labels = [
            f"{name} nearer ({int(rows.sum()):,}), RMSE {rmse:.4g}"
            for name, rows, rmse in zip(self.names, nearer, self.rmse, strict=True)
        ]
        return list(zip(nearer, (VERMILLION, BLUE), labels, strict=True))
