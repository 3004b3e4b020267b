"""Heat maps of the covariance of y that a model implies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.plots.display import Display, label_array, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.heat_map import draw_heat_map
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.text import describe, short_label
from skmixed.prediction.predict import within_levels

__all__ = ["MarginalCovarianceDisplay"]

FloatArray = NDArray[np.float64]
Rows = slice | ArrayLike


@fill_docstrings
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

    def __init__(
        self,
        *,
        covariance: ArrayLike,
        groups: ArrayLike | None = None,
        factor: str = "group",
        correlation: bool = False,
    ) -> None:
        self.covariance = number_array(covariance)
        self.groups = None if groups is None else label_array(groups)
        self.factor = factor
        self.correlation = correlation
        shape = self.covariance.shape
        if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
            raise ValueError(
                f"covariance must be a square matrix of at least one row, got shape {shape}. Give "
                "marginal_covariance of some rows."
            )
        self._check_shape(shape[:1], ["groups"], "of the rows")

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
        {weighted_estimator}
        rows, factor, correlation, ax
            As for ``from_results``.

        Raises
        ------
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or there is no such factor.
        """
        given = {"groups": groups, "sample_weight": sample_weight, "group_weight": group_weight}
        fitted = fitted_to(estimator, X, y, **given)
        return cls.from_results(fitted, rows=rows, factor=factor, correlation=correlation, ax=ax)

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
        {results}
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
        {no_rows}
        ValueError
            If there is no such factor, or no row.
        """
        found = training_rows(results)
        n_rows = found.design.n_rows
        kept = np.arange(n_rows)[rows if isinstance(rows, slice) else np.asarray(rows)]
        if not len(kept):
            raise ValueError(f"rows={rows!r} chooses none of the {n_rows} rows. Use slice(30).")
        arrays: dict[str, Any] = {"covariance": _covariance(found, kept)}
        factors = [found.factor(factor)] if factor is not None else found.factors
        if factors:
            steadiest = min(factors, key=lambda one: np.count_nonzero(np.diff(one.codes[kept])))
            arrays["groups"] = label_array(steadiest.levels.labels)[steadiest.codes[kept]]
            arrays["factor"] = steadiest.levels.name
        return cls(**arrays, correlation=correlation).plot(ax)

    def plot(self, ax: Any = None) -> MarginalCovarianceDisplay:
        """Draw the matrix, its first row at the top.

        {one_panel}
        """
        (panel,) = self._panels(ax, single=(6.2, 4.6)).axes
        what = "Correlation" if self.correlation else "Covariance"
        describe(panel, title=f"Implied {what.lower()} of {len(self.covariance):,} rows")
        self.image_, self.colorbar_, self.boundaries_, named = draw_heat_map(
            panel,
            self.correlations if self.correlation else self.covariance,
            self.groups,
            largest=1.0 if self.correlation else None,
            name=what,
        )
        panel.set_ylabel(short_label(self.factor) if named else "Row")
        return self


def _covariance(found: TrainingRows, kept: NDArray[np.intp]) -> FloatArray:
    """Return the covariance of some rows, Z Psi Z' + R over their weights, in units of y."""
    relative = found.error_covariance.blocks(kept[None])[0]
    precision = np.sqrt(found.relative_precision[kept])
    covariance = relative / np.outer(precision, precision)
    for effects, block in zip(found.fit.random, found.design.blocks, strict=True):
        Z = effects.coordinates.transform(block.columns[kept])
        root = effects.standardised_factor.T @ Z
        covariance += within_levels(root, block.factor.codes[kept])
    return np.asarray(found.fit.working_sigma**2 * covariance)
