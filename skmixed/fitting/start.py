"""Where the search for theta starts: a moment estimate, the same whatever the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.covariance.many import parameters_of_many
from skmixed.likelihood.batched import repeated
from skmixed.likelihood.many_responses import ManyResponses
from skmixed.likelihood.profiled import ProfiledObjective
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = ["starting_points", "starting_theta", "starts_of_many"]

FloatArray = NDArray[np.float64]

# Smallest variance to start from, where 1 is what a typical level could just tell from 0.
FLOOR = 0.1
# Correlations to start from where the likelihood has several optima along them.
CORRELATIONS = (0.0, 0.5, 0.9)


def starting_theta(objective: ProfiledObjective) -> FloatArray:
    """Return the theta of a quadratic moment estimate of the covariance of the effects.

    With t_g = Z_g'W(y - X beta) from least squares and A_g = Z_g'W Z_g, E[t_g t_g'] is about
    sigma^2 (A_g + A_g Psi A_g). Summed over the levels this is one linear equation for Psi
    (MINQUE(0); Searle, Casella and McCulloch 1992, section 11.3), sigma^2 coming from within
    levels. Its eigenvalues are kept away from 0, from where the search would not return.

    Where the structure fixes some covariances, or ties them to each other, the likelihood may have
    several optima. There the estimates for each effect alone, and some correlations, are tried as
    well, and the best point is returned.
    """
    residual, degrees = objective.kernel.within_levels
    # Nothing may vary within levels.
    sigma2 = residual / degrees if degrees > 0 and residual > 0 else 1.0
    choices = [
        starting_points(covariance, *moments)
        for covariance, moments in zip(
            objective.covariance.factors,
            objective.kernel.second_moments(sigma2),
            strict=True,
        )
    ]
    start = [points[0] for points in choices]
    for position, points in enumerate(choices):
        if len(points) > 1:
            tried = [[*start[:position], point, *start[position + 1 :]] for point in points]
            start = min(tried, key=lambda parts: objective.value(np.concatenate(parts)))
    return np.concatenate(start)


def starts_of_many(
    objective: ManyResponses, kernel: SingleFactorKernel, scores: FloatArray
) -> FloatArray:
    """Return where the search for each response would start if it were alone, from its Z'Wy."""
    covariance, k = objective.covariance, scores.shape[1]
    within, degrees = objective.moments.within_yy, kernel.within_levels[1]
    told = (within > 0) & (degrees > 0)
    sigma2 = np.divide(within, degrees, out=np.ones_like(within), where=told)
    ((_, design, typical),) = kernel.second_moments(1.0)
    squares = np.einsum("rqg,rsg->rqs", repeated(scores, kernel.multiplicity), scores)
    moments = squares / sigma2[:, None, None] - typical * scores.shape[2]
    if covariance.n_parameters == k * (k + 1) // 2:
        return parameters_of_many(covariance, _joint_roots(moments, design, _scale(typical)))
    choices = np.array([starting_points(covariance, one, design, typical) for one in moments])
    if choices.shape[1] == 1:
        return choices[:, 0]
    values = [objective.values(choices[:, i]) for i in range(choices.shape[1])]
    best = np.where(np.isnan(values), np.inf, values).argmin(axis=0)
    return choices[np.arange(len(choices)), best]


def starting_points(
    covariance: DirectSum, moments: FloatArray, design: FloatArray, typical: FloatArray
) -> list[FloatArray]:
    """Return the starts of one factor: the joint estimate, and others if it may be far off."""
    scale = _scale(typical)
    root = _joint_roots(moments[None], design, scale)[0]
    joint = covariance.parameters(root)
    k = covariance.n_effects
    if len(joint) == k * (k + 1) // 2:
        return [joint]
    roots = []
    curved = covariance.factor_second_derivative(joint) is not None
    if curved:
        roots += _correlated_roots(np.sqrt(np.sum(root**2, axis=1)))
    if len(joint) >= k or not curved:
        # A column of zeros has neither moments nor a design.
        sizes = design.diagonal()[:: k + 1]
        alone = moments.diagonal() / np.where(sizes > 0.0, sizes, 1.0)
        roots += _single_roots(alone, scale)
    return [joint, *map(covariance.parameters, roots)]


def _scale(typical: FloatArray) -> FloatArray:
    """Return what standard deviations are multiplied by, so that a typical level just tells 1."""
    scale = np.sqrt(typical.diagonal())
    scale[scale == 0.0] = 1.0
    return scale


def _joint_roots(moments: FloatArray, design: FloatArray, scale: FloatArray) -> FloatArray:
    """Return roots (m, k, k) of the Psi that solve the moment equations, eigenvalues bounded."""
    m, k, _ = moments.shape
    try:
        Psi = np.linalg.solve(design, moments.reshape(m, k * k).T).T.reshape(m, k, k)
    except np.linalg.LinAlgError:
        Psi = np.zeros((m, k, k))
    relative = 0.5 * (Psi + Psi.swapaxes(1, 2)) * np.multiply.outer(scale, scale)
    relative[~np.isfinite(relative).all(axis=(1, 2))] = 0.0
    values, vectors = np.linalg.eigh(relative)
    return np.asarray(vectors * np.sqrt(np.maximum(values, FLOOR))[:, None] / scale[:, None])


def _correlated_roots(sizes: FloatArray) -> list[FloatArray]:
    """Return roots of the Psi in which effects of these sizes are more and less correlated."""
    return [
        np.column_stack([np.sqrt(1.0 - rho) * np.diag(sizes), np.sqrt(rho) * sizes])
        for rho in CORRELATIONS
    ]


def _single_roots(variances: FloatArray, scale: FloatArray) -> list[FloatArray]:
    """Return roots of the Psi in which one effect has its own estimate, the others the least."""
    least = FLOOR / scale**2
    roots = []
    for j, variance in enumerate(variances):
        chosen = least.copy()
        chosen[j] = max(variance, least[j])
        roots.append(np.diag(np.sqrt(chosen)))
    return roots
