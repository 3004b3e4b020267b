"""The deviance with one parameter held at a given value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.covariance.scales import Linear, Logarithm, NormalScale, ParameterScale
from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR
from skmixed.fitting.search import find_optimum
from skmixed.inference.intervals.generalised_maximum import GeneralisedMaximum
from skmixed.inference.intervals.held_deviance import (
    HeldCoefficient,
    HeldDeviance,
    HeldDeviation,
    HeldSigma,
    HeldTheta,
)
from skmixed.inference.intervals.model_parameters import ModelParameter, Place
from skmixed.inference.intervals.residual_maximum import ResidualMaximum
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.kernel import Kernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["Held", "Maximum", "MaximumLikelihood", "held_parameter", "maximum_likelihood"]

FloatArray = NDArray[np.float64]

# Distance from the optimum, in standard errors, and evaluations for it.
TOLERANCE, EVALUATIONS = 1e-8, 500
# A sigma below this part of the residual of least squares is 0: V is singular within rounding soon
# after.
NEGLIGIBLE = 1e-6
# Profiles of residual correlations end this part of their range before its ends.
EDGE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MaximumLikelihood:
    """Hold the optimum of the likelihood, standardised columns."""

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

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients."""
        deviance = HeldCoefficient(self.products, self.covariance, self.kernel, direction)
        first = float(direction @ self.at.solution.beta)
        return deviance, np.append(first, self.at.theta)

    def hold_sigma(self) -> tuple[HeldDeviance, FloatArray]:
        """Hold log sigma."""
        deviance = HeldSigma(self.products, self.covariance, self.kernel)
        return deviance, np.append(self.log_sigma, self.at.theta)

    def hold_entry(self, covariance: JointCovariance, held: int) -> tuple[HeldDeviance, FloatArray]:
        """Hold an entry of the theta of a covariance."""
        deviance = HeldTheta(self.products, covariance, self.kernel, held)
        return deviance, covariance.parameters(self.roots)[deviance.order]

    def hold_deviation(
        self, covariance: JointCovariance, held: int
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold sigma times an entry of the theta of a covariance."""
        deviance = HeldDeviation(self.products, covariance, self.kernel, held)
        theta = covariance.parameters(self.roots)
        first = abs(theta[held]) * math.exp(self.log_sigma)
        return deviance, np.concatenate([[first], np.delete(theta, held), [self.log_sigma]])


class Maximum(Protocol):
    """The optimum of a likelihood, which can hold its parameters.

    Each method returns the deviance that holds one, and where it is least. A residual structure has
    its own (``residual_maximum.py``), and so has a generalised model (``generalised_maximum.py``).
    """

    @property
    def covariance(self) -> JointCovariance:
        """Return the structures of the random effects."""
        ...

    @property
    def at(self) -> Any:
        """Return the optimum, whose value is -2 log-likelihood."""
        ...

    @property
    def roots(self) -> list[FloatArray]:
        """Return Lambda of each factor."""
        ...

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients."""
        ...

    def hold_entry(self, covariance: JointCovariance, held: int) -> tuple[HeldDeviance, FloatArray]:
        """Hold an entry of the theta of a covariance."""
        ...

    def hold_deviation(
        self, covariance: JointCovariance, held: int
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold sigma times an entry of the theta of a covariance."""
        ...


class Held(NamedTuple):
    """The deviance that holds a parameter, where it is least, and the user's scale."""

    deviance: HeldDeviance
    optimum: FloatArray
    scale: ParameterScale
    flat: bool = False
    """Whether the deviance is the same for all its values."""


def maximum_likelihood(fit: LMMFit) -> MaximumLikelihood:
    """Maximise the likelihood from the cross-products of a fit, which may be of REML.

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


def held_parameter(fit: LMMFit, best: Maximum, parameter: ModelParameter) -> Held:
    """Return the deviance that holds a parameter that is identified."""
    if parameter.kind == "fixed":
        return _coefficient(fit, best, parameter.position)
    if parameter.kind == "extra":
        return _extra(fit, best, parameter)
    if parameter.kind == "sigma":
        assert isinstance(best, MaximumLikelihood | ResidualMaximum)
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


def _extra(fit: LMMFit, best: Maximum, parameter: ModelParameter) -> Held:
    """Hold one coefficient of a further predictor."""
    assert isinstance(best, GeneralisedMaximum)
    predictor = extra_predictors(fit)[parameter.predictor]
    combination = predictor.coordinates.matrix[parameter.position]
    unit = float(np.linalg.norm(combination))
    return Held(*best.hold_extra(parameter.predictor, combination / unit), Linear(unit))


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
