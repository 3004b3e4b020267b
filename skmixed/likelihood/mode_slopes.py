"""Derivatives of the modes of the random effects in the parameters.

With s = Z'g the scores of the effects, b = Lambda u and u = Lambda's at the modes; implicit
differentiation gives M du = dLambda's - Lambda'Z'WZ dLambda u + Lambda'dv, dv what a parameter
changes in s at fixed effects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.modes import Modes

__all__ = ["mode_slopes"]

FloatArray = NDArray[np.float64]


def mode_slopes(
    rows: EffectRows,
    modes: Modes,
    covariance: JointCovariance,
    theta: FloatArray,
    extra: Sequence[FloatArray] = (),
) -> list[FloatArray]:
    """Return the derivatives of b in theta and the coefficients of further predictors.

    Parameters
    ----------
    rows : EffectRows
    modes : Modes
    covariance : JointCovariance
    theta : ndarray of shape (n_theta,)
    extra : sequence of ndarray of shape (n_columns, n)
        Columns of each further predictor.

    Returns
    -------
    list of ndarray of shape (n_levels, k, n_slopes)
        One for each factor; those in theta come first.
    """
    n = len(modes.eta)
    moved, right = [], []
    for i, dL in _directions(covariance, theta):
        direct = [dL @ u if j == i else np.zeros_like(u) for j, u in enumerate(modes.spherical)]
        change = rows.to_levels(modes.rows.second * rows.to_rows(direct, n))
        own = [L.T @ one for L, one in zip(modes.factors, change, strict=True)]
        own[i] += dL.T @ rows.to_levels(modes.rows.first)[i]
        moved.append(direct)
        right.append(own)
    for X, derivative in zip(extra, modes.rows.extra, strict=True):
        for x in X:
            change = rows.to_levels(derivative.mixed * x)
            moved.append([np.zeros_like(u) for u in modes.spherical])
            right.append([L.T @ one for L, one in zip(modes.factors, change, strict=True)])
    if not right or not modes.spherical:
        return [np.zeros((u.shape[1], len(u), len(right))) for u in modes.spherical]
    solved = modes.system.solve([np.stack(one) for one in zip(*right, strict=True)])
    return [
        np.moveaxis(np.stack(direct) + np.einsum("ab,mbg->mag", L, du), (0, 2), (2, 0))
        for direct, L, du in zip(zip(*moved, strict=True), modes.factors, solved, strict=True)
    ]


def _directions(covariance: JointCovariance, theta: FloatArray) -> list[tuple[int, FloatArray]]:
    """Return the derivative of Lambda in each theta, with the factor it belongs to."""
    return [
        (i, dL)
        for i, (joint, part) in enumerate(
            zip(covariance.factors, covariance.split(theta), strict=True)
        )
        for dL in joint.factor_derivative(part)
    ]
