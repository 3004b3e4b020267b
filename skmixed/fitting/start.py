"""Where the search for theta starts: a moment estimate, the same whatever the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dsyevd

from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["starting_theta"]

FloatArray = NDArray[np.float64]


def starting_theta(objective: ProfiledObjective) -> FloatArray:
    """Return the theta of a quadratic moment estimate of the covariance of the effects.

    With t_g = Z_g'W(y - X beta) from least squares and A_g = Z_g'W Z_g, E[t_g t_g'] is about
    sigma^2 (A_g + A_g Psi A_g). Summed over the levels this is one linear equation for Psi
    (MINQUE(0); Searle, Casella and McCulloch 1992, section 11.3), sigma^2 coming from within
    levels. Its eigenvalues are kept away from 0, from where the search would not return.

    Parameters
    ----------
    objective : ProfiledObjective
    """
    k = objective.covariance.n_effects
    moments, design, typical = objective.kernel.second_moments(_within_variance(objective))
    scale = np.sqrt(typical.diagonal())
    floor = 1.0 / np.where(scale > 0, scale, 1.0)
    try:
        Psi = np.linalg.solve(design, moments.ravel()).reshape(k, k)
    except np.linalg.LinAlgError:
        Psi = np.diag(floor**2)
    # In units of the floor, the standard deviation that a typical level could just tell from 0.
    relative = 0.5 * (Psi + Psi.T) * np.multiply.outer(scale, scale)
    if not np.isfinite(relative).all():
        relative = np.eye(k)
    values, vectors, _ = dsyevd(relative)
    root = floor[:, None] * vectors * np.sqrt(np.maximum(values, 0.1))
    return objective.covariance.parameters(root)


def _within_variance(objective: ProfiledObjective) -> float:
    """Return the residual variance within levels, that of all rows where nothing varies within."""
    residual, degrees = objective.kernel.within_levels
    if degrees > 0 and residual > 0:
        return residual / degrees
    return 1.0
