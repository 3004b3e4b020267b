"""New rows given what was observed of their groups: ordinary rows with other columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows, ObservedRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.new_columns import NewColumns, standardised_columns
from skmixed.prediction.residuals import new_residuals

__all__ = ["new_columns"]

FloatArray = NDArray[np.float64]


def new_columns(fit: LMMFit, rows: NewRows) -> NewColumns:
    """Return the columns of rows, less what the observed rows of their groups stand for.

    The residual of a new row is C e_o + f, with C = R_no R_oo^-1 and a rest f that is independent
    of all that was observed. From e_o = y_o - X_o beta - Z_o b follows

        y_n = C y_o + (X_n - C X_o) beta + (Z_n - C Z_o) b + f:

    an ordinary row with other columns, a known part and a smaller residual.
    """
    plain = standardised_columns(fit, rows)
    if rows.related is None or rows.related.observed is None:
        return plain
    observed = rows.related.observed
    residuals = new_residuals(fit, rows)
    before = standardised_columns(fit, observed.rows)
    known = residuals.carried(_beside_offset(observed)[None])[0]
    return NewColumns(
        plain.X - residuals.carried(before.X),
        tuple(Z - residuals.carried(old) for Z, old in zip(plain.Z, before.Z, strict=True)),
        plain.codes,
        known if plain.offset is None else plain.offset + known,
    )


def _beside_offset(observed: ObservedRows) -> FloatArray:
    """Return the response of observed rows without the known part of their means."""
    offset = observed.rows.offset
    return observed.response if offset is None else observed.response - offset
