"""Wald limits of standard deviations and correlations, on scales on which they are about normal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.covariance import NaturalParameter, ParameterValue
from skmixed.covariance.scales import Linear, Logarithm, NormalScale, ParameterScale
from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.variance_parameters import parameter_covariance
from skmixed.inference.intervals.model_parameters import ModelParameter, Place

__all__ = ["NaturalEstimate", "residual_estimate", "wald_variance_limits"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NaturalEstimate:
    """Hold a natural parameter, its standard error, and the scale on which it is nearly normal."""

    value: float
    standard_error: float
    scale: NormalScale

    def limits(self, reach: float) -> tuple[float, float]:
        """Return the values that are so many standard errors away on the scale."""
        internal = self.scale.to_internal(np.asarray(self.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = float(self.standard_error / self.scale.derivative(internal))
        return _around(float(internal), reach * error, self.scale)


def wald_variance_limits(
    fit: LMMFit, parameters: Sequence[ModelParameter], level: float, df: float = np.inf
) -> list[tuple[float, float]]:
    """Return limits on the scale of each natural parameter: log of a deviation, Fisher's z.

    On the boundary these scales end. A standard deviation of 0 has an upper limit on its own scale
    there, a correlation of 1 or -1 a limit on the scale of its angle: both from the observed
    information, as there the score of every group is 0 and a sandwich knows of no error.
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
        logarithm = Logarithm()
        log_sigma = float(logarithm.to_internal(np.asarray(fit.sigma)))
        return _around(log_sigma, reach * math.sqrt(covariance[-1, -1]), logarithm)
    if parameter.kind == "extra":
        errors = extra_predictors(fit)[parameter.predictor].covariance
        error = math.sqrt(errors[parameter.position, parameter.position])
        return _around(parameter.estimate, reach * error, Linear(1.0))
    if parameter.kind == "residual":
        assert fit.residual is not None
        if fit.residual.boundary[parameter.position]:
            return math.nan, math.nan
        natural = fit.residual.natural_parameters[parameter.position]
        return residual_estimate(fit, natural, covariance).limits(reach)
    return _natural_limits(fit, parameter, covariance, reach)


def _natural_limits(
    fit: LMMFit, parameter: ModelParameter, covariance: FloatArray, reach: float
) -> tuple[float, float]:
    """Return the limits of a natural parameter of random effects."""
    place = parameter.place
    assert place is not None
    effects = fit.random[place.factor]
    natural = effects.natural_parameters[place.term][place.position]
    if math.isnan(parameter.estimate):
        # A correlation with an effect of variance 0, say, may be anything.
        return _around(0.0, math.inf, natural.scale)
    theta, own = _theta_of_term(fit, place)
    at = natural.at(theta)
    if at.departure is None:
        return _natural_estimate(natural, at, own, covariance, fit.sigma).limits(reach)
    if fit.n_sampled is not None and effects.boundary:
        return math.nan, math.nan
    # The largest standard error in any direction.
    variances = np.linalg.eigvalsh(at.departure @ covariance[own, own] @ at.departure.T)
    error = math.sqrt(max(float(variances[-1]), 0.0))
    unit = fit.sigma if natural.in_sigma else 1.0
    closed = natural.scale.closed
    inside = float(closed.to_internal(np.asarray(at.value)))
    bound = min(closed.lower, closed.upper, key=lambda end: abs(end - inside))
    return _around(bound, reach * unit * error, closed)


def _theta_of_term(fit: LMMFit, place: Place) -> tuple[FloatArray, slice]:
    """Return the parameters of a term, and where they are among those of the model."""
    effects, before = fit.random[place.factor], 0
    for other, theta in fit.estimable:
        if other is effects:
            break
        before += len(theta)
    own = effects.covariance.parameter_slices[place.term]
    return theta[own], slice(before + own.start, before + own.stop)


def residual_estimate(
    fit: LMMFit, natural: NaturalParameter, covariance: FloatArray
) -> NaturalEstimate:
    """Return a natural parameter of the residual structure with its standard error.

    Parameters
    ----------
    covariance : ndarray of shape (n_parameters + 1, n_parameters + 1)
        Of (theta, rho, log sigma).
    """
    assert fit.residual is not None
    rho = fit.residual.rho
    own = slice(len(covariance) - 1 - len(rho), len(covariance) - 1)
    return _natural_estimate(natural, natural.at(rho), own, covariance, fit.sigma)


def _natural_estimate(
    natural: NaturalParameter,
    at: ParameterValue,
    own: slice,
    covariance: FloatArray,
    sigma: float,
) -> NaturalEstimate:
    """Return a parameter that is not on its boundary with its standard error."""
    unit = sigma if natural.in_sigma else 1.0
    gradient = np.zeros(len(covariance))
    gradient[own] = unit * at.gradient
    if natural.in_sigma:
        gradient[-1] = unit * at.value
    error = math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
    return NaturalEstimate(unit * at.value, error, natural.scale)


def _around(center: float, distance: float, scale: ParameterScale) -> tuple[float, float]:
    """Return the values at a distance on both sides, within the bounds of the scale."""
    ends = np.clip([center - distance, center + distance], scale.lower, scale.upper)
    with np.errstate(over="ignore"):
        lower, upper = scale.to_user(ends)
    return float(lower), float(upper)
