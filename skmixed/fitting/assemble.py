"""The estimates at the optimum, carried over to the user's units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.lmm_fit import Convergence, FixedEffects, LMMFit
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.quantiles import quartiles
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.standardise import Coordinates, StandardisedRows
from skmixed.likelihood.profiled import ObjectiveValue, PLSSolution, ProfiledObjective

__all__ = ["assemble"]

FloatArray = NDArray[np.float64]


def assemble(
    design: Design,
    coordinates: Coordinates,
    rows: StandardisedRows,
    objective: ProfiledObjective,
    optimum: Optimum,
    *,
    estimable: bool,
) -> LMMFit:
    """Make the finished fit of an optimum, without notices.

    Parameters
    ----------
    design : Design
    coordinates : Coordinates
    rows : StandardisedRows
    objective : ProfiledObjective
    optimum : Optimum
    estimable : bool
        Whether the rows tell anything of the variances.
    """
    at = optimum.at
    sigma2 = at.solution.sigma2 * coordinates.weight_scale
    sigma = float(np.sqrt(sigma2) * coordinates.response_scale)
    random = _random_effects(design, rows, objective, at, coordinates, sigma, estimable=estimable)
    return LMMFit(
        reml=bool(objective.reml),
        n_rows=objective.n_rows,
        fixed=_fixed_effects(design, coordinates, at.solution, sigma),
        random=random,
        sigma=sigma,
        log_likelihood=_log_likelihood(at, objective, coordinates),
        convergence=_convergence(optimum),
        coordinates=coordinates,
        residual_quantiles=_residual_quantiles(rows, design, at.solution, random),
        notices=(),
    )


def _log_likelihood(
    at: ObjectiveValue, objective: ProfiledObjective, coordinates: Coordinates
) -> float:
    """Carry the log-likelihood over from standardised columns to the user's."""
    volume = objective.nu * np.log(coordinates.response_scale)
    volume -= objective.reml * coordinates.fixed.log_volume
    return float(-0.5 * at.value - volume)


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


def _random_effects(
    design: Design,
    rows: StandardisedRows,
    objective: ProfiledObjective,
    at: ObjectiveValue,
    coordinates: Coordinates,
    sigma: float,
    *,
    estimable: bool,
) -> tuple[RandomEffects, ...]:
    """Collect the modes of the block and what their uncertainty needs."""
    if coordinates.random is None:
        return ()
    (block,) = design.blocks
    Lambda = objective.covariance.factor(at.theta)
    columns = np.eye(len(at.solution.beta) + 1)
    columns[-1, :-1] = -at.solution.beta
    scores = objective.kernel.projected(at.whitened, columns)
    factor = block.factor
    return (
        RandomEffects(
            levels=factor.levels,
            terms=block.terms,
            covariance=objective.covariance,
            coordinates=coordinates.random,
            sizes=factor.sizes,
            precision=_precision(design),
            sigma=sigma,
            response_scale=coordinates.response_scale,
            weight_scale=coordinates.weight_scale,
            standardised_factor=Lambda,
            standardised_modes=scores[-1].T @ (Lambda @ Lambda.T),
            standardised_R=objective.kernel.R,
            standardised_scores=scores[:-1],
            mean_square=rows.mean_square,
            estimable=estimable,
        ),
    )


def _precision(design: Design) -> FloatArray:
    """Return the sum of the weights of each level's rows."""
    codes = design.blocks[0].factor.codes
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    return np.bincount(codes, weights).astype(np.float64, copy=False)


def _convergence(optimum: Optimum) -> Convergence:
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
    )


def _residual_quantiles(
    rows: StandardisedRows, design: Design, solution: PLSSolution, random: tuple[RandomEffects, ...]
) -> FloatArray:
    """Return minimum, quartiles and maximum of the weighted residuals over sigma."""
    residuals = rows.A[-1] - solution.beta @ rows.A[:-1]
    for effects in random:
        codes = design.blocks[0].factor.codes
        for modes, Z in zip(effects.standardised_modes.T, rows.Z, strict=True):
            residuals -= np.take(modes, codes) * Z
    if solution.sigma2 == 0.0:
        return np.zeros(5)
    return quartiles(residuals) / np.sqrt(solution.sigma2)
