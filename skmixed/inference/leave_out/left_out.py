"""Predictions of rows that were left out, and what is said of rows that have none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.exceptions import warn_user
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.diagnostics.row_inputs import fitted_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["LOST", "LeftOut", "of_residuals", "own_rows", "reported"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]

# A row depends on what cannot be estimated if that is more than this part of its squared length.
LOST = 1e-10
# The equations of a fit hold for residuals of its rows up to this part of what is summed.
SOLVED = 1e-6
# The modes of a generalised fit are found again from its rows up to this part of the largest.
SAME = 1e-4
# Residuals below this part of the spread of y may be nothing but rounding.
EXACT = 1e-6
# Rounding errors of residuals are below this part of what they are a difference of.
ROUNDING = 100 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Hold the prediction of each row from rows that it is not among, NaN where they tell none.

    The variance is that of the observation about it, over that of a row of mean weight.
    """

    mean: FloatArray
    variance: FloatArray

    @classmethod
    def of_parts(cls, n: int, parts: Iterable[tuple[Positions, LeftOut]]) -> LeftOut:
        """Put the predictions of n rows together, given those at some positions each."""
        whole = cls(np.empty(n), np.empty(n))
        for positions, part in parts:
            whole.put(positions, part)
        return whole

    def put(self, positions: Positions, part: LeftOut) -> None:
        """Overwrite the predictions at some positions."""
        self.mean[positions], self.variance[positions] = part.mean, part.variance


def own_rows(fitted: Any, X: Any, y: Any, arguments: dict[str, Any]) -> TrainingRows | FamilyRows:
    """Return a fit with its rows, and raise ValueError if these are others."""
    rows = fitted_rows(fitted, X, y, **arguments)
    if isinstance(rows, FamilyRows):
        if not _has_same_modes(rows):
            raise ValueError(
                "These are not the rows that the model was fitted to: expected the same X, y, "
                "groups and weights, in the same order. After adapt, fit all rows together."
            )
    elif not _solves(rows):
        raise ValueError(
            "These are not the rows that the model was fitted to: expected the same X, y, groups "
            "and weights, in the same order. After adapt, pass all rows together; a formula whose "
            "columns depend on all rows, such as poly(x, 2), has to be fitted to them."
        )
    return rows


def _has_same_modes(rows: FamilyRows) -> bool:
    """Tell whether the modes that are found from the rows are those of the fit."""
    pairs = zip(
        (one.standardised_modes for one in rows.fit.random), rows.modes.effects, strict=True
    )
    return all(
        np.abs(again.T - modes).max(initial=0.0) <= SAME * np.abs(modes).max(initial=1.0)
        for modes, again in pairs
    )


def _solves(rows: TrainingRows) -> bool:
    """Tell whether the estimates solve their equations: X'V^-1 (y - X beta) = 0, b = Psi Z'e."""
    n, e = rows.group_counts, rows.conditional
    size = np.abs(e) + EXACT + ROUNDING / SOLVED * _cancelled(rows)
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

    Their rounding errors are of this order, times the precision of floating point.
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
    """Return predictions in the user's units from weighted residuals y - the prediction.

    Their variances are over the residual variance.
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
