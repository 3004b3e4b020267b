"""The semivariogram of residuals beside that of the residual structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows
from skmixed.inference.diagnostics.variogram import semivariogram_of_rows
from skmixed.plots.display import Display, check_choice, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.colours import BLACK, BLUE, DASHED, VERMILLION
from skmixed.plots.style.legends import dot_entry
from skmixed.plots.style.text import describe
from skmixed.residual.learning import correlation_of

__all__ = ["SemivariogramDisplay"]

NAMES = {"pearson": "Pearson residuals", "normalised": "Normalised residuals"}
# Areas of points in square points.
SMALLEST, LARGEST = 8.0, 60.0
DOTTED = (0, (1, 1.2))


@fill_docstrings
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
        self.distance = number_array(distance)
        self.semivariance = number_array(semivariance)
        self.n_pairs = number_array(n_pairs)
        self.expected = number_array(expected)
        self.fitted = number_array(fitted)
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
        {weighted_estimator}
        residual_kind, factor, time, max_distance, n_bins, ax
            As for ``from_results``.

        Raises
        ------
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or as for ``from_results``.
        """
        given = {"groups": groups, "sample_weight": sample_weight, "group_weight": group_weight}
        return cls.from_results(
            fitted_to(estimator, X, y, **given),
            residual_kind=residual_kind,
            factor=factor,
            time=time,
            max_distance=max_distance,
            n_bins=n_bins,
            ax=ax,
        )

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
        {results}
        residual_kind : {"pearson", "normalised"}, default="pearson"
        factor, time, max_distance, n_bins
            As for ``skmixed.inference.semivariogram``.
        ax : matplotlib Axes, optional

        Raises
        ------
        {no_rows}
        ValueError
            If groups or times are not clear, there is no such kind or no pair of rows.
        """
        rows = training_rows(results)
        options = {"factor": factor, "time": time, "max_distance": max_distance, "n_bins": n_bins}
        table = semivariogram_of_rows(rows, kind=residual_kind, **options)
        structure = rows.error_covariance.at is not None and residual_kind == "pearson"
        return cls(
            distance=table["distance"],
            semivariance=table["semivariance"],
            n_pairs=table["n_pairs"],
            expected=table["expected"],
            fitted=table["fitted"] if structure else None,
            residual_kind=residual_kind,
            unit=_unit(rows, time),
        ).plot(ax)

    def plot(self, ax: Any = None) -> SemivariogramDisplay:
        """Draw the points, and the lines of the model.

        {one_panel}
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title=NAMES[self.residual_kind], x=self.unit, y="Semivariance")
        # Residuals that know nothing of each other.
        panel.axhline(1.0, color=BLACK, linewidth=1.0, linestyle=DASHED, zorder=1.0)
        size: Any = 24.0
        if self.n_pairs is not None and len(self.n_pairs):
            size = np.maximum(LARGEST * self.n_pairs / self.n_pairs.max(), SMALLEST)
        self.points_ = panel.scatter(
            self.distance, self.semivariance, s=size, color=BLUE, linewidths=0, zorder=3.0
        )
        self.expected_ = self._draw_line(panel, self.expected, "expected", "solid")
        self.fitted_ = self._draw_line(panel, self.fitted, "residual structure", DOTTED)
        lines = [line for line in (self.expected_, self.fitted_) if line is not None]
        self.legend_ = made.legend([dot_entry(BLUE, "pairs of rows"), *lines]) if lines else None
        panel.set_ylim(bottom=0.0, top=max(1.1, panel.get_ylim()[1]))
        panel.set_xlim(left=0.0)
        return self

    def _draw_line(self, ax: Any, y: Any, label: str, linestyle: Any) -> Any:
        """Draw one line of the model; None where it is not known."""
        if y is None:
            return None
        style = {"color": VERMILLION, "linewidth": 1.6, "linestyle": linestyle, "zorder": 2.0}
        (line,) = ax.plot(self.distance, y, label=label, **style)
        return line


def _unit(rows: TrainingRows, time: Any) -> str:
    """Name what the distances are of."""
    if isinstance(time, str):
        return f"Distance in {time}"
    if time is not None or rows.fit.residual is None:
        return "Distance in time" if time is not None else "Distance in rows"
    correlation = correlation_of(rows.fit.residual.learned.structure)
    names = () if correlation is None else correlation.axis_columns
    return "Distance in " + (", ".join(map(str, names)) or "rows")
