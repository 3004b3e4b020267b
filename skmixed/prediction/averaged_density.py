"""Densities and probabilities of a response whose linear predictor is normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

from skmixed.families.base import Family, FloatArray, LinkDerivatives
from skmixed.families.probability_links import ProbabilityLink
from skmixed.prediction.log_average import LogFunction, log_average
from skmixed.prediction.predictor_rows import predictor_rows

__all__ = [
    "averaged_log_density",
    "averaged_log_probabilities",
    "averaged_probabilities",
    "log_shares",
]


def averaged_log_density(
    family: Family,
    y: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    extra: Sequence[FloatArray] = (),
    weights: FloatArray | None = None,
) -> FloatArray:
    """Return log E[f(y | eta)**weight] over eta ~ N(mean, variance).

    Parameters
    ----------
    y : ndarray of shape (n,)
        Observed responses.
    mean, variance : ndarray of shape (n,)
        Of the linear predictor; without variance, the density is that at the mean.
    extra : sequence of ndarray of shape (n,)
        Further predictors of the family.
    weights : ndarray of shape (n,), optional
        Numbers of trials, or of equal responses that share their eta. For trials, the family's
        ``normalising`` has to be added.
    """
    rows = predictor_rows(family, mean, variance, extra)
    times = np.ones(len(y)) if weights is None else weights

    def log_density(
        eta: FloatArray, at: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        repeated = np.broadcast_to(at, eta.shape).ravel()
        omegas = tuple(omega[repeated] for omega in rows.extra)
        given = rows.family.derivatives(y[repeated], eta.ravel(), omegas, full=False)
        value, first, second = (
            (times[repeated] * part).reshape(eta.shape)
            for part in (given.value, given.first, given.second)
        )
        return value, first, second

    return log_average(log_density, rows.centre, rows.spread)[0]


def averaged_probabilities(family: Family, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the probabilities of 0 and 1, both accurate relative to their size.

    Parameters
    ----------
    family : Family
        Binomial.
    mean, variance : ndarray of shape (n,)
        Of the linear predictor.
    """
    return np.exp(averaged_log_probabilities(family, mean, variance))


def averaged_log_probabilities(
    family: Family, mean: FloatArray, variance: FloatArray
) -> FloatArray:
    """Return the logarithms of ``averaged_probabilities``, shape (n, 2)."""
    link = cast("ProbabilityLink", family.link)
    success, failure, _ = log_shares(link, mean, np.sqrt(variance))
    return np.column_stack([failure, success])


def log_shares(
    link: ProbabilityLink, centre: FloatArray, spread: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return log E[h(eta)], log E[1 - h(eta)] and the derivative of E[h(eta)] in the centre.

    The share that is smaller at the centre is integrated: the other one is 1 minus it, where
    nothing cancels.
    """
    if link.name == "probit":
        scale = np.sqrt(1.0 + spread**2)
        at = centre / scale
        slope = np.exp(-0.5 * at * at) / (np.sqrt(2.0 * np.pi) * scale)
        return special.log_ndtr(at), special.log_ndtr(-at), slope
    smaller, relative = np.empty((2, len(centre)))
    failing = link.mean(centre) > 0.5
    for rows, logarithm in ((~failing, link.log_mean), (failing, link.log_complement)):
        smaller[rows], relative[rows] = log_average(_of_eta(logarithm), centre[rows], spread[rows])
    share = np.exp(smaller)
    larger, slope = np.log1p(-share), share * relative
    success, failure = np.where(failing, (larger, smaller), (smaller, larger))
    return success, failure, slope * np.where(failing, -1.0, 1.0)


def _of_eta(logarithm: Callable[[FloatArray], LinkDerivatives]) -> LogFunction:
    """Return a function of eta alone as one of eta and rows, with two derivatives."""

    def function(eta: FloatArray, _: NDArray[np.intp]) -> tuple[FloatArray, FloatArray, FloatArray]:
        found = logarithm(eta)
        return found.value, found.first, found.second

    return function
