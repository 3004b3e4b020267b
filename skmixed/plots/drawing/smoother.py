"""A local regression line through a cloud of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["local_regression"]

FloatArray = NDArray[np.float64]


def local_regression(
    x: FloatArray, y: FloatArray, at: FloatArray, *, span: float = 2.0 / 3.0
) -> FloatArray:
    """Return local linear regressions on tricube weights at some places (Cleveland 1979).

    Parameters
    ----------
    x, y : ndarray of shape (n,)
    at : ndarray of shape (n_places,)
    span : float, default=2/3
        Part of the points that each regression uses: the nearest ones.

    Returns
    -------
    ndarray of shape (n_places,)

    References
    ----------
    Cleveland, W. S. (1979). Robust locally weighted regression and smoothing scatterplots.
    Journal of the American Statistical Association 74, 829-836.
    """
    nearest = max(int(span * len(x) + 1e-10), min(2, len(x)))
    return np.array([_at(x - place, y, nearest) for place in at])


def _at(distance: FloatArray, y: FloatArray, nearest: int) -> float:
    """Return the value at distance 0 of the line through the nearest points."""
    away = np.abs(distance)
    reach = np.partition(away, nearest - 1)[nearest - 1]
    weight = np.maximum(1.0 - (away / reach) ** 3, 0.0) ** 3 if reach else (away == 0.0) * 1.0
    if not weight.any():
        weight = (away <= reach) * 1.0
    weight = weight / weight.sum()
    centre = weight @ distance
    spread = weight @ (distance - centre) ** 2
    level = weight @ y
    # Points of almost one x say nothing of a slope.
    if spread <= 1e-6 * reach**2:
        return float(level)
    return float(level - centre * (weight @ ((distance - centre) * y)) / spread)
