"""Predictions of rows that were left out, and what is said of rows that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.exceptions import warn_user
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["LOST", "UNTOLD", "LeftOut", "of_residuals", "own_rows", "reported"]

FloatArray = NDArray[np.float64]

# A combination of coefficients of which less than this part of the information is left cannot be
# estimated.
UNTOLD = 1e-9
# A row depends on such a combination if it makes up more than this part of its squared length.
LOST = 1e-10
# The equations of a fit hold for residuals of its rows up to this part of what is summed.
SOLVED = 1e-6
# Residuals below this part of the spread of y may be nothing but rounding.
EXACT = 1e-6
# Rounding errors of residuals are below this part of what they are a difference of.
ROUNDING = 100 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Hold the prediction of each row from rows that it is not among.

    Attributes
    ----------
    mean : ndarray of shape (n,)
        NaN where the other rows do not tell it.
    variance : ndarray of shape (n,)
        Of the observation about it, over that of a row of mean weight.
    """

    mean: FloatArray
    variance: FloatArray


def own_rows(fitted: Any, X: Any, y: Any, arguments: dict[str, Any]) -> TrainingRows:
    """Return a fit with its rows, and make sure that they are.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.
    """
    rows = training_rows(fitted, X, y, **arguments)
    if not _solves(rows):
        raise ValueError(
            "These are not the rows that the model was fitted to: expected the same X, y, groups "
            "and weights, in the same order. After adapt, pass all rows together; a formula whose "
            "columns depend on all rows, such as poly(x, 2), has to be fitted to them."
        )
    return rows


def _solves(rows: TrainingRows) -> bool:
    """Tell whether the estimates solve their equations: X'V^-1 (y - X beta) = 0, b = Psi Z'e."""
    counts = rows.design.weights.group_counts
    e = rows.conditional
    size = np.abs(e) + EXACT + ROUNDING / SOLVED * _cancelled(rows)
    n = 1.0 if counts is None else counts
    solved = np.abs(rows.fixed @ (n * e)) <= SOLVED * (np.abs(rows.fixed) @ (n * size))
    for block in rows.blocks:
        effects = block.effects
        Psi = effects.standardised_factor @ effects.standardised_factor.T
        sums, sizes = (
            np.array([np.bincount(block.codes, z, len(effects.levels)) for z in columns])
            for columns in (block.Z * e, np.abs(block.Z) * size)
        )
        off = np.abs(Psi @ sums - effects.standardised_modes.T)
        solved = np.append(solved, off <= SOLVED * (np.abs(Psi) @ sizes))
    return bool(solved.all())


def _cancelled(rows: TrainingRows) -> FloatArray:
    """Return the sizes, added up, of what the conditional residuals are a difference of, (n,).

    Their rounding errors are of the order of this times the precision of floating point.
    """
    design, at = rows.design, rows.fit.coordinates
    X = np.abs(rows.weighted.plain.A[:-1])
    sizes = np.abs(design.response) + np.abs(at.shift) @ X
    if design.offset is not None:
        sizes += np.abs(design.offset)
    sizes = sizes / at.response_scale + np.abs(rows.fit.fixed.standardised) @ X
    if rows.root is not None:
        sizes *= rows.root
    sizes = sizes * np.sqrt(rows.error_covariance.precisions)
    for block in rows.blocks:
        for modes, column in zip(block.effects.standardised_modes.T, block.Z, strict=True):
            sizes += np.abs(modes[block.codes] * column)
    return sizes


def of_residuals(rows: TrainingRows, residuals: FloatArray, variance: FloatArray) -> LeftOut:
    """Return predictions in the user's units from working residuals and their variances.

    Parameters
    ----------
    residuals : ndarray of shape (n,)
        y - its prediction, weighted; NaN where there is none.
    variance : ndarray of shape (n,)
        Of these, over the residual variance.
    """
    own = rows.error_covariance.variances
    squared = 1.0 if rows.root is None else rows.root**2
    # A weight that repeats its row divides the error of the prediction, not that of a row.
    whole = (variance - own) / squared + own / rows.relative_precision
    return LeftOut(rows.design.response - rows.in_units_of_y(residuals), whole)


def reported(rows: LabelledRows, left: LeftOut, *, return_std: bool) -> Any:
    """Return means, and standard deviations if they are wanted, as series; warn of missing ones."""
    missing = np.flatnonzero(np.isnan(left.mean))
    if len(missing):
        warn_user(
            f"{len(missing)} of {len(left.mean)} rows have no prediction from the rows that they "
            f"are left out of, the first at position {missing[0]}: without them a coefficient that "
            "it needs has no estimate. These predictions are NaN; use fewer columns, or larger "
            "training sets.",
            UserWarning,
        )
    mean = rows.series(left.mean, "prediction")
    if not return_std:
        return mean
    std = rows.fit.working_sigma * np.sqrt(left.variance)
    return mean, pd.Series(std, mean.index, name="std")
