"""The columns of new rows in the coordinates of a fit, given what was observed of their groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewRows, ObservedRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.residuals import new_residuals

__all__ = ["NewColumns", "new_columns"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NewColumns:
    """Hold the standardised columns of new rows.

    Attributes
    ----------
    X : ndarray of shape (rank, n)
    Z : tuple of ndarray of shape (n_effects, n)
        One for each block.
    codes : tuple of (ndarray of shape (n,) or None)
        Levels of each block, as in ``NewBlock``.
    offset : ndarray of shape (n,) or None
        A known part of the response, in units of y.
    """

    X: FloatArray
    Z: tuple[FloatArray, ...]
    codes: tuple[NDArray[np.intp] | None, ...]
    offset: FloatArray | None

    def take(self, rows: slice) -> NewColumns:
        """Return some of the rows."""
        return NewColumns(
            self.X[:, rows],
            tuple(Z[:, rows] for Z in self.Z),
            tuple(None if codes is None else codes[rows] for codes in self.codes),
            None if self.offset is None else self.offset[rows],
        )


def new_columns(fit: LMMFit, rows: NewRows) -> NewColumns:
    """Return the columns of rows, less what the observed rows of their groups stand for.

    The residual of a new row is C e_o + f, with C = R_no R_oo^-1 and a rest f that is independent
    of all that was observed. From e_o = y_o - X_o beta - Z_o b follows

        y_n = C y_o + (X_n - C X_o) beta + (Z_n - C Z_o) b + f:

    an ordinary row with other columns, a known part and a smaller residual.

    Parameters
    ----------
    fit : LMMFit
    rows : NewRows
    """
    plain = _standardised(fit, rows)
    if rows.related is None or rows.related.observed is None:
        return plain
    observed = rows.related.observed
    residuals = new_residuals(fit, rows)
    before = _standardised(fit, observed.rows)
    known = residuals.carried(_beside_offset(observed)[None])[0]
    return NewColumns(
        plain.X - residuals.carried(before.X),
        tuple(Z - residuals.carried(old) for Z, old in zip(plain.Z, before.Z, strict=True)),
        plain.codes,
        known if plain.offset is None else plain.offset + known,
    )


def _standardised(fit: LMMFit, rows: NewRows) -> NewColumns:
    """Return the columns of rows in the coordinates of a fit."""
    coordinates = fit.coordinates
    return NewColumns(
        coordinates.fixed.transform(rows.fixed),
        tuple(
            effects.coordinates.transform(block.columns)
            for effects, block in zip(fit.random, rows.blocks, strict=True)
        ),
        tuple(block.codes for block in rows.blocks),
        rows.offset,
    )


def _beside_offset(observed: ObservedRows) -> FloatArray:
    """Return the response of observed rows without the known part of their means."""
    offset = observed.rows.offset
    return observed.response if offset is None else observed.response - offset
