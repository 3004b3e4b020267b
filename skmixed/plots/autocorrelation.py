"""Bars of the autocorrelation of residuals beside that of the residual structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.autocorrelation import autocorrelation_of_rows
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.display import Display, check_choice
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.colours import BLACK, BLUE, DASHED, VERMILLION
from skmixed.plots.style.text import describe, integer_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AutocorrelationDisplay"]

TITLES = {"pearson": "Pearson residuals", "normalised": "Normalised residuals"}


@fill_docstrings
class AutocorrelationDisplay(Display):
    """Show how residuals of one group are correlated, by how many steps they are apart.

    Pearson residuals are those that the residual structure is about, and normalised residuals are
    what it leaves: their bars should stay within the limits. Both should follow the line of what
    the model expects of its residuals. Make one with `from_estimator` or `from_results`.

    Parameters
    ----------
    autocorrelations : mapping of str to DataFrame
        By the kind of residuals, ``"pearson"`` or ``"normalised"``: the columns lag,
        autocorrelation, limit and expected of ``skmixed.inference.autocorrelation``.
    level : float, default=0.95
        Of the limits.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of Axes
    figure_ : matplotlib Figure
    artists_ : dict of str to dict
        What was drawn, by the kind of residuals: bars, limits and expected.
    legend_ : Legend

    Raises
    ------
    ValueError
        If a table has not these columns, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.plots import AutocorrelationDisplay
    >>> results = mixedlm(
    ...     "Reaction ~ Days + (1 | Subject)", load_sleepstudy(), residual="ar1(Days | Subject)"
    ... )
    >>> display = AutocorrelationDisplay.from_results(results, max_lag=3)
    >>> sorted(display.artists_)
    ['normalised', 'pearson']
    """

    def __init__(
        self, *, autocorrelations: Mapping[str, pd.DataFrame], level: float = 0.95
    ) -> None:
        self.autocorrelations = dict(autocorrelations)
        self.level = check_level(level)
        for name, table in self.autocorrelations.items():
            check_choice("the kind of residuals", name, list(TITLES))
            absent = {"lag", "autocorrelation", "limit", "expected"} - set(table)
            if absent:
                raise ValueError(
                    f"The table of {name} residuals lacks the columns {sorted(absent)}. Give what "
                    "skmixed.inference.autocorrelation returns."
                )

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
        kind: str = "overview",
        factor: Any = None,
        time: Any = None,
        max_lag: int | None = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> AutocorrelationDisplay:
        """Draw the autocorrelation in the rows that an estimator was fitted to.

        Parameters
        ----------
        {weighted_estimator}
        kind, factor, time, max_lag, level, ax
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
            kind=kind,
            factor=factor,
            time=time,
            max_lag=max_lag,
            level=level,
            ax=ax,
        )

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        kind: str = "overview",
        factor: Any = None,
        time: Any = None,
        max_lag: int | None = None,
        level: float = 0.95,
        ax: Any = None,
    ) -> AutocorrelationDisplay:
        """Draw the autocorrelation in a model that keeps its rows.

        Parameters
        ----------
        {results}
        kind : {"overview", "pearson", "normalised"}
        factor, time, max_lag, level
            As for ``skmixed.inference.autocorrelation``.
        ax : matplotlib Axes, or array of Axes, optional
            The place of one Axes is divided where there are several panels.

        Raises
        ------
        {no_rows}
        ValueError
            If there is no such kind, groups or times are not clear, or two rows of a group have the
            same time.
        """
        rows = training_rows(results)
        options = {"factor": factor, "time": time, "max_lag": max_lag, "level": level}
        # Without a residual structure, both kinds are the same.
        kinds = ["pearson"] if rows.error_covariance.at is None else list(TITLES)
        tables = {one: autocorrelation_of_rows(rows, kind=one, **options) for one in kinds}
        return cls(autocorrelations=tables, level=level).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "overview") -> AutocorrelationDisplay:
        """Draw one kind of residuals, or all.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, optional
        kind : {"overview", "pearson", "normalised"}

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no such kind, or ax does not fit.
        """
        check_choice("kind", kind, ["overview", *self.autocorrelations])
        shown = list(self.autocorrelations) if kind == "overview" else [kind]
        made = self._panels(ax, len(shown), size=(4.4, 3.4))
        self.artists_ = {
            name: self._draw(panel, name) for panel, name in zip(made.axes, shown, strict=True)
        }
        made.label("Lag", "Autocorrelation")
        first = self.artists_[shown[0]]
        self.legend_ = made.legend([first["bars"], first["expected"], first["limits"][0]])
        return self

    def _draw(self, ax: Axes, name: str) -> dict[str, Any]:
        """Draw the lags of one kind from 1 on."""
        describe(ax, title=TITLES[name])
        table = self.autocorrelations[name]
        table = table[table["lag"] > 0]
        lag = table["lag"].to_numpy(dtype=float)
        ax.axhline(0.0, color=BLACK, linewidth=0.8, zorder=1.0)
        width = max(1.2, min(5.0, 100.0 / max(len(lag), 1)))
        bars = ax.vlines(
            lag, 0.0, table["autocorrelation"], BLUE, linewidth=width, zorder=2.0, label="residuals"
        )
        style: dict[str, Any] = {"color": BLACK, "linewidth": 1.0, "linestyle": DASHED}
        label = f"{100 * self.level:g}% limits"
        limits = [
            *ax.plot(lag, table["limit"], **style, zorder=1.5, label=label),
            *ax.plot(lag, -table["limit"], **style, zorder=1.5),
        ]
        style = {"color": VERMILLION, "linewidth": 1.2, "marker": "o", "markersize": 4.0}
        (expected,) = ax.plot(lag, table["expected"], **style, zorder=3.0, label="expected")
        ax.margins(x=0.06)
        integer_ticks(ax, "x", lag)
        return {"bars": bars, "limits": limits, "expected": expected}
