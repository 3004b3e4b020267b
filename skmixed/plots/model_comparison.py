"""Plots of several models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from skmixed.inference import compare
from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.display import Display, check_choice
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.model_comparison import CRITERIA, draw_coefficients, draw_criteria
from skmixed.plots.style.group_rows import rows_figure_size
from skmixed.plots.style.text import short_label

__all__ = ["ModelComparisonDisplay"]

KINDS = ("criteria", "coefficients")
COEFFICIENT_COLUMNS = ("model", "term", "estimate", "lower", "upper")


@fill_docstrings
class ModelComparisonDisplay(Display):
    """Show several models side by side: their information criteria, or their coefficients.

    Make one with `from_results`.

    Parameters
    ----------
    criteria : DataFrame
        What ``skmixed.inference.compare`` gives: columns model, weight, and any of aic, aicc, bic
        and caic.
    coefficients : DataFrame, optional
        One row for each model and term: model, term, estimate, lower, upper.
    level : float, default=0.95
        Of the limits of the coefficients.

    Attributes
    ----------
    differences : DataFrame
        Criteria of each model, above the lowest of each criterion.
    ax_ : matplotlib Axes, or ndarray of Axes if there are several terms
    figure_ : matplotlib Figure
    points_ : dict of str to PathCollection
        By the name of the criterion, or of the term.
    intervals_ : dict of str to LineCollection
        By the name of the term.

    Raises
    ------
    ValueError
        If a column is missing, or level is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmixed.plots import ModelComparisonDisplay
    >>> table = pd.DataFrame(
    ...     {"model": ["a", "b"], "aic": [10.0, 12.0], "bic": [15.0, 14.0], "weight": [0.73, 0.27]}
    ... )
    >>> ModelComparisonDisplay(criteria=table).differences
           aic  bic
    model
    a      0.0  1.0
    b      2.0  0.0
    """

    def __init__(
        self,
        *,
        criteria: pd.DataFrame,
        coefficients: pd.DataFrame | None = None,
        level: float = 0.95,
    ) -> None:
        self.criteria = criteria.copy()
        self.coefficients = None if coefficients is None else coefficients.copy()
        self.level = check_level(level)
        required = {"criteria": ("model", "weight"), "coefficients": COEFFICIENT_COLUMNS}
        for name, columns in required.items():
            table = getattr(self, name)
            missing = [] if table is None else [one for one in columns if one not in table]
            if missing:
                raise ValueError(
                    f"{name} must have the columns {list(columns)}, and {missing} are missing: got "
                    f"{list(table.columns)}."
                )
        if not any(name in self.criteria for name in CRITERIA):
            raise ValueError(
                f"criteria must have at least one of the columns {list(CRITERIA)}, got "
                f"{list(self.criteria.columns)}."
            )

    @property
    def differences(self) -> pd.DataFrame:
        """Return the criteria above the lowest, models x criteria."""
        shown = [name for name in CRITERIA if name in self.criteria]
        values = self.criteria.set_index("model")[shown]
        return values - values.min()

    @classmethod
    def from_results(
        cls,
        results: Mapping[str, Any] | Sequence[Any],
        *,
        kind: str = "criteria",
        criteria: Sequence[str] = ("aic", "bic"),
        terms: Sequence[str] | None = None,
        refit: str | None = "ml",
        level: float = 0.95,
        ax: Any = None,
    ) -> ModelComparisonDisplay:
        """Compare fitted models and draw them.

        Parameters
        ----------
        results : mapping or sequence of MixedLMResults
            Fitted by ``mixedlm`` to the same rows; the keys of a mapping name them.
        kind : {"criteria", "coefficients"}
        criteria : sequence of str, default=("aic", "bic")
            Among ``"aic"``, ``"aicc"``, ``"bic"`` and ``"caic"``, the conditional AIC.
        terms : sequence of str, optional
            Coefficients to show; all of them by default.
        refit : {None, "ml", "reml"}, default="ml"
            Criterion by which models are fitted again before their criteria are compared. The
            coefficients are those of the models as they are.
        level : float, default=0.95
            Of the limits of the coefficients.
        ax : matplotlib Axes, or array of Axes for several terms, optional
            The place of one Axes is divided.

        Raises
        ------
        ValueError
            If the models have different rows, or there is no such kind, criterion or term.
        """
        check_choice("kind", kind, KINDS)
        _check_known("criteria", criteria, list(CRITERIA))
        table = compare(results, refit=refit, conditional="caic" in criteria, sort_by=None)
        fitted = list(results.values() if isinstance(results, Mapping) else results)
        tidy = [
            one.tidy(level).assign(model=name)
            for name, one in zip(table["model"], fitted, strict=True)
        ]
        coefficients = pd.concat(tidy, ignore_index=True)[list(COEFFICIENT_COLUMNS)]
        if terms is not None:
            _check_known("terms", terms, list(coefficients["term"].unique()))
            coefficients = coefficients[coefficients["term"].isin(list(terms))]
        shown = table.sort_values("delta_aic")[["model", *criteria, "weight"]]
        return cls(criteria=shown, coefficients=coefficients, level=level).plot(ax, kind=kind)

    def plot(self, ax: Any = None, *, kind: str = "criteria") -> ModelComparisonDisplay:
        """Draw one kind.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for several terms, optional
        kind : {"criteria", "coefficients"}
            Differences of criteria with Akaike's weights, or a panel of intervals for each term.

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no such kind, there are no coefficients, or ax does not fit.
        """
        check_choice("kind", kind, KINDS)
        self.points_: dict[str, Any] = {}
        self.intervals_: dict[str, Any] = {}
        if kind == "criteria":
            self._plot_criteria(ax)
        else:
            self._plot_coefficients(ax)
        return self

    def _plot_criteria(self, ax: Any) -> None:
        """Draw how far each model is above the best, with its weight in the margin."""
        width, height = rows_figure_size(list(self.differences.index))
        (panel,) = self._panels(ax, single=(width + 0.8, max(height, 2.4))).axes
        weights = self.criteria.set_index("model")["weight"]
        self.points_ = draw_criteria(panel, self.differences.iloc[::-1], weights.iloc[::-1])

    def _plot_coefficients(self, ax: Any) -> None:
        """Draw the intervals of all models, term by term."""
        if self.coefficients is None:
            raise ValueError(
                'kind="coefficients" needs a table of coefficients, and there is none. Give '
                "coefficients=, or use from_results."
            )
        width, height = rows_figure_size(list(self.coefficients["model"].unique()))
        made = self._panels(
            ax,
            self.coefficients["term"].nunique(),
            size=(max(0.75 * width, 3.0), max(0.7 * height, 1.6)),
            single=(width, height),
            share=False,
        )
        self.intervals_, self.points_ = draw_coefficients(made, self.coefficients)
        made.label(f"Estimate with {100.0 * self.level:g} % interval", "")


def _check_known(argument: str, given: Sequence[str], known: list[str]) -> None:
    """Raise ValueError unless all names are known, and there are some."""
    unknown = [name for name in given if name not in known]
    if unknown or not len(given):
        raise ValueError(
            f"{argument} must be among {[short_label(name) for name in known]}, got "
            f"{unknown or list(given)}."
        )
