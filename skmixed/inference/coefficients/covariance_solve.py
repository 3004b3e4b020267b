"""Variances of linear combinations, and solutions with a covariance that may be singular."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

__all__ = ["covariance_solve", "quadratic_forms"]

FloatArray = NDArray[np.float64]


def quadratic_forms(rows: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return c'Mc for each row c and each matrix M of shape (..., p, p): shape (..., n)."""
    return np.asarray(((rows @ matrices) * rows).sum(axis=-1))


def covariance_solve(covariance: FloatArray, columns: FloatArray) -> FloatArray:
    """Return C^-1 times columns; NaN unless C is positive definite."""
    variances = np.diagonal(covariance)
    if not (variances > 0.0).all():
        return np.full_like(columns, np.nan)
    if not columns.size:
        return columns
    # In units of the standard errors, so that no unit of a column of X takes part in the verdict.
    unit = np.sqrt(variances)
    factor, failed = dpotrf(covariance / np.multiply.outer(unit, unit))
    if failed:
        return np.full_like(columns, np.nan)
    return np.asarray(dpotrs(factor, columns / unit[:, None])[0] / unit[:, None])
