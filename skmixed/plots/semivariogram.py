"""The semivariogram of residuals beside that of the residual structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.arrays.semivariogram import NAMES, semivariogram_arrays
from skmixed.plots.display import Display, check_choice
from skmixed.plots.drawing.semivariogram import draw_semivariogram
from skmixed.plots.reading.pipelines import model_and_columns
from skmixed.plots.style.text import describe

__all__ = ["SemivariogramDisplay"]


class SemivariogramDisplay(Display):
    """Show how much residuals of one group differ, by how far they are apart in time or space.

    The points should follow the line of what the model expects of its residuals, which is that of
    the residual structure where there are no random effects. Points that start well above 0 mean
    that even neighbours differ, as measurement errors make them. Make one with `from_estimator` or
    `from_results`.

    Parameters
    ----------
    distance : array-like of shape (n_intervals,)
    semivariance : array-like of shape (n_intervals,)
        Half the mean squared difference of residuals of unit variance.
    n_pairs : array-like of shape (n_intervals,), optional
        Of how many pairs of rows it is the mean; the sizes of the points.
    expected : array-like of shape (n_intervals,), optional
        What the model expects of its residuals.
    fitted : array-like of shape (n_intervals,), optional
        That of the errors in the residual structure.
    residual_kind : {"pearson", "normalised"}, default="pearson"
    unit : str, default="Distance"
        What the distance is of.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : PathCollection
    expected_, fitted_ : Line2D or None
    legend_ : Legend or None

    Raises
    ------
    ValueError
        If shapes disagree, or there is no such kind of residuals.

    Examples
    --------
    >>> from skmixed.plots import SemivariogramDisplay
    >>> display = SemivariogramDisplay(distance=[1.0, 2.0], semivariance=[0.3, 0.6])
    >>> display.plot().legend_ is None
    True
    """

    points_: Any
    expected_: Any
    fitted_: Any
    legend_: Any

    def __init__(
        self,
        *,
        distance: ArrayLike,
        semivariance: ArrayLike,
        n_pairs: ArrayLike | None = None,
        expected: ArrayLike | None = None,
        fitted: ArrayLike | None = None,
        residual_kind: str = "pearson",
        unit: str = "Distance",
    ) -> None:
        self.distance = np.asarray(distance, dtype=float)
        self.semivariance = np.asarray(semivariance, dtype=float)
        self.n_pairs = None if n_pairs is None else np.asarray(n_pairs, dtype=float)
        self.expected = None if expected is None else np.asarray(expected, dtype=float)
        self.fitted = None if fitted is None else np.asarray(fitted, dtype=float)
        self.residual_kind = residual_kind
        self.unit = unit
        check_choice("residual_kind", residual_kind, list(NAMES))
        names = ("semivariance", "n_pairs", "expected", "fitted")
        self._check_shape(self.distance.shape, names, "of the distances")

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
        residual_kind: str = "pearson",
        factor: Any = None,
        time: Any = None,
        max_distance: float | None = None,
        n_bins: int = 20,
        ax: Any = None,
    ) -> SemivariogramDisplay:
        """Draw the semivariogram in the rows that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight, group_weight
            As given to its fit.
        residual_kind, factor, time, max_distance, n_bins, ax
            As for ``from_results``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the rows are not those of the fit, or as for ``from_results``.
        """
        model, columns = model_and_columns(estimator, X)
        weights = {"sample_weight": sample_weight, "group_weight": group_weight}
        rows = training_rows(model, columns, y, groups=groups, **weights)
        arrays = semivariogram_arrays(
            rows,
            residual_kind=residual_kind,
            factor=factor,
            time=time,
            max_distance=max_distance,
            n_bins=n_bins,
        )
        return cls(**arrays).plot(ax)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        residual_kind: str = "pearson",
        factor: Any = None,
        time: Any = None,
        max_distance: float | None = None,
        n_bins: int = 20,
        ax: Any = None,
    ) -> SemivariogramDisplay:
        """Draw the semivariogram in a model that keeps its rows.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        residual_kind : {"pearson", "normalised"}, default="pearson"
        factor, time, max_distance, n_bins
            As for ``skmixed.inference.semivariogram``.
        ax : matplotlib Axes, optional

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If groups or times are not clear, there is no such kind or no pair of rows.
        """
        arrays = semivariogram_arrays(
            training_rows(results),
            residual_kind=residual_kind,
            factor=factor,
            time=time,
            max_distance=max_distance,
            n_bins=n_bins,
        )
        return cls(**arrays).plot(ax)

    def plot(self, ax: Any = None) -> SemivariogramDisplay:
        """Draw the points, and the lines of the model.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ax holds several Axes.
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title=NAMES[self.residual_kind], x=self.unit, y="Semivariance")
        draw_semivariogram(self, made)
        return self
