"""Means and variances of a response whose linear predictor is normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skmixed.families.base import Family, FloatArray
from skmixed.families.links import LARGEST_LOG
from skmixed.families.probability_links import ProbabilityLink
from skmixed.prediction.averaged_density import log_shares
from skmixed.prediction.predictor_rows import (
    PredictorRows,
    is_linear,
    power_of_predictor,
    predictor_rows,
)
from skmixed.prediction.trapezoid import integrate

__all__ = [
    "averaged_mean",
    "averaged_mean_and_derivative",
    "averaged_variance",
    "mean_quantiles",
]

# A normal variable is rarely further from its mean than so many standard deviations: 1e-17.
REACH = 8.5
SMALLEST_POSITIVE = 1e-100


def averaged_mean(
    family: Family, mean: FloatArray, variance: FloatArray, extra: Sequence[FloatArray] = ()
) -> FloatArray:
    """Return the expectation of the response over eta ~ N(mean, variance).

    It is exact for the log, identity and probit links and for powers of a positive eta, see
    ``predictor_rows``; else it is integrated.

    Parameters
    ----------
    mean, variance : ndarray of shape (n,)
        Of the linear predictor; without variance, the result is the family's mean at ``mean``.
    """
    return averaged_mean_and_derivative(family, mean, variance, extra)[0]


def averaged_mean_and_derivative(
    family: Family, mean: FloatArray, variance: FloatArray, extra: Sequence[FloatArray] = ()
) -> tuple[FloatArray, FloatArray]:
    """Return ``averaged_mean`` and its derivative in the mean of eta, both of shape (n,)."""
    if isinstance(family.link, ProbabilityLink):
        success, _, slope = log_shares(family.link, mean, np.sqrt(variance))
        average = np.exp(success)
    elif is_linear(family):
        average, slope = mean, np.ones_like(mean)
    else:
        rows = predictor_rows(family, mean, variance, extra)
        average = rows.family.mean(rows.centre + 0.5 * rows.spread**2, extra)
        slope = average * _relative_slope(family, mean, variance)
    return np.where(variance > 0.0, average, family.mean(mean, extra)), slope


def averaged_variance(
    family: Family,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray] = (),
    trials: FloatArray | None = None,
) -> FloatArray:
    """Return the variance of a new response: E[Var(y | eta)] + Var(E[y | eta]).

    Given eta, families have no means beyond exp(170): with a log link, variances to which such
    means would contribute are too small.
    """
    number = 1.0 if trials is None else trials
    rows = predictor_rows(family, mean, variance, extra)
    average = averaged_mean(family, mean, variance, extra)
    within, between = _variances(rows, average)
    total = within / number + between
    return np.where(variance > 0.0, total, family.variance(mean, extra) / number)


def mean_quantiles(
    family: Family,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray],
    probabilities: FloatArray,
    averaged_over: FloatArray | None = None,
) -> FloatArray:
    """Return quantiles of the mean given eta, whose inverse link is monotone.

    Where eta must be positive, a quantile of it that is not counts as 0.

    Parameters
    ----------
    averaged_over : ndarray of shape (n,), optional
        Variance of a further part of eta, over which the mean is averaged.
    """
    power = power_of_predictor(family)
    over = np.zeros_like(mean) if averaged_over is None else averaged_over
    z = ndtri(probabilities) * (-1.0 if power is not None and power < 0.0 else 1.0)
    columns = []
    for one in z:
        eta = mean + one * np.sqrt(variance)
        if power is not None:
            eta = np.where(mean > 0.0, np.maximum(eta, SMALLEST_POSITIVE), mean)
        columns.append(averaged_mean(family, eta, over, extra))
    return np.column_stack(columns)


def _relative_slope(family: Family, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the derivative of the averaged mean in the mean of eta, divided by the average."""
    power = power_of_predictor(family)
    if power is None:
        return np.ones_like(mean)
    # The average is mean**power * (1 + square)**(power * (power - 1) / 2).
    square = variance / mean**2
    return power / mean * (1.0 - (power - 1.0) * square / (1.0 + square))


def _variances(rows: PredictorRows, average: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the average of the variance given eta, and the variance of the mean given eta."""
    family = rows.family
    if is_linear(family):
        return rows.variance, rows.spread**2
    if family.link.name == "log":
        # Variances grow at most with the cube of the mean.
        (within,) = _expectations(rows, 3.0, lambda at, _: [at.variance])
        return within, average**2 * np.expm1(np.minimum(rows.spread**2, LARGEST_LOG))
    between, within = _expectations(
        rows, 1.0, lambda at, index: [(at.mean - average[index]) ** 2, at.variance]
    )
    return within, between


def _expectations(
    rows: PredictorRows,
    power: float,
    functions: Callable[[PredictorRows, NDArray[np.intp]], list[FloatArray]],
) -> FloatArray:
    """Integrate functions that grow no faster than exp(power * |eta|), (n_functions, n).

    The functions take rows at nodes, whose centres are the nodes' eta, and their indices.
    """

    def integrand(z: FloatArray, index: NDArray[np.intp]) -> FloatArray:
        repeated = np.tile(index, len(z))
        values = np.stack(functions(rows.take(repeated).at(z.ravel()), repeated))
        return values.reshape(-1, *z.shape) * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)

    # exp(power * eta) moves the integrand by so much.
    reach = REACH + power * rows.spread
    return integrate(integrand, -reach, reach)
