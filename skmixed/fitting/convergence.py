"""Exact zeros on the boundary, where the search ends only near them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import SINGULAR
from skmixed.fitting.optimise import Optimum
from skmixed.likelihood.profiled import ProfiledObjective

__all__ = ["snap_to_boundary"]

# A difference of -2 log-likelihood that nobody can tell from 0.
SAME = 1e-8


def snap_to_boundary(objective: ProfiledObjective, optimum: Optimum) -> Optimum:
    """Set vanishing standard deviations to exactly 0 if the objective allows it.

    Parameters
    ----------
    objective : ProfiledObjective
    optimum : Optimum
        Where the search ended.
    """
    theta = optimum.at.theta
    Lambda = objective.covariance.factor(theta)
    root = np.zeros_like(Lambda)
    for effects in objective.covariance.effect_slices:
        root[effects, effects] = _without_small_parts(Lambda[effects, effects])
    snapped = objective.covariance.parameters(root)
    if np.array_equal(np.abs(snapped), np.abs(theta)):
        return optimum
    at = objective(snapped)
    if at.value <= optimum.at.value + SAME:
        return replace(optimum, at=at)
    return optimum


def _without_small_parts(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop the singular parts of a factor that are below the boundary's tolerance."""
    left, parts, _ = np.linalg.svd(factor)
    if parts[-1] >= SINGULAR:
        return factor
    return left * np.where(parts < SINGULAR, 0.0, parts)
