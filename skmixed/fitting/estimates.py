"""The estimates at one theta, carried over to the user's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.lmm_fit import Convergence, FixedEffects, LMMFit
from skmixed.fitting.monte_carlo import monte_carlo_error
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.random_effects import FactorDescription
from skmixed.fitting.standardise import Coordinates
from skmixed.likelihood.batched import repeated
from skmixed.likelihood.profiled import ObjectiveValue, PLSSolution, ProfiledObjective

__all__ = [
    "estimates_at",
    "objective_constant",
    "residual_slope",
    "theta_in_units",
]

FloatArray = NDArray[np.float64]


def estimates_at(
    optimum: Optimum[ObjectiveValue],
    objective: ProfiledObjective,
    coordinates: Coordinates,
    names: tuple[str, ...],
    factors: Sequence[FactorDescription],
    *,
    sigma: float | None = None,
) -> LMMFit:
    """Make the fit of one evaluation of the objective, at the estimate of sigma or a given one.

    It has neither notices nor quantiles of residuals, which need the rows.
    """
    at = optimum.at
    unit = coordinates.sigma_unit
    if sigma is None:
        sigma, value = float(np.sqrt(at.solution.sigma2) * unit), at.value
    else:
        value = objective.value_given(at, (sigma / unit) ** 2)
    roots = objective.covariance.relative_factors(at.theta)
    errors = objective.kernel.errors(at.whitened, roots)
    # Of X, and of y - X beta.
    columns = np.eye(len(at.solution.beta) + 1)
    columns[-1, :-1] = -at.solution.beta
    scores = objective.kernel.projected(at.whitened, columns)
    random = tuple(
        factor.with_estimates(
            sigma=sigma,
            response_scale=coordinates.response_scale,
            weight_scale=coordinates.weight_scale,
            errors=errors,
            **_solved(factor, roots, scores, len(at.solution.beta)),
        )
        for factor in factors
    )
    fit = LMMFit(
        reml=bool(objective.reml),
        n_rows=objective.n_rows,
        fixed=_fixed_effects(names, coordinates, at.solution, sigma),
        random=random,
        errors=errors,
        sigma=sigma,
        log_likelihood=-0.5 * (value + objective_constant(objective, coordinates)),
        convergence=_convergence(optimum, residual_slope(objective, at, scores)),
        coordinates=coordinates,
        residual_quantiles=np.full(5, np.nan),
        notices=(),
    )
    error = monte_carlo_error(at, partial(theta_in_units, fit, objective.covariance))
    return fit if error is None else replace(fit, monte_carlo=error)


def objective_constant(objective: ProfiledObjective, coordinates: Coordinates) -> float:
    """Return what -2 log-likelihood has in the user's units beyond that of standardised columns."""
    volume = objective.nu * np.log(coordinates.response_scale)
    return float(2.0 * (volume - objective.reml * coordinates.fixed.log_volume))


def theta_in_units(fit: LMMFit, covariance: JointCovariance, theta: FloatArray) -> FloatArray:
    """Return the theta that a fit would report at another standardised one."""
    factors = covariance.relative_factors(theta)
    parts = [np.empty(0)]
    for effects in fit.random:
        if effects.position is None:
            parts.append(effects.theta)
        else:
            parts.append(replace(effects, standardised_factor=factors[effects.position]).theta)
    return np.concatenate(parts)


def residual_slope(
    objective: ProfiledObjective, at: ObjectiveValue, scores: list[FloatArray]
) -> FloatArray:
    """Return the derivative of log r2 in theta: d r2 = -t'dPsi t, with t = Z'V^-1 (y - X beta).

    The scores are Z'V^-1 of some columns, y - X beta the last, for each factor.
    """
    covariance = objective.covariance
    slopes = [np.empty(0)]
    for joint, theta, score, products in zip(
        covariance.factors,
        covariance.split(at.theta),
        scores,
        objective.products.factors,
        strict=False,
    ):
        t = score[-1]
        squares = repeated(t, products.multiplicity) @ t.T
        slopes.append(-np.einsum("mqr,qr->m", joint.covariance_derivative(theta), squares))
    r2 = at.solution.r2
    return np.concatenate(slopes) / r2 if r2 else np.zeros(len(at.theta))


def _solved(
    factor: FactorDescription, roots: list[FloatArray], scores: list[FloatArray], rank: int
) -> dict[str, FloatArray]:
    """Return Lambda and the modes of a factor, and what these owe to beta; 0 if not estimable."""
    k, n_levels = len(factor.mean_square), len(factor.levels)
    Lambda, score = np.zeros((k, k)), np.zeros((rank + 1, k, n_levels))
    if factor.position is not None:
        Lambda, score = roots[factor.position], scores[factor.position]
    return {
        "standardised_factor": Lambda,
        "standardised_modes": score[-1].T @ (Lambda @ Lambda.T),
        "standardised_scores": score[:-1],
    }


def _fixed_effects(
    names: tuple[str, ...], coordinates: Coordinates, solution: PLSSolution, sigma: float
) -> FixedEffects:
    """Carry the fixed effects over to the user's units."""
    matrix = coordinates.fixed.matrix
    unscaled = solution.unscaled_covariance
    covariance = matrix @ unscaled @ matrix.T * sigma**2 / coordinates.weight_scale
    aliased = np.concatenate(
        [np.zeros(int(coordinates.fixed.intercept), bool), coordinates.fixed.aliased]
    )
    covariance[aliased] = covariance[:, aliased] = np.nan
    return FixedEffects(
        names=names,
        coefficients=matrix @ (coordinates.shift + coordinates.response_scale * solution.beta),
        covariance=covariance,
        aliased=aliased,
        standardised=solution.beta,
        unscaled_covariance=unscaled,
    )


def _convergence(optimum: Optimum[ObjectiveValue], residual_slope: FloatArray) -> Convergence:
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
