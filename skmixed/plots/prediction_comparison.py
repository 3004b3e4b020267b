"""The predictions of a mixed model against those of least squares without groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.plots.arrays.prediction_comparison import prediction_comparison_arrays
from skmixed.plots.display import Display
from skmixed.plots.drawing.prediction_comparison import draw_predictions
from skmixed.plots.reading.sources import model_and_rows, read_estimator
from skmixed.results import MixedLMResults

__all__ = ["PredictionComparisonDisplay"]


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
        return cls(**prediction_comparison_arrays(source)).plot(ax)

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
        return cls.from_estimator(*model_and_rows(results), ax=ax)

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
        draw_predictions(self, self._panels(ax, single=(4.8, 4.6)))
        return self
