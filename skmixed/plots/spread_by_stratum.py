"""The spread of residuals in strata of the rows beside the fitted standard deviations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.arrays.spread_by_stratum import spread_arrays
from skmixed.plots.display import Display
from skmixed.plots.drawing.spread_by_stratum import draw_spread
from skmixed.plots.reading.labels import label_array
from skmixed.plots.reading.pipelines import model_and_columns

__all__ = ["SpreadByStratumDisplay"]


class SpreadByStratumDisplay(Display):
    """Show the standard deviation of the residuals in each stratum, and the fitted one.

    The fitted ones should lie within the limits. Where the model has one variance for all rows,
    they form a level line, and points that leave it ask for variances of their own: see
    ``skmixed.residual.Heterogeneous`` and ``VariancePower``. Make one with `from_estimator` or
    `from_results`.

    Parameters
    ----------
    strata : array-like of shape (n_strata,)
        Labels.
    observed : array-like of shape (n_strata,)
        Standard deviations of the residuals.
    limits : array-like of shape (n_strata, 2), optional
    fitted : array-like of shape (n_strata,), optional
        Standard deviations of the errors in the model.
    by : str, default="stratum"
        What the strata are called.
    level : float, default=0.95
        Of the limits.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    observed_ : ErrorbarContainer
    fitted_ : LineCollection or None
    legend_ : Legend or None

    Raises
    ------
    ValueError
        If shapes disagree, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import SpreadByStratumDisplay
    >>> display = SpreadByStratumDisplay(strata=["a", "b"], observed=[1.0, 2.0], fitted=[1.1, 1.9])
    >>> len(display.plot().fitted_.get_segments())
    2
    """

    observed_: Any
    fitted_: Any
    legend_: Any

    def __init__(
        self,
        *,
        strata: ArrayLike,
        observed: ArrayLike,
        limits: ArrayLike | None = None,
        fitted: ArrayLike | None = None,
        by: str = "stratum",
        level: float = 0.95,
    ) -> None:
        self.strata = label_array(strata)
        self.observed = np.asarray(observed, dtype=float)
        self.limits = None if limits is None else np.asarray(limits, dtype=float)
        self.fitted = None if fitted is None else np.asarray(fitted, dtype=float)
        self.by = by
        self.level = check_level(level)
        self._check_shape(self.strata.shape, ("observed", "fitted"), "of the strata")
        self._check_shape((*self.strata.shape, 2), ("limits",), "of the strata")

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
        by: Any = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> SpreadByStratumDisplay:
        """Draw the spread in the rows that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight, group_weight
            As given to its fit.
        by, level, ax
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
        return cls(**spread_arrays(rows, by=by, level=level)).plot(ax)

    @classmethod
    def from_results(
        cls, results: Any, *, by: Any = None, level: float = 0.95, ax: Any = None
    ) -> SpreadByStratumDisplay:
        """Draw the spread in a model that keeps its rows.

        Parameters
        ----------
        results : MixedLMResults
            Of ``mixedlm``.
        by : str or array-like of shape (n,), optional
            A column of the data, or values; numbers are cut into intervals where there are many.
            By default what the residual variances of the model depend on.
        level : float, default=0.95
        ax : matplotlib Axes, optional

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If the rows have no strata, or ``by`` is no column.
        """
        return cls(**spread_arrays(training_rows(results), by=by, level=level)).plot(ax)

    def plot(self, ax: Any = None) -> SpreadByStratumDisplay:
        """Draw the strata side by side.

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
        draw_spread(self, self._panels(ax))
        return self
