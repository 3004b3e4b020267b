"""Column spaces: the columns of a design, and whether some are combinations of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.glmm_model import ExtraColumns

__all__ = ["fixed_columns", "spans"]

FloatArray = NDArray[np.float64]

# What one set of columns leaves of a column of another, relative to its length, is rounding.
OUTSIDE = 1e-7


def fixed_columns(columns: Design | ExtraColumns) -> FloatArray:
    """Return X of a predictor with its intercept, shape (n, p)."""
    ones = np.ones((len(columns.fixed), int(columns.intercept)))
    return np.concatenate([ones, columns.fixed], axis=1)


def spans(columns: FloatArray, others: FloatArray) -> bool:
    """Tell whether all other columns are combinations of some columns, within rounding."""
    if not columns.shape[1]:
        return not others.any()
    lengths = np.linalg.norm(columns, axis=0)
    basis, triangle = np.linalg.qr(columns / np.where(lengths > 0.0, lengths, 1.0))
    if (np.abs(triangle.diagonal()) < OUTSIDE).any():
        basis, singular, _ = np.linalg.svd(basis @ triangle, full_matrices=False)
        basis = basis[:, singular > OUTSIDE * singular[0]]
    left = others - basis @ (basis.T @ others)
    return bool((np.linalg.norm(left, axis=0) <= OUTSIDE * np.linalg.norm(others, axis=0)).all())
