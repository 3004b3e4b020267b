"""Means of the residuals of a generalised model over bins of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.arrays.binned_residuals import binned_residuals_arrays
from skmixed.plots.display import Display
from skmixed.plots.drawing.binned_residuals import draw_binned_residuals
from skmixed.plots.reading.pipelines import model_and_columns

__all__ = ["BinnedResidualsDisplay"]


class BinnedResidualsDisplay(Display):
    """Show the mean residual of rows with about the same fitted value, or the same covariate.

    Single residuals of a yes-or-no response lie on two lines and say nothing; their means should be
    0 within the limits (Gelman and Hill 2007, section 5.6). Means that leave them together ask for
    a curve or an interaction. Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    at : array-like of shape (n_bins,)
        The mean fitted value, or covariate, of each bin.
    residuals : array-like of shape (n_bins,)
        Means of the response minus its mean at the conditional modes.
    standard_errors : array-like of shape (n_bins,)
        Of these means, under the model.
    counts : array-like of shape (n_bins,), optional
        Numbers of rows.
    by : str, default="Fitted value"
        What ``at`` is called.
    level : float, default=0.95
        Of the limits.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : PathCollection
    limits_ : list of Line2D

    Raises
    ------
    ValueError
        If shapes disagree, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import BinnedResidualsDisplay
    >>> display = BinnedResidualsDisplay(
    ...     at=[0.2, 0.8], residuals=[0.01, -0.2], standard_errors=[0.05, 0.05]
    ... )
    >>> display.outside()
    array([False,  True])
    """

    points_: Any
    limits_: Any

    def __init__(
        self,
        *,
        at: ArrayLike,
        residuals: ArrayLike,
        standard_errors: ArrayLike,
        counts: ArrayLike | None = None,
        by: str = "Fitted value",
        level: float = 0.95,
    ) -> None:
        self.at = np.asarray(at, dtype=float)
        self.residuals = np.asarray(residuals, dtype=float)
        self.standard_errors = np.asarray(standard_errors, dtype=float)
        self.counts = None if counts is None else np.asarray(counts)
        self.by = by
        self.level = check_level(level)
        self._check_shape(self.at.shape, ("residuals", "standard_errors", "counts"), "of at")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        by: Any = None,
        n_bins: int = 30,
        level: float = 0.95,
        ax: Any = None,
    ) -> BinnedResidualsDisplay:
        """Draw the residuals of the rows that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight
            As given to its fit.
        by, n_bins, level, ax
            As for ``from_results``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the rows are not those of the fit, or the model is a linear one.
        """
        model, columns = model_and_columns(estimator, X)
        given = {"groups": groups, "sample_weight": sample_weight}
        rows = required_family_rows(model, columns, y, given, "Binned residuals")
        return cls(**binned_residuals_arrays(rows, by=by, n_bins=n_bins), level=level).plot(ax)

    @classmethod
    def from_results(
        cls, results: Any, *, by: Any = None, n_bins: int = 30, level: float = 0.95, ax: Any = None
    ) -> BinnedResidualsDisplay:
        """Draw the residuals of a generalised model that keeps its rows.

        Parameters
        ----------
        results : MixedGLMResults
            Of ``mixedglm``.
        by : str or array-like of shape (n,), optional
            A column of numbers, or numbers; by default the fitted values.
        n_bins : int, default=30
            With as many rows each.
        level : float, default=0.95
            Of the limits.
        ax : matplotlib Axes, optional

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If the model is a linear one, or ``by`` is no column.
        """
        rows = required_family_rows(results, None, None, {}, "Binned residuals")
        return cls(**binned_residuals_arrays(rows, by=by, n_bins=n_bins), level=level).plot(ax)

    def plot(self, ax: Any = None) -> BinnedResidualsDisplay:
        """Draw the means with their limits.

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
        draw_binned_residuals(self, self._panels(ax))
        return self

    def outside(self) -> NDArray[np.bool_]:
        """Tell which means are outside the limits."""
        reach = norm.isf(0.5 * (1.0 - self.level)) * self.standard_errors
        return np.asarray(np.abs(self.residuals) > reach)
