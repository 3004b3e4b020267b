"""Where the searches for many responses start: where each one would if it were alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.many import parameters_of_many
from skmixed.fitting.start import FLOOR, starting_points
from skmixed.likelihood.crossproducts import FactorProducts
from skmixed.likelihood.many_responses import ManyResponses

__all__ = ["many_starts"]

FloatArray = NDArray[np.float64]


def many_starts(
    objective: ManyResponses, factor: FactorProducts, scores: FloatArray, n_directions: FloatArray
) -> FloatArray:
    """Return the starting theta of each response, shape (m, n_parameters).

    They are the moment estimates of ``starting_theta``; where the likelihood may have several
    optima, the best of several points.

    Parameters
    ----------
    factor : FactorProducts
        Of the grouping factor; only its Z'WZ and multiplicity are used.
    scores : ndarray of shape (m, k, n_levels)
        Z'Wy of each response and level.
    n_directions : ndarray of shape (n_levels,)
        Rank of each level's Z.
    """
    A, k = factor.ZtWZ, len(factor.ZtWZ)
    counts = np.ones(A.shape[-1]) if factor.multiplicity is None else factor.multiplicity
    sigma2 = _within_variances(objective, float(n_directions @ counts))
    flat, summed = A.reshape(k * k, -1), A @ counts
    pairs = ((flat * counts) @ flat.T).reshape(k, k, k, k).swapaxes(1, 2).reshape(k * k, k * k)
    squares = np.einsum("rqg,rsg->rqs", scores * counts, scores)
    moments = squares / sigma2[:, None, None] - summed
    typical = summed / A.shape[-1]
    covariance = objective.covariance
    if covariance.n_parameters == k * (k + 1) // 2:
        return parameters_of_many(covariance, _joint_roots(moments, pairs, typical))
    choices = np.array([starting_points(covariance, one, pairs, typical) for one in moments])
    if choices.shape[1] == 1:
        return choices[:, 0]
    values = [objective.values(choices[:, i]) for i in range(choices.shape[1])]
    best = np.where(np.isnan(values), np.inf, values).argmin(axis=0)
    return choices[np.arange(len(choices)), best]


def _within_variances(objective: ManyResponses, n_between: float) -> FloatArray:
    """Return each response's residual variance within levels; 1 where nothing varies within."""
    within, degrees = objective.moments.within_yy, objective.moments.n_rows - n_between
    told = (within > 0) & (degrees > 0)
    return np.divide(within, degrees, out=np.ones_like(within), where=told)


def _joint_roots(moments: FloatArray, design: FloatArray, typical: FloatArray) -> FloatArray:
    """Return roots of the Psi that solve the moment equations, their eigenvalues bounded below."""
    m, k, _ = moments.shape
    scale = np.sqrt(typical.diagonal())
    scale[scale == 0.0] = 1.0
    try:
        Psi = np.linalg.solve(design, moments.reshape(m, k * k).T).T.reshape(m, k, k)
    except np.linalg.LinAlgError:
        Psi = np.zeros((m, k, k))
    relative = 0.5 * (Psi + Psi.swapaxes(1, 2)) * np.multiply.outer(scale, scale)
    relative[~np.isfinite(relative).all(axis=(1, 2))] = 0.0
    values, vectors = np.linalg.eigh(relative)
    return np.asarray(vectors * np.sqrt(np.maximum(values, FLOOR))[:, None] / scale[:, None])
