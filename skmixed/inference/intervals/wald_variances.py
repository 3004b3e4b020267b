"""Wald limits of standard deviations and correlations, on scales on which they are about normal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects
from skmixed.fitting.variance_parameters import parameter_covariance
from skmixed.inference.intervals.model_parameters import ModelParameter, Place

__all__ = ["wald_variance_limits"]

FloatArray = NDArray[np.float64]


def wald_variance_limits(
    fit: LMMFit, parameters: Sequence[ModelParameter], level: float, df: float = np.inf
) -> list[tuple[float, float]]:
    """Return limits on the scale of the log of a deviation, and of Fisher's z of a correlation.

    On the boundary these scales end. A standard deviation of 0 has an upper limit on its own scale
    there, a correlation of 1 or -1 a limit on the scale of its angle: both from the observed
    information, as there the score of every group is 0 and a sandwich knows of no error.

    Parameters
    ----------
    fit : LMMFit
    parameters : sequence of ModelParameter
        Standard deviations, correlations or sigma, all identified.
    level : float
    df : float, default=inf
        Degrees of freedom of Student's t on these scales.

    Returns
    -------
    list of (float, float)
        NaN on the boundary where the likelihood is that of a weighted sample.
    """
    if not parameters:
        return []
    reach = float(stats.t.isf(0.5 * (1.0 - level), df))
    covariance = parameter_covariance(fit)
    return [_limits(fit, one, covariance, reach) for one in parameters]


def _limits(
    fit: LMMFit, parameter: ModelParameter, covariance: FloatArray, reach: float
) -> tuple[float, float]:
    """Return the limits of one parameter."""
    if parameter.kind == "sigma":
        return _log_limits(fit.sigma, reach * math.sqrt(covariance[-1, -1]))
    place = parameter.place
    assert place is not None
    effects = fit.random[place.factor]
    if math.isnan(parameter.estimate):
        # A correlation with an effect of variance 0.
        return -1.0, 1.0
    rows, slopes = _rows(fit, effects, place)
    if fit.n_sampled is not None and _on_boundary(effects, rows, slopes):
        return math.nan, math.nan
    if parameter.kind == "sd":
        return _deviation_limits(rows[0], slopes[0], covariance, fit.sigma, reach)
    return _correlation_limits(rows, slopes, covariance[:-1, :-1], reach)


def _rows(fit: LMMFit, effects: RandomEffects, place: Place) -> tuple[FloatArray, FloatArray]:
    """Return rows of the relative factor, (n, k), and their derivatives in theta, (n, k, m)."""
    before, m = 0, len(fit.convergence.theta)
    for other, theta in fit.estimable:
        if other is effects:
            derivative = other.covariance.factor_derivative(theta)
            break
        before += len(theta)
    first = effects.covariance.effect_slices[place.term].start
    chosen = effects.relative_matrix[[first + i for i in place.effects]]
    slopes = np.zeros((len(chosen), derivative.shape[1], m))
    slopes[..., before : before + len(derivative)] = np.moveaxis(chosen @ derivative, 0, -1)
    return chosen @ effects.standardised_factor, slopes


def _on_boundary(effects: RandomEffects, rows: FloatArray, slopes: FloatArray) -> bool:
    """Tell whether a standard deviation is 0, or a singular covariance makes a correlation 1 or -1.

    Far from the origin of a slope's column, correlations are near 1 or -1 in any covariance.
    """
    lengths = np.linalg.norm(rows, axis=1)
    if len(rows) == 1:
        return bool(lengths[0] <= _smallest(slopes))
    return effects.boundary and _on_one_line(rows / lengths[:, None])


def _on_one_line(directions: FloatArray) -> bool:
    """Tell whether two vectors of length 1 are equal or opposite."""
    return bool(1.0 - abs(directions[0] @ directions[1]) <= SINGULAR**2)


def _deviation_limits(
    row: FloatArray, slopes: FloatArray, covariance: FloatArray, sigma: float, reach: float
) -> tuple[float, float]:
    """Return the limits of sigma |row|."""
    size = float(np.linalg.norm(row))
    if size <= _smallest(slopes):
        spread = _largest_spread(slopes, covariance[:-1, :-1])
        return 0.0, sigma * (size + reach * spread)
    gradient = np.append(row @ slopes / size**2, 1.0)
    return _log_limits(sigma * size, reach * _spread(gradient, covariance))


def _correlation_limits(
    rows: FloatArray, slopes: FloatArray, covariance: FloatArray, reach: float
) -> tuple[float, float]:
    """Return the limits of the cosine of the angle between two rows."""
    lengths = np.linalg.norm(rows, axis=1)
    (a, b), (da, db) = rows / lengths[:, None], slopes / lengths[:, None, None]
    da, db = da - np.multiply.outer(a, a @ da), db - np.multiply.outer(b, b @ db)
    correlation = float(np.clip(a @ b, -1.0, 1.0))
    if _on_one_line(rows / lengths[:, None]):
        # Both rows are on one line; the angle between them grows with their difference.
        away = _largest_spread(db - math.copysign(1.0, correlation) * da, covariance)
        nearest = math.cos(min(reach * away, math.pi))
        limits = sorted(
            (math.copysign(1.0, correlation), math.copysign(1.0, correlation) * nearest)
        )
        return limits[0], limits[1]
    spread = _spread(b @ da + a @ db, covariance) / (1.0 - correlation**2)
    z = math.atanh(correlation)
    return math.tanh(z - reach * spread), math.tanh(z + reach * spread)


def _log_limits(estimate: float, reach: float) -> tuple[float, float]:
    """Return limits that are as far apart from the estimate as factors."""
    with np.errstate(over="ignore"):
        return float(estimate * np.exp(-reach)), float(estimate * np.exp(reach))


def _spread(gradient: FloatArray, covariance: FloatArray) -> float:
    """Return the standard error of what has a gradient."""
    return math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))


def _largest_spread(slopes: FloatArray, covariance: FloatArray) -> float:
    """Return the largest standard error of a vector in any direction."""
    return math.sqrt(max(float(np.linalg.eigvalsh(slopes @ covariance @ slopes.T)[-1]), 0.0))


def _smallest(slopes: FloatArray) -> float:
    """Return the length of a row that is on the boundary, in the units of its derivatives."""
    return SINGULAR * float(np.abs(slopes).max(initial=0.0))
