"""What a plot of residuals is made from, read off a fitted model with its rows."""

from __future__ import annotations

from typing import Any

from skmixed.inference.diagnostics.row_diagnostics import KINDS
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.standardised_effects import standardised_effects
from skmixed.plots.display import check_choice
from skmixed.plots.reading.labels import label_array

__all__ = ["NAMES", "UNIT_VARIANCE", "residuals_arrays"]

NAMES = {
    "response": "Residual",
    "conditional": "Residual",
    "marginal": "Marginal residual",
    "pearson": "Pearson residual",
    "normalised": "Normalised residual",
    "standardised": "Standardised residual",
    "marginal_standardised": "Standardised marginal residual",
    "decorrelated": "Decorrelated residual",
}
# Kinds whose variance is 1 under the model.
UNIT_VARIANCE = ("standardised", "marginal_standardised", "decorrelated")
# Kinds that are about the mean of the population.
MARGINAL = ("marginal", "marginal_standardised", "decorrelated")


def residuals_arrays(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: str | None,
    factor: Any = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Return the arguments of a ResidualsDisplay, but for its level.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to.
    kind : str or None
        Of the residuals; None takes normalised ones where there is a residual structure, else
        standardised ones.
    factor : str or array-like of shape (n,), optional
        By which the residuals are grouped; the first grouping factor by default.
    **arguments
        What else ``fit`` was given.

    Raises
    ------
    ValueError
        If there is no such kind or factor, or the rows are not those of the fit.
    """
    if kind is not None:
        check_choice("residual_kind", kind, sorted(NAMES))
    rows = training_rows(fitted, X, y, **arguments)
    if kind is None:
        kind = "standardised" if rows.fit.residual is None else "normalised"
    about = KINDS["marginal" if kind in MARGINAL else "conditional"](rows)
    grouping = None
    if factor is not None:
        grouping = rows.factor(factor)
    elif rows.factors:
        grouping = rows.factors[0]
    return {
        "fitted": rows.design.response - about,
        "residuals": KINDS[kind](rows),
        "residual_kind": kind,
        "groups": None if grouping is None else label_array(grouping.levels.labels)[grouping.codes],
        "factor": "group" if grouping is None else grouping.levels.name,
        "random_effects": standardised_effects(rows.fit),
    }
