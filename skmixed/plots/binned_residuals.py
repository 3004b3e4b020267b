"""Means of the residuals of a generalised model over bins of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.display import Display, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.colours import BLUE, DASHED, GREY, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry
from skmixed.plots.style.text import describe, short_label

__all__ = ["BinnedResidualsDisplay", "equal_bins"]


@fill_docstrings
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
        self.at = number_array(at)
        self.residuals = number_array(residuals)
        self.standard_errors = number_array(standard_errors)
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
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or the model is a linear one.
        """
        rows = fitted_to(estimator, X, y, groups=groups, sample_weight=sample_weight)
        return cls.from_results(rows, by=by, n_bins=n_bins, level=level, ax=ax)

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
        {no_rows}
        ValueError
            If the model is a linear one, or ``by`` is no column.
        """
        rows = required_family_rows(results, None, None, {}, "Binned residuals")
        fitted, counts = rows.mean, rows.copies
        at = fitted if by is None else np.asarray(rows.column(by, "by"), dtype=float)
        variances = rows.fit.family.variance(rows.eta, rows.extra) / rows.weights
        bins = equal_bins(at, n_bins)
        total = np.bincount(bins, counts)
        return cls(
            at=np.bincount(bins, counts * at) / total,
            residuals=np.bincount(bins, counts * (rows.response - fitted)) / total,
            standard_errors=np.sqrt(np.bincount(bins, counts**2 * variances)) / total,
            counts=np.bincount(bins),
            by="Fitted value" if by is None else by if isinstance(by, str) else "Value",
            level=level,
        ).plot(ax)

    def plot(self, ax: Any = None) -> BinnedResidualsDisplay:
        """Draw the means with their limits.

        {one_panel}
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title="Binned residuals", x=short_label(self.by), y="Mean residual")
        panel.axhline(0.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=1.0)
        self.limits_ = [
            panel.plot(self.at, sign * self._reach(), color=GREY, linewidth=1.2, zorder=1.5)[0]
            for sign in (-1.0, 1.0)
        ]
        outside = self.outside()
        colours = np.where(outside, VERMILLION, BLUE).tolist()
        self.points_ = panel.scatter(
            self.at, self.residuals, s=22.0, c=colours, linewidths=0, zorder=3.0
        )
        entries = [dot_entry(BLUE, "mean of a bin")]
        if outside.any():
            entries.append(dot_entry(VERMILLION, "outside the limits"))
        made.legend([*entries, line_entry(GREY, f"{100 * self.level:g}% limits")])
        return self

    def outside(self) -> NDArray[np.bool_]:
        """Tell which means are outside the limits."""
        return np.asarray(np.abs(self.residuals) > self._reach())

    def _reach(self) -> NDArray[np.float64]:
        """Return how far the limits are from 0."""
        return np.asarray(norm.isf(0.5 * (1.0 - self.level)) * self.standard_errors)


def equal_bins(values: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
    """Return the bin of each value, of as many each; equal values share one."""
    edges = np.unique(np.quantile(values, np.arange(1, n_bins) / n_bins))
    found = np.searchsorted(edges, values, side="right")
    return np.unique(found, return_inverse=True)[1]
