"""The spread of residuals in strata of the rows beside the fitted standard deviations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.residual_spread import residual_spread_of_rows
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.display import Display, label_array, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.colours import BLUE, VERMILLION
from skmixed.plots.style.legends import dot_entry, line_entry
from skmixed.plots.style.text import LETTER, describe, short_label, size_in_points, text_scale

__all__ = ["SpreadByStratumDisplay"]

# Half the width of a mark, in places of strata.
HALF = 0.25
TEXT = 9.0


@fill_docstrings
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
        self.observed = number_array(observed)
        self.limits = number_array(limits)
        self.fitted = number_array(fitted)
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
        {weighted_estimator}
        by, level, ax
            As for ``from_results``.

        Raises
        ------
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or as for ``from_results``.
        """
        given = {"groups": groups, "sample_weight": sample_weight, "group_weight": group_weight}
        return cls.from_results(fitted_to(estimator, X, y, **given), by=by, level=level, ax=ax)

    @classmethod
    def from_results(
        cls, results: Any, *, by: Any = None, level: float = 0.95, ax: Any = None
    ) -> SpreadByStratumDisplay:
        """Draw the spread in a model that keeps its rows.

        Parameters
        ----------
        {results}
        by : str or array-like of shape (n,), optional
            A column of the data, or values; numbers are cut into intervals where there are many.
            By default what the residual variances of the model depend on.
        level : float, default=0.95
        ax : matplotlib Axes, optional

        Raises
        ------
        {no_rows}
        ValueError
            If the rows have no strata, or ``by`` is no column.
        """
        table = residual_spread_of_rows(training_rows(results), by=by, level=level)
        return cls(
            strata=table.index,
            observed=table["observed"],
            limits=table[["lower", "upper"]],
            fitted=table["fitted"],
            by=str(table.index.name),
            level=level,
        ).plot(ax)

    def plot(self, ax: Any = None) -> SpreadByStratumDisplay:
        """Draw the strata side by side.

        {one_panel}
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title="Residual spread", x=short_label(self.by), y="Standard deviation")
        places = np.arange(len(self.strata), dtype=float)
        around = None if self.limits is None else np.abs(self.limits.T - self.observed)
        style = {"fmt": "o", "color": BLUE, "markersize": 5.0, "elinewidth": 1.2, "zorder": 2.0}
        self.observed_ = panel.errorbar(places, self.observed, yerr=around, **style)
        label = "observed" if around is None else f"observed, with {100 * self.level:g}% limits"
        entries = [dot_entry(BLUE, label)]
        self.fitted_: Any = None
        if self.fitted is not None:
            style = {"color": VERMILLION, "linewidth": 2.0, "zorder": 3.0}
            self.fitted_ = panel.hlines(self.fitted, places - HALF, places + HALF, **style)
            entries.append(line_entry(VERMILLION, "fitted", linewidth=2.0))
        self._name_strata(panel, places)
        panel.set_ylim(bottom=0.0)
        self.legend_ = made.legend(entries) if len(entries) > 1 else None
        return self

    def _name_strata(self, ax: Any, places: Any) -> None:
        """Write the labels below their places, upended or some of them where there is no room."""
        size = TEXT * text_scale(ax)
        names = [short_label(label, 18) for label in self.strata]
        room = size_in_points(ax)[0] / max(len(names), 1)
        upright = max(map(len, names), default=0) * LETTER * size <= room
        step = 1 if upright else max(1, int(np.ceil(1.5 * size / room)))
        turn = 0.0 if upright else 90.0
        ax.set_xticks(places[::step], names[::step], fontsize=size, rotation=turn)
        ax.set_xlim(-0.6, len(names) - 0.4)
