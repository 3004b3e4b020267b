"""The estimates at the optimum, carried over to the user's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design, RandomBlock
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import Convergence, FixedEffects, LMMFit
from skmixed.fitting.monte_carlo import monte_carlo_error
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.quantiles import quartiles
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.standardise import Coordinates, StandardisedRows
from skmixed.likelihood.profiled import ObjectiveValue, PLSSolution, ProfiledObjective

__all__ = ["assemble", "objective_constant"]

FloatArray = NDArray[np.float64]


def assemble(
    design: Design,
    covariance: JointCovariance,
    coordinates: Coordinates,
    rows: StandardisedRows,
    objective: ProfiledObjective,
    optimum: Optimum,
    positions: Sequence[int | None],
) -> LMMFit:
    """Make the finished fit of an optimum, without notices.

    Parameters
    ----------
    design : Design
    covariance : JointCovariance
        Of all blocks.
    coordinates : Coordinates
    rows : StandardisedRows
    objective : ProfiledObjective
        Of the estimable blocks.
    optimum : Optimum
    positions : sequence of (int or None)
        Of each block among the estimable ones.
    """
    at = optimum.at
    sigma2 = at.solution.sigma2 * coordinates.weight_scale
    sigma = float(np.sqrt(sigma2) * coordinates.response_scale)
    factors = objective.covariance.relative_factors(at.theta)
    errors = objective.kernel.errors(at.whitened, factors)
    scores = objective.kernel.projected(at.whitened, _coefficients_and_residual(at.solution))
    estimates = _estimates(scores, factors)
    random = tuple(
        RandomEffects(
            levels=block.factor.levels,
            terms=block.terms,
            covariance=joint,
            coordinates=place,
            sizes=block.factor.sizes,
            precision=_precision(design, block.factor),
            sigma=sigma,
            response_scale=coordinates.response_scale,
            weight_scale=coordinates.weight_scale,
            **(_nothing(block, at) if position is None else estimates[position]),
            errors=errors,
            position=position,
            mean_square=mean_square,
        )
        for block, joint, place, position, mean_square in zip(
            design.blocks,
            covariance.factors,
            coordinates.random,
            positions,
            rows.mean_squares,
            strict=True,
        )
    )
    fit = LMMFit(
        reml=bool(objective.reml),
        n_rows=objective.n_rows,
        fixed=_fixed_effects(design, coordinates, at.solution, sigma),
        random=random,
        errors=errors,
        sigma=sigma,
        log_likelihood=_log_likelihood(at, objective, coordinates),
        convergence=_convergence(
            optimum, _residual_slope(objective, at, scores, design.group_multiplicity)
        ),
        coordinates=coordinates,
        residual_quantiles=_residual_quantiles(rows, design, at.solution, random),
        notices=(),
    )
    return replace(fit, monte_carlo=monte_carlo_error(at, partial(_theta_in_units, fit, objective)))


def _theta_in_units(fit: LMMFit, objective: ProfiledObjective, theta: FloatArray) -> FloatArray:
    """Return the theta that a fit would report at another standardised one."""
    factors = objective.covariance.relative_factors(theta)
    parts = [np.empty(0)]
    for effects in fit.random:
        if effects.position is None:
            parts.append(effects.theta)
        else:
            parts.append(replace(effects, standardised_factor=factors[effects.position]).theta)
    return np.concatenate(parts)


def _coefficients_and_residual(solution: PLSSolution) -> FloatArray:
    """Return the matrix that takes [X y] to [X, y - X beta]."""
    columns = np.eye(len(solution.beta) + 1)
    columns[-1, :-1] = -solution.beta
    return columns


def _estimates(scores: list[FloatArray], factors: list[FloatArray]) -> list[dict[str, FloatArray]]:
    """Collect the modes of each estimable block, and what they owe to beta."""
    return [
        {
            "standardised_factor": Lambda,
            "standardised_modes": score[-1].T @ (Lambda @ Lambda.T),
            "standardised_scores": score[:-1],
        }
        for Lambda, score in zip(factors, scores, strict=False)
    ]


def _residual_slope(
    objective: ProfiledObjective,
    at: ObjectiveValue,
    scores: list[FloatArray],
    multiplicity: FloatArray | None,
) -> FloatArray:
    """Return the derivative of log r2 in theta: d r2 = -t'dPsi t, with t = Z'V^-1 (y - X beta)."""
    covariance = objective.covariance
    slopes = [np.empty(0)]
    for joint, theta, score in zip(
        covariance.factors, covariance.split(at.theta), scores, strict=False
    ):
        t = score[-1]
        squares = (t if multiplicity is None else t * multiplicity) @ t.T
        half = joint.factor_derivative(theta) @ joint.factor(theta).T
        slopes.append(-2.0 * np.einsum("mqr,qr->m", half, squares))
    r2 = at.solution.r2
    return np.concatenate(slopes) / r2 if r2 else np.zeros(len(at.theta))


def _nothing(block: RandomBlock, at: ObjectiveValue) -> dict[str, FloatArray]:
    """Return effects without variance."""
    k, n_levels = block.columns.shape[1], len(block.factor.levels)
    return {
        "standardised_factor": np.zeros((k, k)),
        "standardised_modes": np.zeros((n_levels, k)),
        "standardised_scores": np.zeros((len(at.solution.beta), k, n_levels)),
    }


def _log_likelihood(
    at: ObjectiveValue, objective: ProfiledObjective, coordinates: Coordinates
) -> float:
    """Carry the log-likelihood over from standardised columns to the user's."""
    return -0.5 * (at.value + objective_constant(objective, coordinates))


def objective_constant(objective: ProfiledObjective, coordinates: Coordinates) -> float:
    """Return what -2 log-likelihood has in the user's units beyond that of standardised columns.

    Parameters
    ----------
    objective : ProfiledObjective
    coordinates : Coordinates
    """
    volume = objective.nu * np.log(coordinates.response_scale)
    return float(2.0 * (volume - objective.reml * coordinates.fixed.log_volume))


def _fixed_effects(
    design: Design, coordinates: Coordinates, solution: PLSSolution, sigma: float
) -> FixedEffects:
    """Carry the fixed effects over to the user's units."""
    matrix = coordinates.fixed.matrix
    unscaled = solution.unscaled_covariance
    covariance = matrix @ unscaled @ matrix.T * sigma**2 / coordinates.weight_scale
    aliased = np.concatenate([np.zeros(int(design.intercept), bool), coordinates.fixed.aliased])
    covariance[aliased] = covariance[:, aliased] = np.nan
    return FixedEffects(
        names=design.coefficient_names,
        coefficients=matrix @ (coordinates.shift + coordinates.response_scale * solution.beta),
        covariance=covariance,
        aliased=aliased,
        standardised=solution.beta,
        unscaled_covariance=unscaled,
    )


def _precision(design: Design, factor: GroupingFactor) -> FloatArray:
    """Return the sum of the weights of each level's rows."""
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    return np.bincount(factor.codes, weights).astype(np.float64, copy=False)


def _convergence(optimum: Optimum, residual_slope: FloatArray) -> Convergence:
    """Keep of the search what a report needs."""
    at = optimum.at
    return Convergence(
        optimum.converged,
        optimum.n_iter,
        optimum.scaled_gradient,
        optimum.message,
        at.theta,
        at.gradient,
        at.hessian,
        residual_slope,
    )


def _residual_quantiles(
    rows: StandardisedRows, design: Design, solution: PLSSolution, random: tuple[RandomEffects, ...]
) -> FloatArray:
    """Return minimum, quartiles and maximum of the weighted residuals over sigma."""
    residuals = rows.A[-1] - solution.beta @ rows.A[:-1]
    for effects, factor, Z in zip(random, design.factors, rows.Z, strict=True):
        for modes, column in zip(effects.standardised_modes.T, Z, strict=True):
            residuals -= np.take(modes, factor.codes) * column
    if solution.sigma2 == 0.0:
        return np.zeros(5)
    return quartiles(residuals) / np.sqrt(solution.sigma2)
