"""The distribution function of a response whose linear predictor is normal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skmixed.families.base import FloatArray
from skmixed.prediction.predictor_rows import PredictorRows
from skmixed.prediction.trapezoid import integrate

__all__ = ["averaged_cdf"]

# The normal density of z beyond is 3e-13.
REACH = 7.5
# Where a distribution function given eta is at its limits, in units of its own width.
OWN_REACH = 9.0
NEGLIGIBLE = 1e-12
WIDENINGS = 12


def averaged_cdf(rows: PredictorRows, y: FloatArray) -> FloatArray:
    """Return the probability of a response up to y, (n,).

    Given eta, that probability falls from 1 to 0 as eta grows, over a range that is often narrow
    beside the law of eta. A probit curve falls over the same range, and its average is known: it
    is the difference that is integrated, where it is not negligible.
    """
    probability = rows.cdf(y)
    spreading = np.flatnonzero(rows.spread > 0.0)
    if len(spreading):
        probability[spreading] = _averaged(rows.take(spreading), y[spreading])
    return probability


def _averaged(rows: PredictorRows, y: FloatArray) -> FloatArray:
    """Return the average over eta of rows with spread."""
    far = np.full(len(rows), REACH)
    first, last = rows.at(-far).cdf(y), rows.at(far).cdf(y)
    middle, width = _fall(rows, y)

    def difference(z: FloatArray, index: NDArray[np.intp]) -> FloatArray:
        probit = ndtr((middle[index] - z) / width[index])
        curve = last[index] + (first[index] - last[index]) * probit
        return rows.take(index).at(z).cdf(y[index]) - curve

    def integrand(z: FloatArray, index: NDArray[np.intp]) -> FloatArray:
        values = difference(z.ravel(), np.tile(index, len(z))).reshape(1, *z.shape)
        return values * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)

    low = _end(difference, middle, -width)
    high = _end(difference, middle, width)
    probit = ndtr(middle / np.hypot(1.0, width))
    return last + (first - last) * probit + integrate(integrand, low, high)[0]


def _fall(rows: PredictorRows, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return roughly where the probability given eta falls, and over which width, in units of z.

    It falls where the mean is near y, by a standard deviation of y.
    """
    family = rows.family
    if rows.trials is not None:
        mean = (np.maximum(y, 0.0) * rows.trials + 0.5) / (rows.trials + 1.0)
    elif family.link.name == "log" and not family.is_discrete:
        # Normal responses may be negative, and then the means are below the deviation.
        floor = np.sqrt(rows.variance)
        mean = np.maximum(y, floor) if family.name == "gaussian" else y
    else:
        # Searches look at -1, below all counts.
        mean = family.starting_mean(np.maximum(y, 0.0))
    eta = family.link.predictor(mean)
    variance = family.variance(eta, rows.extra) / (1.0 if rows.trials is None else rows.trials)
    width = np.sqrt(variance) / family.link.derivatives(eta).first / rows.spread
    return (eta - rows.centre) / rows.spread, width


def _end(
    difference: Callable[[FloatArray, NDArray[np.intp]], FloatArray],
    middle: FloatArray,
    width: FloatArray,
) -> FloatArray:
    """Return the z beyond which the integrand is negligible, on the side of the width's sign."""
    reach = OWN_REACH * width
    limit = np.copysign(REACH, width)
    end = np.clip(middle + reach, -REACH, REACH)
    rows = np.flatnonzero(end != limit)
    for _ in range(WIDENINGS):
        rows = rows[np.abs(difference(end[rows], rows)) > NEGLIGIBLE]
        reach[rows] *= 2.0
        end[rows] = np.clip(middle[rows] + reach[rows], -REACH, REACH)
        rows = rows[end[rows] != limit[rows]]
        if not len(rows):
            return end
    end[rows] = limit[rows]
    return end
