"""The finished fit of a generalised model at its optimum, in the user's units."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import FixedCoordinates
from skmixed.fitting.assemble import quartiles
from skmixed.fitting.estimates import theta_in_units
from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.generalised_search import GeneralisedOptimum
from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit, JointEstimate
from skmixed.fitting.lmm_fit import Convergence, FixedEffects
from skmixed.fitting.monte_carlo import monte_carlo_error
from skmixed.fitting.random_effects import RandomEffects
from skmixed.likelihood.errors import ConditionalErrors
from skmixed.likelihood.modes import Modes
from skmixed.likelihood.penalised_errors import errors_given_data
from skmixed.likelihood.working_sums import WorkingSums

if TYPE_CHECKING:
    from skmixed.fitting.glmm_model import GeneralisedCoordinates, GLMMModel

__all__ = ["generalised_estimates"]

FloatArray = NDArray[np.float64]

# Curvature below this part of the largest, in units of the parameters' own, is rounding.
FLAT = 1e-10


def generalised_estimates(
    model: GLMMModel,
    coordinates: GeneralisedCoordinates,
    objective: GeneralisedObjective,
    found: GeneralisedOptimum,
) -> GLMMFit:
    """Make the fit of an optimum."""
    optimum = found.optimum
    at = optimum.at
    x, modes = at.theta, at.modes
    joint = _joint(objective, x, found.hessian)
    errors = errors_given_data(modes.system, modes.factors)
    design = model.design
    pearson = objective.responses.pearson(modes.eta, modes.extra)
    fit = GLMMFit(
        reml=False,
        n_rows=design.count,
        fixed=_fixed(model, coordinates.mean.fixed, joint),
        random=_random(model, coordinates, objective, at, errors, joint),
        errors=errors,
        sigma=1.0,
        log_likelihood=-0.5 * (at.value - at.penalty) + _normalising(model),
        convergence=_convergence(optimum, joint),
        coordinates=coordinates.mean,
        residual_quantiles=quartiles(pearson),
        notices=(),
        family=model.family,
        joint=joint,
        extra=_extra(model, coordinates, objective, joint),
        n_quadrature=model.n_quadrature,
        trials=model.trials,
        mode_slopes=tuple(at.columns.mode_slopes),
        working=_working_sums(objective, modes),
        penalty=model.penalty,
    )
    error = monte_carlo_error(at, partial(_theta_in_units, fit, objective))
    return fit if error is None else replace(fit, monte_carlo=error)


def _theta_in_units(fit: GLMMFit, objective: GeneralisedObjective, x: FloatArray) -> FloatArray:
    """Return the theta that a fit would report at other standardised parameters."""
    return theta_in_units(fit, objective.covariance, objective.split(x).theta)


def _working_sums(objective: GeneralisedObjective, modes: Modes) -> WorkingSums | None:
    """Sum up what the rows say of the effects, and how that depends on the parameters."""
    weighted = [-modes.rows.second * objective.X]
    weighted += [one.mixed * X for one, X in zip(modes.rows.extra, objective.extra, strict=True)]
    return WorkingSums.of(objective.rows, modes, np.vstack(weighted))


def _joint(objective: GeneralisedObjective, x: FloatArray, hessian: FloatArray) -> JointEstimate:
    """Invert the Hessian of all parameters; one that is held by its bound has no error."""
    free = np.ones(len(x), bool) if objective.lower is None else x > objective.lower
    covariance = np.zeros_like(hessian)
    covariance[np.ix_(free, free)] = _inverse(hessian[np.ix_(free, free)])
    return JointEstimate(x, hessian, covariance, len(objective.X), objective.n_theta)


def _inverse(hessian: FloatArray) -> FloatArray:
    """Return the covariance of the estimates: large, but finite, along flat directions."""
    sizes = np.abs(hessian.diagonal())
    least = max(FLAT * sizes.max(initial=0.0), float(np.finfo(float).tiny) ** 0.5)
    units = np.sqrt(np.maximum(sizes, least))
    values, vectors = np.linalg.eigh(hessian / np.multiply.outer(units, units))
    known = np.maximum(values, FLAT * max(float(values.max(initial=0.0)), FLAT))
    root = vectors / np.sqrt(known) / units[:, None]
    return np.asarray(2.0 * root @ root.T)


def _fixed(model: GLMMModel, place: FixedCoordinates, joint: JointEstimate) -> FixedEffects:
    """Carry the fixed effects over to the user's units."""
    beta, own = joint.parameters[joint.beta], joint.covariance[joint.beta, joint.beta]
    coefficients, covariance, aliased = _in_units(place, beta, own)
    return FixedEffects(
        model.design.coefficient_names, coefficients, covariance, aliased, beta, own
    )


def _in_units(
    place: FixedCoordinates, beta: FloatArray, own: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return coefficients of the user's columns, their covariance, and which are aliased."""
    matrix = place.matrix
    covariance = matrix @ own @ matrix.T
    aliased = np.concatenate([np.zeros(int(place.intercept), bool), place.aliased])
    covariance[aliased] = covariance[:, aliased] = np.nan
    return matrix @ beta, covariance, aliased


def _random(
    model: GLMMModel,
    coordinates: GeneralisedCoordinates,
    objective: GeneralisedObjective,
    at: GeneralisedValue,
    errors: ConditionalErrors,
    joint: JointEstimate,
) -> tuple[RandomEffects, ...]:
    """Describe the random effects of each factor."""
    design = model.design
    theta = joint.parameters[joint.theta]
    factors = objective.covariance.relative_factors(theta)
    scores = at.columns.fixed_scores
    weights = design.weights.values
    described = []
    for i, (block, covariance, place, Z) in enumerate(
        zip(
            design.blocks,
            model.covariance.factors,
            coordinates.mean.random,
            objective.rows.Z,
            strict=True,
        )
    ):
        factor = block.factor
        n_levels = len(factor.levels)
        described.append(
            RandomEffects(
                levels=factor.levels,
                terms=block.terms,
                covariance=covariance,
                coordinates=place,
                sizes=factor.sizes,
                precision=np.bincount(factor.codes, weights, n_levels).astype(np.float64),
                sigma=1.0,
                response_scale=1.0,
                weight_scale=1.0,
                standardised_factor=factors[i],
                standardised_modes=at.modes.effects[i].T,
                standardised_scores=scores[i],
                errors=errors,
                position=i,
                mean_square=Z @ Z.T / design.n_rows,
            )
        )
    return tuple(described)


def _extra(
    model: GLMMModel,
    coordinates: GeneralisedCoordinates,
    objective: GeneralisedObjective,
    joint: JointEstimate,
) -> tuple[ExtraPredictor, ...]:
    """Carry the coefficients of further predictors over to the user's units."""
    first = joint.theta.stop
    found = []
    for name, columns, place, rows in zip(
        model.family.extra_names, model.extra, coordinates.extra, objective.extra, strict=True
    ):
        own = slice(first, first + len(rows))
        values, covariance, _ = _in_units(place, joint.parameters[own], joint.covariance[own, own])
        found.append(ExtraPredictor(name, columns.coefficient_names, values, covariance, place))
        first = own.stop
    return tuple(found)


def _normalising(model: GLMMModel) -> float:
    """Return what the log density of counts of successes has beyond that of single trials."""
    if model.n_trials is None:
        return 0.0
    return float(model.family.normalising(model.design.response, model.n_trials).sum())


def _convergence(optimum: Any, joint: JointEstimate) -> Convergence:
    """Keep of the search what a report needs."""
    theta = joint.theta
    return Convergence(
        optimum.converged,
        optimum.n_iter,
        optimum.scaled_gradient,
        optimum.message,
        joint.parameters[theta],
        optimum.at.gradient[theta],
        joint.hessian[theta, theta],
        np.zeros(joint.n_theta),
    )
