"""Integrals of smooth functions that vanish at both ends, for all rows together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["integrate"]

FloatArray = NDArray[np.float64]
Rows = NDArray[np.intp]
# Takes points (k, r) and the r rows they belong to; returns one or more functions, (q, k, r).
Integrand = Callable[[FloatArray, Rows], FloatArray]

# Points times rows at a time: few enough to stay in the cache.
ROOM = 2**14
FIRST_STEPS, MOST_STEPS = 16, 2**12
# The error of the rule is squared, or better, when the step is halved: sums that agree to this
# relative accuracy leave an error near the square of it.
AGREEMENT = 1e-7


def integrate(integrand: Integrand, low: FloatArray, high: FloatArray) -> FloatArray:
    """Integrate analytic functions over an interval outside of which they are negligible.

    By the trapezoidal rule, which converges geometrically for such functions. The steps of a row
    are halved until two sums agree, relative to the integral of the absolute value.

    Parameters
    ----------
    integrand : callable
        Takes points of shape (k, r) and the indices (r,) of their rows, and returns one or more
        functions at these points, (q, k, r). The first decides about convergence.
    """
    rows = np.arange(len(low))
    total, size = _sums(integrand, low, high, rows, FIRST_STEPS)
    steps = FIRST_STEPS
    while len(rows) and steps < MOST_STEPS:
        added, more = _sums(integrand, low, high, rows, steps, middles=True)
        steps *= 2
        # Sums over half as many points weigh twice as much.
        change = np.abs(added[0] - total[0, rows])
        total[:, rows] = 0.5 * (total[:, rows] + added)
        size[rows] = 0.5 * (size[rows] + more)
        rows = rows[change > AGREEMENT * 2.0 * size[rows]]
    return total


def _sums(
    integrand: Integrand,
    low: FloatArray,
    high: FloatArray,
    rows: Rows,
    steps: int,
    *,
    middles: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return the rows' sums over the points times the step, and those of the first's size."""
    fractions = _fractions(steps, middles)
    totals, sizes = [], []
    for part in _blocks(rows, steps):
        length = high[part] - low[part]
        values = integrand(low[part] + fractions[:, None] * length, part)
        totals.append(values.sum(axis=1) * (length / steps))
        sizes.append(np.abs(values[0]).sum(axis=0) * (length / steps))
    return np.concatenate(totals, axis=1), np.concatenate(sizes)


def _blocks(rows: Rows, n_points: int) -> Iterator[Rows]:
    """Yield the rows some at a time, and at least once, so that there is a shape."""
    size = max(1, ROOM // n_points)
    for first in range(0, max(len(rows), 1), size):
        yield rows[first : first + size]


@lru_cache(maxsize=32)
def _fractions(steps: int, middles: bool) -> FloatArray:
    """Return the middles of equal steps from 0 to 1, or the points between them."""
    return (np.arange(steps) + 0.5) / steps if middles else np.arange(1, steps) / steps
