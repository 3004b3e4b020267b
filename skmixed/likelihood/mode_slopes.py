"""Derivatives of the modes of the random effects in the parameters.

With s = Z'g the scores of the effects, b = Psi s at the modes. A parameter that changes Psi by
dPsi, and s at fixed effects by ds, moves them by db = v + D (ds - Z'WZ v), v = dPsi s, with D =
Lambda M^-1 Lambda'.
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
    n, scores = len(modes.eta), rows.to_levels(modes.rows.first)
    direct, changes = [], []
    for i, dPsi in _directions(covariance, theta):
        moved = [np.zeros_like(one) for one in scores]
        moved[i] = dPsi @ scores[i]
        direct.append(moved)
        changes.append(rows.to_levels(modes.rows.second * rows.to_rows(moved, n)))
    for X, derivative in zip(extra, modes.rows.extra, strict=True):
        for x in X:
            direct.append([np.zeros_like(one) for one in scores])
            changes.append(rows.to_levels(derivative.mixed * x))
    if not changes or not scores:
        return [np.zeros((one.shape[1], len(one), len(changes))) for one in scores]
    right = [
        np.einsum("ba,mbg->mag", L, np.stack(one))
        for L, one in zip(modes.factors, zip(*changes, strict=True), strict=True)
    ]
    solved = modes.system.solve(right)
    return [
        np.moveaxis(np.stack(own) + np.einsum("ab,mbg->mag", L, du), (0, 2), (2, 0))
        for own, L, du in zip(zip(*direct, strict=True), modes.factors, solved, strict=True)
    ]


def _directions(covariance: JointCovariance, theta: FloatArray) -> list[tuple[int, FloatArray]]:
    """Return the derivative of Psi in each theta, with the factor it belongs to."""
    found = []
    for i, (joint, part) in enumerate(
        zip(covariance.factors, covariance.split(theta), strict=True)
    ):
        L = joint.factor(part)
        found += [(i, dL @ L.T + L @ dL.T) for dL in joint.factor_derivative(part)]
    return found
