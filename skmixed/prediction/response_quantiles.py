"""Quantiles of a response whose linear predictor is normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from skmixed.families.base import Family, FloatArray
from skmixed.prediction.averaged_cdf import averaged_cdf
from skmixed.prediction.averaged_density import averaged_probabilities
from skmixed.prediction.predictor_rows import PredictorRows, is_linear, predictor_rows

__all__ = ["response_quantiles"]

Coordinate = Callable[[FloatArray], FloatArray]

MAX_STEPS = 200
# Of continuous responses and of the largest counts, relative to their size.
ACCURACY = 1e-11
SMALLEST, LARGEST_SHARE = 1e-300, 1.0 - 1e-16


def response_quantiles(
    family: Family,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray],
    probabilities: FloatArray,
    trials: FloatArray | None = None,
) -> FloatArray:
    """Return quantiles of new responses over eta ~ N(mean, variance).

    Of a discrete response, that is the smallest value whose probability of not being exceeded
    reaches the given one.
    """
    if family.name == "binomial" and trials is None:
        failure = averaged_probabilities(family, mean, variance)[:, :1]
        return np.where(failure >= probabilities, 0.0, 1.0)
    rows = predictor_rows(family, mean, variance, extra, trials)
    if is_linear(family):
        spread = np.sqrt(variance + family.variance(mean, extra))
        return mean[:, None] + spread[:, None] * ndtri(probabilities)
    return np.column_stack([_quantile(rows, float(one)) for one in probabilities])


def _quantile(rows: PredictorRows, probability: float) -> FloatArray:
    """Return one quantile of each row."""
    found = np.empty(len(rows))
    certain, spreading = np.flatnonzero(rows.spread == 0.0), np.flatnonzero(rows.spread > 0.0)
    found[certain] = _given_eta(rows.take(certain), probability)
    if len(spreading):
        found[spreading] = _search(rows.take(spreading), probability)
    return found


def _given_eta(rows: PredictorRows, probability: float) -> FloatArray:
    """Return the quantile of the response with eta at its centre."""
    wanted = np.full(len(rows), probability)
    return rows.family.quantile(wanted, rows.centre, rows.extra, rows.trials)


def _search(rows: PredictorRows, probability: float) -> FloatArray:
    """Narrow brackets by false position, in its Illinois variant; every third step halves."""
    forward, backward = _coordinates(rows.family)
    low, high = _bracket(rows, probability)
    unit = _unit(rows)
    target, index = ndtri(probability), np.arange(len(low))

    def excess(y: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        reached = averaged_cdf(rows.take(at), y)
        return ndtri(np.clip(reached, SMALLEST, LARGEST_SHARE)) - target

    below, above = excess(low, index), excess(high, index)
    # Rounding may put the quantile at the very end.
    high = np.where(below >= 0.0, low, high)
    side = np.zeros(len(low))
    for turn in range(MAX_STEPS):
        step = np.maximum(unit, ACCURACY * np.abs(high))
        index = index[(high - low > 1.5 * step)[index]]
        if not len(index):
            break
        start, end, step = low[index], high[index], step[index]
        share = 0.5 if turn % 3 == 2 else below[index] / (below[index] - above[index])
        y = backward(forward(start) + share * (forward(end) - forward(start)))
        if rows.family.is_discrete:
            y = np.round(y / unit[index]) * unit[index]
        y = np.clip(y, start + step, end - step)
        found = excess(y, index)
        enough = found >= 0.0
        again = index[side[index] == np.where(enough, 1.0, -1.0)]
        below[again[side[again] > 0.0]] *= 0.5
        above[again[side[again] < 0.0]] *= 0.5
        side[index] = np.where(enough, 1.0, -1.0)
        upper, lower = index[enough], index[~enough]
        high[upper], above[upper] = y[enough], found[enough]
        low[lower], below[lower] = y[~enough], found[~enough]
    return high


def _bracket(rows: PredictorRows, probability: float) -> tuple[FloatArray, FloatArray]:
    """Return responses between which the quantile is; the second may be the quantile.

    A response below the first has half of the probability: that eta is below its quantile for the
    other half, or that the response is below its own given such an eta. The second likewise.
    """
    low_half, high_half = 0.5 * probability, 0.5 * (1.0 + probability)
    at_low = rows.at(np.full(len(rows), ndtri(low_half)))
    at_high = rows.at(np.full(len(rows), ndtri(high_half)))
    if rows.family.is_discrete:
        unit = _unit(rows)
        least = at_low.mean - _tail(at_low, low_half)
        most = at_high.mean + _tail(at_high, 1.0 - high_half)
        if rows.trials is not None:
            most = np.minimum(most, 1.0)
        return np.maximum(np.floor(least / unit), 0.0) * unit - unit, np.ceil(most / unit) * unit
    low, high = _given_eta(at_low, low_half), _given_eta(at_high, high_half)
    if rows.family.name != "gaussian":
        low = np.maximum(low, SMALLEST)
    if rows.family.name == "beta":
        high = np.minimum(high, LARGEST_SHARE)
    return low, high


def _tail(rows: PredictorRows, probability: float) -> FloatArray:
    """Return how far a response given eta is from its mean with less probability, on one side.

    By Cantelli's inequality, which holds for means of any size.
    """
    number = 1.0 if rows.trials is None else rows.trials
    return np.sqrt(rows.variance / number) * np.sqrt(1.0 / probability - 1.0)


def _unit(rows: PredictorRows) -> FloatArray:
    """Return the distance of neighbouring responses; 0 for positive ones, which have a scale."""
    if rows.trials is not None:
        return 1.0 / rows.trials
    if rows.family.name == "gaussian":
        return ACCURACY * np.sqrt(rows.variance)
    return np.full(len(rows), 1.0 if rows.family.is_discrete else 0.0)


def _coordinates(family: Family) -> tuple[Coordinate, Coordinate]:
    """Return a scale on which responses are nearly normal: to it, and back."""
    if family.name == "beta":
        return logit, expit
    if family.link.name == "log" and family.name != "gaussian":
        # Brackets of counts begin at -1.
        start = 2.0 if family.is_discrete else 0.0
        return (lambda y: np.log(y + start)), (lambda u: np.exp(u) - start)
    if family.name == "gaussian":
        return np.arcsinh, np.sinh
    return np.asarray, np.asarray
