"""What a plot of residuals is made from, read off a fitted model with its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmixed.inference.diagnostics.family_residuals import FAMILY_KINDS
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.diagnostics.quantile_residuals import uniforms_of_rows
from skmixed.inference.diagnostics.row_diagnostics import KINDS
from skmixed.inference.diagnostics.row_inputs import family_rows, training_rows
from skmixed.inference.diagnostics.standardised_effects import standardised_effects
from skmixed.plots.display import check_choice, label_array

__all__ = ["NAMES", "UNIT_VARIANCE", "residuals_arrays"]

FloatArray = NDArray[np.float64]

NAMES = {
    "response": "Residual",
    "conditional": "Residual",
    "marginal": "Marginal residual",
    "pearson": "Pearson residual",
    "normalised": "Normalised residual",
    "standardised": "Standardised residual",
    "marginal_standardised": "Standardised marginal residual",
    "decorrelated": "Decorrelated residual",
    "deviance": "Deviance residual",
    "working": "Working residual",
    "quantile": "Quantile residual",
}
# Kinds whose variance is 1 under the model.
UNIT_VARIANCE = ("standardised", "marginal_standardised", "decorrelated", "quantile")
# Kinds that are about the mean of the population.
MARGINAL = ("marginal", "marginal_standardised", "decorrelated")


def residuals_arrays(
    fitted: Any, kind: str | None, factor: Any, random_state: Any
) -> dict[str, Any]:
    """Return the arguments of a ResidualsDisplay; the options are those of its from_results."""
    of_family = family_rows(fitted)
    if of_family is None:
        rows: LabelledRows = training_rows(fitted)
        kind, values, residuals = _of_linear(rows, kind)
    else:
        rows = of_family
        kind, values, residuals = _of_family(of_family, kind, random_state)
    arrays = {
        "fitted": values,
        "residuals": residuals,
        "residual_kind": kind,
        "random_effects": standardised_effects(rows.fit),
    }
    if factor is not None or rows.factors:
        grouping = rows.factors[0] if factor is None else rows.factor(factor)
        arrays["groups"] = label_array(grouping.levels.labels)[grouping.codes]
        arrays["factor"] = grouping.levels.name
    return arrays


def _of_linear(rows: Any, kind: str | None) -> tuple[str, FloatArray, FloatArray]:
    """Return the kind, the fitted values and the residuals of a linear model."""
    if kind is None:
        kind = "standardised" if rows.fit.residual is None else "normalised"
    check_choice("residual_kind", kind, sorted(KINDS))
    about = KINDS["marginal" if kind in MARGINAL else "conditional"](rows)
    return kind, rows.design.response - about, KINDS[kind](rows)


def _of_family(
    rows: FamilyRows, kind: str | None, random_state: Any
) -> tuple[str, FloatArray, FloatArray]:
    """Return the kind, the fitted values and the residuals of a generalised model."""
    kind = "quantile" if kind is None else kind
    check_choice("residual_kind", kind, sorted([*FAMILY_KINDS, "quantile"]))
    if kind == "quantile":
        residuals = ndtri(uniforms_of_rows(rows, "posterior", None, random_state))
    else:
        residuals = FAMILY_KINDS[kind](rows)
    about = FAMILY_KINDS["marginal" if kind in MARGINAL else "conditional"](rows)
    return kind, rows.response - about, residuals
