"""Exact zeros on the boundary, where the search ends only near them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.fitting.evaluation import Objective, Value
from skmixed.fitting.newton import Optimum, evaluated

__all__ = ["SAME", "boundary_roots", "is_near_boundary", "snap_to_boundary", "theta_on_boundary"]

FloatArray = NDArray[np.float64]

# Relative standard deviations below this may be 0: the search comes slowly to a flat boundary.
NEAR = 1e-3
# A difference of -2 log-likelihood that nobody can tell from 0.
SAME = 1e-8
ROUNDING = 16.0 * float(np.finfo(float).eps)


def snap_to_boundary(
    objective: Objective[Value], boundary: FloatArray | None, optimum: Optimum[Value]
) -> Optimum[Value]:
    """Move an optimum to parameters on the boundary if the objective allows it."""
    at = None if boundary is None else evaluated(objective, boundary)
    if at is None or at.value > optimum.at.value + SAME:
        return optimum
    return replace(optimum, at=at)


def theta_on_boundary(covariance: JointCovariance, theta: FloatArray) -> FloatArray | None:
    """Return theta with its vanishing standard deviations at 0; None where there are none."""
    factors = list(zip(covariance.factors, covariance.relative_factors(theta), strict=True))
    if not any(is_near_boundary(*factor) for factor in factors):
        return None
    return covariance.parameters([boundary_roots(*factor) for factor in factors])


def is_near_boundary(covariance: DirectSum, Lambda: FloatArray) -> NDArray[np.bool_]:
    """Tell of which factors, (..., k, k), some standard deviation is small, but not 0."""
    near = np.zeros(Lambda.shape[:-2], dtype=bool)
    for effects in covariance.effect_slices:
        least = np.linalg.svd(Lambda[..., effects, effects], compute_uv=False)[..., -1]
        near |= (least > 0.0) & (least < NEAR)
    return near


def boundary_roots(covariance: DirectSum, Lambda: FloatArray) -> FloatArray:
    """Return roots of the covariances with vanishing standard deviations at 0, (..., k, k)."""
    roots = np.zeros_like(Lambda)
    for effects in covariance.effect_slices:
        left, sizes, _ = np.linalg.svd(Lambda[..., effects, effects])
        sizes[sizes < NEAR] = 0.0
        roots[..., effects, effects] = left * sizes[..., None, :]
    # What rounding leaves of an effect whose variance has vanished.
    lengths = np.linalg.norm(roots, axis=-1)
    roots[lengths <= ROUNDING * lengths.max(axis=-1, keepdims=True)] = 0.0
    return roots
