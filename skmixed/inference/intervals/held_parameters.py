"""From a parameter of the user's to the deviance that holds it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import (
    AR1,
    CompoundSymmetry,
    CovarianceStructure,
    Diagonal,
    Identity,
    JointCovariance,
    Unstructured,
)
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects
from skmixed.fitting.search import find_optimum
from skmixed.inference.intervals.held_deviance import (
    HeldCoefficient,
    HeldDeviance,
    HeldDeviation,
    HeldSigma,
    HeldTheta,
)
from skmixed.inference.intervals.held_structures import LeadingCorrelation, LeadingEffect, Tied
from skmixed.inference.intervals.model_parameters import ModelParameter, Place
from skmixed.inference.intervals.parameter_scales import (
    Angle,
    EqualAngle,
    Linear,
    Logarithm,
    ParameterScale,
)
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.kernel import Kernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["Held", "MaximumLikelihood", "held_parameter", "maximum_likelihood"]

FloatArray = NDArray[np.float64]

# Distance from the optimum, in standard errors, and evaluations for it.
TOLERANCE, EVALUATIONS = 1e-8, 500
# A sigma below this part of the residual of least squares is 0: V is singular within rounding soon
# after.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MaximumLikelihood:
    """Hold the optimum of the likelihood, standardised columns.

    Attributes
    ----------
    products : CrossProducts
    kernel : Kernel
    covariance : JointCovariance
    at : ObjectiveValue
    """

    products: CrossProducts
    kernel: Kernel
    covariance: JointCovariance
    at: ObjectiveValue

    @property
    def roots(self) -> list[FloatArray]:
        """Return Lambda of each factor."""
        return self.covariance.relative_factors(self.at.theta)

    @property
    def log_sigma(self) -> float:
        """Return log sigma."""
        return 0.5 * math.log(self.at.solution.sigma2)


class Held(NamedTuple):
    """The deviance that holds a parameter, where it is least, and the user's scale."""

    deviance: HeldDeviance
    optimum: FloatArray
    scale: ParameterScale
    flat: bool = False
    """Whether the deviance is the same for all its values."""


def maximum_likelihood(fit: LMMFit) -> MaximumLikelihood:
    """Maximise the likelihood from the cross-products of a fit, which may be of REML.

    Parameters
    ----------
    fit : LMMFit

    Raises
    ------
    ValueError
        If the cross-products were not kept, the likelihood is only estimated, or it has no maximum.
    """
    fitted = fit.objective()
    if isinstance(fitted.kernel, IterativeKernel):
        raise ValueError(
            "A profile needs the likelihood exactly, and with these factors it is estimated from "
            "random probes. Use method='wald'."
        )
    assert fit.products is not None
    objective = ProfiledObjective(fit.products, fitted.covariance, reml=False, kernel=fitted.kernel)
    optimum = find_optimum(objective, tol=TOLERANCE, max_iter=EVALUATIONS, verbose=0, constant=0.0)
    if math.isinf(optimum.at.value):
        raise ValueError(
            "The residual variance is too small a part of that of y for the likelihood to have a "
            "maximum within rounding. Use method='wald', or fit fewer effects."
        )
    return MaximumLikelihood(fit.products, fitted.kernel, fitted.covariance, optimum.at)


def held_parameter(fit: LMMFit, best: MaximumLikelihood, parameter: ModelParameter) -> Held:
    """Return the deviance that holds a parameter that is identified.

    Parameters
    ----------
    fit : LMMFit
    best : MaximumLikelihood
    parameter : ModelParameter

    Raises
    ------
    ValueError
        If the structure of the random effects is not one of skmixed's.
    """
    if parameter.kind == "fixed":
        return _coefficient(fit, best, parameter.position)
    if parameter.kind == "sigma":
        deviance = HeldSigma(best.products, best.covariance, best.kernel)
        unit = fit.coordinates.sigma_unit
        logs = Logarithm(unit, lower=min(best.log_sigma, math.log(NEGLIGIBLE)))
        return Held(deviance, np.append(best.log_sigma, best.at.theta), logs)
    assert parameter.place is not None
    effects = fit.random[parameter.place.factor]
    assert effects.position is not None
    leading = (_deviation if parameter.kind == "sd" else _correlation)(effects, parameter.place)
    covariance, held = _with_structure(best.covariance, effects.position, parameter.place, leading)
    theta = covariance.parameters(best.roots)
    if parameter.kind == "correlation":
        lower = _bounds(covariance, held - leading.held, leading)
        of_theta = HeldTheta(best.products, covariance, best.kernel, held, lower)
        flat = _vanishes(effects, parameter.place, best.roots[effects.position])
        return Held(of_theta, theta[of_theta.order], leading.scale, flat)
    scale = Linear(leading.scale.to_user(np.ones(())).item() * effects.response_scale, lower=0.0)
    of_sd = HeldDeviation(best.products, covariance, best.kernel, held)
    first = abs(theta[held]) * math.exp(best.log_sigma)
    others = np.append(np.delete(theta, held), best.log_sigma)
    return Held(of_sd, np.append(first, others), scale)


def _coefficient(fit: LMMFit, best: MaximumLikelihood, position: int) -> Held:
    """Hold one coefficient of the user's."""
    places = fit.coordinates
    combination = places.fixed.matrix[position]
    unit = float(np.linalg.norm(combination))
    direction = combination / unit
    deviance = HeldCoefficient(best.products, best.covariance, best.kernel, direction)
    scale = Linear(places.response_scale * unit, float(combination @ places.shift))
    first = float(direction @ best.at.solution.beta)
    return Held(deviance, np.append(first, best.at.theta), scale)


class _Leading(NamedTuple):
    """A structure, the position of the held parameter in its theta, and its scale."""

    structure: CovarianceStructure
    held: int
    scale: ParameterScale


def _deviation(effects: RandomEffects, place: Place) -> _Leading:
    """Choose the structure in which a standard deviation is an entry of theta."""
    structure, directions = _term(effects, place)
    (i,) = place.effects
    scale = Linear(float(np.linalg.norm(directions[i])))
    if isinstance(structure, Unstructured):
        return _Leading(LeadingEffect.of(directions[i]), 0, scale)
    if isinstance(structure, Identity | AR1) or len(directions) == 1:
        return _Leading(structure, 0, scale)
    if isinstance(structure, CompoundSymmetry) and structure.equal_variances:
        return _Leading(Tied(), 0, scale)
    return _Leading(structure, i, scale)


def _correlation(effects: RandomEffects, place: Place) -> _Leading:
    """Choose the structure in which the angle of a correlation is an entry of theta."""
    structure, directions = _term(effects, place)
    i, j = place.effects
    k = len(directions)
    if isinstance(structure, Unstructured):
        return _Leading(LeadingCorrelation.of(directions[i], directions[j]), 0, Angle())
    if isinstance(structure, AR1):
        return _Leading(structure, 1, Angle())
    if isinstance(structure, CompoundSymmetry) and structure.equal_variances:
        return _Leading(Tied(), 1, EqualAngle(k))
    return _Leading(structure, k, EqualAngle(k))


def _term(effects: RandomEffects, place: Place) -> tuple[CovarianceStructure, FloatArray]:
    """Return the structure of a term, and what its effects are of the standardised ones."""
    structure = effects.covariance.structures[place.term]
    known = Unstructured | Diagonal | Identity | CompoundSymmetry | AR1
    if not isinstance(structure, known):
        raise ValueError(
            f"There is no profile for the parameters of the structure {structure!r}, only for "
            "those of skmixed.covariance. Use method='wald'."
        )
    where = effects.covariance.effect_slices[place.term]
    return structure, effects.coordinates.matrix[where, where]


def _with_structure(
    covariance: JointCovariance, position: int, place: Place, leading: _Leading
) -> tuple[JointCovariance, int]:
    """Replace the structure of one term; return also where the held parameter is in theta."""
    factors = list(covariance.factors)
    own = factors[position]
    structures = list(own.structures)
    before = sum(factor.n_parameters for factor in factors[:position])
    before += sum(
        s.n_parameters(k)
        for s, k in zip(structures[: place.term], own.sizes[: place.term], strict=True)
    )
    structures[place.term] = leading.structure
    factors[position] = replace(own, structures=tuple(structures))
    return JointCovariance(tuple(factors)), before + leading.held


def _bounds(covariance: JointCovariance, first: int, leading: _Leading) -> FloatArray | None:
    """Return bounds of theta within which a correlation keeps its sign.

    They are part of most structures; two equally correlated effects may have any signs otherwise.
    """
    lower = covariance.lower_bounds
    if isinstance(leading.structure, CompoundSymmetry):
        lower = np.full(covariance.n_parameters, -np.inf) if lower is None else lower.copy()
        lower[first : first + leading.held] = 0.0
    return lower


def _vanishes(effects: RandomEffects, place: Place, Lambda: FloatArray) -> bool:
    """Tell whether one of the effects has a variance of 0."""
    where = effects.covariance.effect_slices[place.term]
    directions = effects.coordinates.matrix[where, where][list(place.effects)]
    sizes = np.linalg.norm(directions @ Lambda[where, where], axis=1)
    return bool((sizes <= SINGULAR * np.linalg.norm(directions, axis=1)).any())
