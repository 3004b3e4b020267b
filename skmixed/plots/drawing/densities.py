"""Kernel estimates of densities, and limits that a few wild values do not decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["densities_of", "robust_limits"]

FloatArray = NDArray[np.float64]

# Separate estimates as rare as this may lie beyond the limits, if those would else be this factor
# further apart.
_RARE, _TOLERATED = 0.01, 1.5
_PLACES = 200


def densities_of(
    separate: FloatArray, mixed: FloatArray, center: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return places, and the densities of separate and of mixed estimates there."""
    low, high = robust_limits(separate, mixed, center)
    margin = 3.0 * max(_bandwidth(separate), _bandwidth(mixed))
    x = np.linspace(low - margin, high + margin, _PLACES)
    return x, _density(separate, x), _density(mixed, x)


def robust_limits(separate: FloatArray, mixed: FloatArray, center: float) -> tuple[float, float]:
    """Return limits that a few wild separate estimates do not decide.

    Rows that barely determine a group's own estimate can put it anywhere.
    """
    inner = np.concatenate([np.quantile(separate, (_RARE, 1.0 - _RARE)), mixed, [center]])
    low, high = inner.min(), inner.max()
    every = np.concatenate([separate, mixed, [center]])
    if np.ptp(every) < _TOLERATED * (high - low):
        low, high = every.min(), every.max()
    margin = 0.06 * (high - low) or max(1e-3 * abs(center), 1e-9)
    return float(low - margin), float(high + margin)


def _bandwidth(values: FloatArray) -> float:
    """Return the standard deviation of a kernel, by Silverman's (1986) rule (equation 3.31)."""
    quartiles = np.quantile(values, (0.25, 0.75))
    spreads = [np.std(values, ddof=1) if len(values) > 1 else 0.0, np.ptp(quartiles) / 1.34]
    return float(0.9 * min((s for s in spreads if s > 0.0), default=0.0) * len(values) ** -0.2)


def _density(values: FloatArray, x: FloatArray) -> FloatArray:
    """Return a kernel estimate of the density; NaN for values that do not differ."""
    width = _bandwidth(values)
    if width <= 1e-12 * np.abs(values).max():
        return np.full(len(x), np.nan)
    return stats.norm.pdf(x[:, None], values, width).mean(axis=1)
