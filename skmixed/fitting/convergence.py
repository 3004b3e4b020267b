"""Exact zeros on the boundary, where the search ends only near them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg.lapack import dgesdd

from skmixed.fitting.optimise import Optimum
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["SAME", "snap_to_boundary"]

# Relative standard deviations below this may be 0: the search comes slowly to a flat boundary.
NEAR = 1e-3
# A difference of -2 log-likelihood that nobody can tell from 0.
SAME = 1e-8
ROUNDING = 16.0 * float(np.finfo(float).eps)


def snap_to_boundary(objective: ProfiledObjective, optimum: Optimum) -> Optimum:
    """Set vanishing standard deviations to exactly 0 if the objective allows it.

    Parameters
    ----------
    objective : ProfiledObjective
    optimum : Optimum
        Where the search ended.
    """
    factors = objective.covariance.relative_factors(optimum.at.theta)
    blocks = [
        (place, effects)
        for place, covariance in enumerate(objective.covariance.factors)
        for effects in covariance.effect_slices
    ]
    sizes = [dgesdd(factors[i][one, one], compute_uv=0)[1][-1] for i, one in blocks]
    if not any(0.0 < size < NEAR for size in sizes):
        return optimum
    roots = [np.zeros_like(Lambda) for Lambda in factors]
    for place, effects in blocks:
        left, parts, _, _ = dgesdd(factors[place][effects, effects])
        roots[place][effects, effects] = left * np.where(parts < NEAR, 0.0, parts)
    for root in roots:
        # What rounding leaves of an effect whose variance has vanished.
        lengths = np.linalg.norm(root, axis=1)
        root[lengths <= ROUNDING * lengths.max(initial=0.0)] = 0.0
    at = objective(objective.covariance.parameters(roots))
    return replace(optimum, at=at) if at.value <= optimum.at.value + SAME else optimum
