"""The deviance with one parameter held at a given value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.covariance.scales import Linear, Logarithm, ParameterScale
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR
from skmixed.fitting.search import find_optimum
from skmixed.inference.intervals.held_deviance import (
    HeldCoefficient,
    HeldDeviance,
    HeldDeviation,
    HeldSigma,
    HeldTheta,
)
from skmixed.inference.intervals.model_parameters import ModelParameter, Place
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
    """
    if parameter.kind == "fixed":
        return _coefficient(fit, best, parameter.position)
    if parameter.kind == "sigma":
        deviance = HeldSigma(best.products, best.covariance, best.kernel)
        unit = fit.coordinates.sigma_unit
        logs = Logarithm(unit, lower=min(best.log_sigma, math.log(NEGLIGIBLE)))
        return Held(deviance, np.append(best.log_sigma, best.at.theta), logs)
    assert parameter.place is not None
    return _natural(fit, best, parameter.place)


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


def _natural(fit: LMMFit, best: MaximumLikelihood, place: Place) -> Held:
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
    theta = covariance.parameters(best.roots)
    if not natural.in_sigma:
        of_theta = HeldTheta(best.products, covariance, best.kernel, held)
        sizes = np.linalg.norm(matrix[where, where] @ root[where, where], axis=1)
        small = sizes <= SINGULAR * np.linalg.norm(matrix[where, where], axis=1)
        flat = bool(small[list(place.effects)].any() if place.effects else small.all())
        return Held(of_theta, theta[of_theta.order], scale, flat)
    unit = fit.coordinates.sigma_unit * scale.to_user(np.ones(())).item()
    of_sd = HeldDeviation(best.products, covariance, best.kernel, held)
    first = abs(theta[held]) * math.exp(best.log_sigma)
    others = np.append(np.delete(theta, held), best.log_sigma)
    return Held(of_sd, np.append(first, others), Linear(unit, lower=0.0))
