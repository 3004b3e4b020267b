"""Heat maps of the covariance of y that a model implies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.arrays.marginal_covariance import Rows, marginal_covariance_arrays
from skmixed.plots.display import Display
from skmixed.plots.drawing.marginal_covariance import draw_heat_map
from skmixed.plots.reading.labels import label_array
from skmixed.plots.reading.pipelines import model_and_columns
from skmixed.plots.style.text import describe, short_label

__all__ = ["MarginalCovarianceDisplay"]

FloatArray = NDArray[np.float64]


class MarginalCovarianceDisplay(Display):
    """Show the covariance, or the correlation, of y that a model implies for some rows.

    Rows of one group are correlated, which makes blocks; lines mark where the group changes.
    Make one with `from_estimator` or `from_results`, or from the matrix that an estimator's
    ``marginal_covariance`` gives for new rows.

    Parameters
    ----------
    covariance : array-like of shape (n, n)
        In squared units of y.
    groups : array-like of shape (n,), optional
        Labels of the rows.
    factor : str, default="group"
        What the labels are called.
    correlation : bool, default=False
        Whether to show correlations.

    Attributes
    ----------
    correlations : ndarray of shape (n, n)
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    image_ : AxesImage
    colorbar_ : Colorbar
    boundaries_ : LineCollection or None
        None where groups change too often to be marked.

    Raises
    ------
    ValueError
        If shapes disagree.

    Examples
    --------
    >>> from skmixed.plots import MarginalCovarianceDisplay
    >>> display = MarginalCovarianceDisplay(covariance=[[4.0, 1.0], [1.0, 1.0]])
    >>> display.correlations
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    image_: Any
    colorbar_: Any
    boundaries_: Any

    def __init__(
        self,
        *,
        covariance: ArrayLike,
        groups: ArrayLike | None = None,
        factor: str = "group",
        correlation: bool = False,
    ) -> None:
        self.covariance = np.asarray(covariance, dtype=float)
        self.groups = None if groups is None else label_array(groups)
        self.factor = factor
        self.correlation = correlation
        self._check()

    @property
    def correlations(self) -> FloatArray:
        """Return the covariance over the standard deviations, NaN where one is 0."""
        deviations = np.sqrt(self.covariance.diagonal())
        unit = np.outer(deviations, deviations)
        return np.divide(self.covariance, unit, np.full_like(unit, np.nan), where=unit > 0.0)

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
        rows: Rows = slice(30),
        factor: str | None = None,
        correlation: bool = False,
        ax: Any = None,
    ) -> MarginalCovarianceDisplay:
        """Draw the covariance of some of the rows that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight, group_weight
            As given to its fit.
        rows, factor, correlation, ax
            As for ``from_results``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the rows are not those of the fit, or there is no such factor.
        """
        model, columns = model_and_columns(estimator, X)
        found = training_rows(
            model,
            columns,
            y,
            groups=groups,
            sample_weight=sample_weight,
            group_weight=group_weight,
        )
        arrays = marginal_covariance_arrays(found, rows, factor)
        return cls(**arrays, correlation=correlation).plot(ax)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        rows: Rows = slice(30),
        factor: str | None = None,
        correlation: bool = False,
        ax: Any = None,
    ) -> MarginalCovarianceDisplay:
        """Draw the covariance of some rows of a model that keeps them.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        rows : slice or array-like, default=slice(30)
            Positions of the rows, or which they are.
        factor : str, optional
            Whose groups are marked: a grouping factor or a column of the data; by default the
            factor that changes least often from row to row.
        correlation : bool, default=False
            Whether to show correlations.
        ax : matplotlib Axes, optional

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If there is no such factor, or no row.
        """
        arrays = marginal_covariance_arrays(training_rows(results), rows, factor)
        return cls(**arrays, correlation=correlation).plot(ax)

    def plot(self, ax: Any = None) -> MarginalCovarianceDisplay:
        """Draw the matrix, its first row at the top.

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
        (panel,) = self._panels(ax, single=(6.2, 4.6)).axes
        what = "Correlation" if self.correlation else "Covariance"
        describe(panel, title=f"Implied {what.lower()} of {len(self.covariance):,} rows")
        artists = draw_heat_map(
            panel,
            self.correlations if self.correlation else self.covariance,
            self.groups,
            largest=1.0 if self.correlation else None,
            name=what,
        )
        panel.set_ylabel(short_label(self.factor) if artists.named else "Row")
        self.image_, self.colorbar_ = artists.image, artists.colorbar
        self.boundaries_ = artists.boundaries
        return self

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        shape = self.covariance.shape
        if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
            raise ValueError(
                f"covariance must be a square matrix of at least one row, got shape {shape}. Give "
                "marginal_covariance of some rows."
            )
        self._check_shape(shape[:1], ["groups"], "of the rows")
