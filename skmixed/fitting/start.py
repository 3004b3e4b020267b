"""Where the search for theta starts: a moment estimate, the same whatever the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dsyevd

from skmixed.covariance import DirectSum
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["starting_points", "starting_theta"]

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
    choices = [
        starting_points(covariance, *moments)
        for covariance, moments in zip(
            objective.covariance.factors,
            objective.kernel.second_moments(_within_variance(objective)),
            strict=True,
        )
    ]
    start = [points[0] for points in choices]
    for position, points in enumerate(choices):
        if len(points) > 1:
            tried = [[*start[:position], point, *start[position + 1 :]] for point in points]
            start = min(tried, key=lambda parts: objective.value(np.concatenate(parts)))
    return np.concatenate(start)


def starting_points(
    covariance: DirectSum, moments: FloatArray, design: FloatArray, typical: FloatArray
) -> list[FloatArray]:
    """Return the starts of one factor: the joint estimate, and others if it may be far off."""
    scale = np.sqrt(typical.diagonal())
    scale[scale == 0.0] = 1.0
    root = _joint_root(moments, design, scale)
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


def _joint_root(moments: FloatArray, design: FloatArray, scale: FloatArray) -> FloatArray:
    """Return a root of the Psi that solves the moment equations, its eigenvalues bounded below."""
    k = len(scale)
    try:
        Psi = np.linalg.solve(design, moments.ravel()).reshape(k, k)
    except np.linalg.LinAlgError:
        Psi = np.zeros((k, k))
    relative = 0.5 * (Psi + Psi.T) * np.multiply.outer(scale, scale)
    if not np.isfinite(relative).all():
        relative = np.zeros((k, k))
    values, vectors, _ = dsyevd(relative)
    return vectors * np.sqrt(np.maximum(values, FLOOR)) / scale[:, None]


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


def _within_variance(objective: ProfiledObjective) -> float:
    """Return the residual variance within levels, that of all rows where nothing varies within."""
    residual, degrees = objective.kernel.within_levels
    if degrees > 0 and residual > 0:
        return residual / degrees
    return 1.0
