"""Bars of the autocorrelation of residuals beside that of the residual structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.plots.arrays.autocorrelation import TITLES, autocorrelation_arrays
from skmixed.plots.display import Display, check_choice
from skmixed.plots.drawing.autocorrelation import draw_autocorrelation
from skmixed.plots.reading.pipelines import model_and_columns
from skmixed.plots.style.text import describe

__all__ = ["AutocorrelationDisplay"]


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

    artists_: dict[str, dict[str, Any]]
    legend_: Any

    def __init__(
        self,
        *,
        autocorrelations: Mapping[str, pd.DataFrame],
        level: float = 0.95,
    ) -> None:
        self.autocorrelations = dict(autocorrelations)
        self.level = check_level(level)
        self._check()

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
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight, group_weight
            As given to its fit.
        kind, factor, time, max_lag, level, ax
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
        options = {"factor": factor, "time": time, "max_lag": max_lag, "level": level}
        return cls(**autocorrelation_arrays(rows, **options)).plot(ax, kind=kind)

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
        results : MixedLMResults
            Of ``mixedlm``.
        kind : {"overview", "pearson", "normalised"}
        factor, time, max_lag, level
            As for ``skmixed.inference.autocorrelation``.
        ax : matplotlib Axes, or array of Axes, optional
            The place of one Axes is divided where there are several panels.

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If there is no such kind, groups or times are not clear, or two rows of a group have the
            same time.
        """
        options = {"factor": factor, "time": time, "max_lag": max_lag, "level": level}
        arrays = autocorrelation_arrays(training_rows(results), **options)
        return cls(**arrays).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "overview") -> AutocorrelationDisplay:
        """Draw one kind of residuals, or all.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes, optional
        kind : {"overview", "pearson", "normalised"}

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such kind, or ax does not fit.
        """
        check_choice("kind", kind, ["overview", *self.autocorrelations])
        shown = list(self.autocorrelations) if kind == "overview" else [kind]
        made = self._panels(ax, len(shown), size=(4.4, 3.4))
        self.artists_ = {}
        for panel, name in zip(made.axes, shown, strict=True):
            describe(panel, title=TITLES[name])
            table = self.autocorrelations[name]
            self.artists_[name] = draw_autocorrelation(panel, table, level=self.level)
        made.label("Lag", "Autocorrelation")
        first = self.artists_[shown[0]]
        self.legend_ = made.legend([first["bars"], first["expected"], first["limits"][0]])
        return self

    def _check(self) -> None:
        """Raise ValueError unless the tables have their columns."""
        for name, table in self.autocorrelations.items():
            check_choice("the kind of residuals", name, list(TITLES))
            absent = {"lag", "autocorrelation", "limit", "expected"} - set(table)
            if absent:
                raise ValueError(
                    f"The table of {name} residuals lacks the columns {sorted(absent)}. Give what "
                    "skmixed.inference.autocorrelation returns."
                )
