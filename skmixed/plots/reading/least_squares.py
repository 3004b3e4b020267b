"""Least squares in each group alone: what a mixed model's lines and effects are compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.table import Table

__all__ = ["pooled_values", "separate_effects", "separate_lines"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]

# Columns that are independent in standardised units beyond this part of the largest are so at all.
_TOLERANCE = 1e-9


def pooled_values(source: FittedRows, rows: Table) -> FloatArray:
    """Return what least squares of all fixed effects over all rows, without groups, predict."""
    _require_least_squares(source)
    columns, offset = source.fixed_rows(rows)
    beta: FloatArray = source.fit.coordinates.shift
    return offset + beta @ columns


def separate_lines(source: FittedRows, chosen: Codes, along: Table, n_places: int) -> FloatArray:
    """Return the line of least squares of each group's own rows on the feature.

    The regressors are the model's own columns that change along the line, of n_places rows for each
    chosen group, and an intercept. The line is NaN where the group's rows do not determine it.
    """
    _require_least_squares(source)
    columns, offset = source.fixed_rows(source.table)
    places, place_offset = source.fixed_rows(along)
    places = places.reshape(len(places), len(chosen), n_places)
    moving = (np.ptp(places, axis=2) > _TOLERANCE).any(axis=1)
    columns, places = columns[moving], places[moving]
    response = source.response - offset
    lines = np.full((len(chosen), n_places), np.nan)
    for i, rows in enumerate(_rows_of(source.codes, chosen)):
        center, mean = columns[:, rows].mean(axis=1, keepdims=True), response[rows].mean()
        slopes, rank = _solve((columns[:, rows] - center).T, response[rows] - mean)
        wanted = places[:, i] - center
        needed = np.linalg.matrix_rank(wanted - wanted.mean(axis=1, keepdims=True), tol=_TOLERANCE)
        if rank >= needed:
            lines[i] = mean + slopes @ wanted
    return lines + place_offset.reshape(lines.shape)


def separate_effects(source: FittedRows) -> FloatArray:
    """Return the effects of each group's own least squares less those of the mixed model.

    They are the least-squares coefficients of the conditional residuals of the group's rows on its
    columns of Z: what the fixed effects of other columns and the other factors explain is left to
    them. NaN where the group's rows do not determine them; shape (n_levels, n_effects).
    """
    _require_least_squares(source)
    effects = source.effects
    residual = source.response - source.predict(source.table, include=True)
    Z = effects.coordinates.transform(source.design.blocks[source.position].columns)
    found = np.full((len(effects.levels), len(Z)), np.nan)
    for i, rows in enumerate(_rows_of(source.codes, np.arange(len(found)))):
        coefficients, rank = _solve(Z[:, rows].T, residual[rows])
        if rank == len(Z):
            found[i] = coefficients
    return found @ effects.coordinates.matrix.T


def _require_least_squares(source: FittedRows) -> None:
    """Raise ValueError if least squares are no estimates of the model without groups."""
    source.fit.require_gaussian(
        "A comparison with least squares",
        "show GroupFitDisplay with show=('points', 'mixed', 'population'), TrajectoriesDisplay or "
        "RandomEffectsDisplay",
    )


def _solve(columns: FloatArray, response: FloatArray) -> tuple[FloatArray, int]:
    """Return the least-squares coefficients of least norm, and the rank."""
    if not columns.shape[1]:
        return np.zeros(0), 0
    coefficients, _, rank, _ = np.linalg.lstsq(columns, response, rcond=_TOLERANCE)
    found = int(rank) if np.abs(columns).max() > _TOLERANCE else 0
    return np.asarray(coefficients, dtype=np.float64), found


def _rows_of(codes: Codes, chosen: Codes) -> list[Codes]:
    """Return the rows of each chosen group."""
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    parts = np.split(order, ends[:-1])
    return [parts[code] for code in chosen]
