"""Means of the residuals of a generalised model over bins of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.plots.arrays.bins import equal_bins, sums_over

__all__ = ["binned_residuals_arrays"]

FloatArray = NDArray[np.float64]


def binned_residuals_arrays(rows: FamilyRows, *, by: Any, n_bins: int) -> dict[str, Any]:
    """Return the arguments of a BinnedResidualsDisplay, but for its level.

    The standard error of a mean is that of the responses given their linear predictors.

    Parameters
    ----------
    by : str, array-like of shape (n,) or None
        A column of the data, or numbers; None takes the fitted values.
    """
    fitted = rows.mean
    at = fitted if by is None else np.asarray(rows.column(by, "by"), dtype=float)
    variances = rows.fit.family.variance(rows.eta, rows.extra) / rows.weights
    counts = rows.copies
    bins = equal_bins(at, n_bins)
    total = sums_over(bins, counts)
    squared = np.sqrt(sums_over(bins, counts**2 * variances))
    name = "Fitted value" if by is None else by if isinstance(by, str) else "Value"
    return {
        "at": sums_over(bins, counts * at) / total,
        "residuals": sums_over(bins, counts * (rows.response - fitted)) / total,
        "standard_errors": squared / total,
        "counts": np.bincount(bins),
        "by": name,
    }
