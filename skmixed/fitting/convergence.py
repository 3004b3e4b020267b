"""Exact zeros on the boundary, where the search ends only near them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesdd

from skmixed.covariance import JointCovariance
from skmixed.fitting.optimise import Optimum
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["SAME", "snap_to_boundary", "theta_on_boundary"]

# Relative standard deviations below this may be 0: the search comes slowly to a flat boundary.
NEAR = 1e-3
# A difference of -2 log-likelihood that nobody can tell from 0.
SAME = 1e-8
ROUNDING = 16.0 * float(np.finfo(float).eps)


def snap_to_boundary(
    objective: ProfiledObjective, optimum: Optimum[ObjectiveValue]
) -> Optimum[ObjectiveValue]:
    """Set vanishing standard deviations to exactly 0 if the objective allows it.

    Parameters
    ----------
    optimum : Optimum
        Where the search ended.
    """
    theta = theta_on_boundary(objective.covariance, optimum.at.theta)
    if theta is None:
        return optimum
    at = objective(theta)
    return replace(optimum, at=at) if at.value <= optimum.at.value + SAME else optimum


def theta_on_boundary(
    covariance: JointCovariance, theta: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return theta with its vanishing standard deviations at 0; None where there are none."""
    factors = covariance.relative_factors(theta)
    blocks = [
        (place, effects)
        for place, joint in enumerate(covariance.factors)
        for effects in joint.effect_slices
    ]
    sizes = [dgesdd(factors[i][one, one], compute_uv=0)[1][-1] for i, one in blocks]
    if not any(0.0 < size < NEAR for size in sizes):
        return None
    roots = [np.zeros_like(Lambda) for Lambda in factors]
    for place, effects in blocks:
        left, parts, _, _ = dgesdd(factors[place][effects, effects])
        roots[place][effects, effects] = left * np.where(parts < NEAR, 0.0, parts)
    for root in roots:
        # What rounding leaves of an effect whose variance has vanished.
        lengths = np.linalg.norm(root, axis=1)
        root[lengths <= ROUNDING * lengths.max(initial=0.0)] = 0.0
    return covariance.parameters(roots)
