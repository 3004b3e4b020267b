"""The deviance with one parameter held at a given value."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.scales import Linear, Logarithm, NormalScale, ParameterScale
from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR
from skmixed.inference.intervals.charts import HeldDeviance
from skmixed.inference.intervals.generalised_maximum import GeneralisedMaximum
from skmixed.inference.intervals.maximum import Maximum
from skmixed.inference.intervals.model_parameters import ModelParameter, Place
from skmixed.inference.intervals.residual_maximum import ResidualMaximum

__all__ = ["Held", "held_parameter"]

FloatArray = NDArray[np.float64]

# A sigma below this part of the residual of least squares is 0: V is singular within rounding soon
# after.
NEGLIGIBLE = 1e-6
# Profiles of residual correlations end this part of their range before its ends.
EDGE = 1e-6


class Held(NamedTuple):
    """The deviance that holds a parameter, where it is least, and the user's scale."""

    deviance: HeldDeviance
    optimum: FloatArray
    scale: ParameterScale
    flat: bool = False
    """Whether the deviance is the same for all its values."""


def held_parameter(fit: LMMFit, best: Maximum, parameter: ModelParameter) -> Held:
    """Return the deviance that holds a parameter that is identified."""
    if parameter.kind == "fixed":
        return _coefficient(fit, best, parameter.position)
    if parameter.kind == "extra":
        assert isinstance(best, GeneralisedMaximum)
        columns = extra_predictors(fit)[parameter.predictor].coordinates.matrix
        combination = columns[parameter.position]
        unit = float(np.linalg.norm(combination))
        return Held(*best.hold_extra(parameter.predictor, combination / unit), Linear(unit))
    if parameter.kind == "sigma":
        unit = fit.coordinates.sigma_unit
        logs = Logarithm(unit, lower=min(best.log_sigma, math.log(NEGLIGIBLE)))
        return Held(*best.hold_sigma(), logs)
    if parameter.kind == "residual":
        assert isinstance(best, ResidualMaximum)
        assert fit.residual is not None
        natural = fit.residual.natural_parameters[parameter.position]
        return Held(*best.hold_residual(natural), _with_ends(natural.scale))
    assert parameter.place is not None
    return _natural(fit, best, parameter.place)


def _with_ends(scale: NormalScale) -> ParameterScale:
    """Return a scale that ends next to the bounds of a correlation, where V may be singular."""
    low, high = scale.to_user(np.array([-math.inf, math.inf]))
    if not math.isfinite(high - low):
        return scale
    ends = scale.to_internal(np.array([low, high]) + (high - low) * np.array([EDGE, -EDGE]))
    return replace(scale, lower=float(ends[0]), upper=float(ends[1]))  # type: ignore[type-var]


def _coefficient(fit: LMMFit, best: Maximum, position: int) -> Held:
    """Hold one coefficient of the user's."""
    places = fit.coordinates
    combination = places.fixed.matrix[position]
    unit = float(np.linalg.norm(combination))
    scale = Linear(places.response_scale * unit, float(combination @ places.shift))
    return Held(*best.hold_coefficient(combination / unit), scale)


def _natural(fit: LMMFit, best: Maximum, place: Place) -> Held:
    """Hold a natural parameter of random effects, with sigma where it is relative to it."""
    effects = fit.random[place.factor]
    assert effects.position is not None
    root = best.roots[effects.position]
    where = effects.covariance.effect_slices[place.term]
    natural = effects.natural_parameters[place.term][place.position]
    matrix = effects.relative_matrix
    covariance, held, scale = best.covariance.parametrised_by(
        natural, effects.position, place.term, matrix, root
    )
    if natural.in_sigma:
        unit = fit.coordinates.sigma_unit * scale.to_user(np.ones(())).item()
        return Held(*best.hold_deviation(covariance, held), Linear(unit, lower=0.0))
    sizes = np.linalg.norm(matrix[where, where] @ root[where, where], axis=1)
    small = sizes <= SINGULAR * np.linalg.norm(matrix[where, where], axis=1)
    flat = bool(small[list(place.effects)].any() if place.effects else small.all())
    return Held(*best.hold_entry(covariance, held), scale, flat)
