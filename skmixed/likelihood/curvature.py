"""The information of the linear model that the last step of the modes solved.

With V = W^-1 + Z Psi Z', its log-likelihood has curvature 2 X'V^-1 X in beta, and along theta the
average information f'V^-1 f with f = Z dPsi t, t = Z'V^-1 (z - X beta) for the working response z
(Gilmour, Thompson and Cullis 1995), beside the slope in Psi times the curvature of Psi itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.likelihood.effect_rows import Blocks, EffectRows, summed
from skmixed.likelihood.modes import Modes

__all__ = ["information_of_columns", "working_information"]

FloatArray = NDArray[np.float64]


def working_information(
    X: FloatArray,
    rows: EffectRows,
    modes: Modes,
    covariance: JointCovariance,
    theta: FloatArray,
    of_psi: Sequence[FloatArray],
) -> FloatArray:
    """Return an approximate Hessian of -2 log-likelihood in (beta, theta).

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
    rows : EffectRows
    modes : Modes
    covariance : JointCovariance
    theta : ndarray of shape (n_theta,)
    of_psi : sequence of ndarray of shape (k, k)
        Derivative of -2 log-likelihood in Psi of each factor.
    """
    p, m = len(X), len(theta)
    weights = -modes.rows.second
    scores = rows.to_levels(modes.rows.first)
    directions = [np.zeros((m, *score.shape)) for score in scores]
    curvature = np.zeros((m, m))
    first = 0
    for i, (joint, part) in enumerate(
        zip(covariance.factors, covariance.split(theta), strict=True)
    ):
        own = slice(first, first + len(part))
        L, dL = joint.factor(part), joint.factor_derivative(part)
        moved = np.einsum("mab,cb->mac", dL, L)
        directions[i][own] = np.einsum("mab,bg->mag", moved + moved.swapaxes(1, 2), scores[i])
        curvature[own, own] = 2.0 * np.einsum("ab,mbc,nac->mn", of_psi[i], dL, dL)
        second = joint.factor_second_derivative(part)
        if second is not None:
            curvature[own, own] += 2.0 * np.einsum("ab,mnac,bc->mn", of_psi[i], second, L)
        first = own.stop
    information = information_of_columns(X, rows, modes, weights, directions)
    information[:p, :p] *= 2.0
    information[:p, p:] = information[p:, :p] = 0.0
    information[p:, p:] += 0.5 * (curvature + curvature.T)
    return information


def information_of_columns(
    X: FloatArray,
    rows: EffectRows,
    modes: Modes,
    weights: FloatArray,
    directions: Sequence[FloatArray] = (),
) -> FloatArray:
    """Return F'V^-1 F for the columns F of X, and Z v of some effects v.

    Parameters
    ----------
    X : ndarray of shape (n_coefficients, n)
    rows : EffectRows
    modes : Modes
    weights : ndarray of shape (n,)
        The observed ones.
    directions : sequence of ndarray of shape (m, k, n_levels)
        v of each factor; none if empty.
    """
    weighted = X * weights
    of_X = rows.columns_to_levels(weighted)
    of_Z = _times(modes.gram, rows, directions) if directions else []
    gram = weighted @ X.T
    if directions:
        across, inner = _inner(of_X, directions), _inner(of_Z, directions)
        gram = np.block([[gram, across], [across.T, inner]])
    shared = [np.concatenate(pair) for pair in zip(of_X, of_Z, strict=True)] if directions else of_X
    right = [np.einsum("ab,mag->mbg", L, one) for L, one in zip(modes.factors, shared, strict=True)]
    taken = _inner(right, modes.system.solve(right)) if right else np.zeros_like(gram)
    return gram - 0.5 * (taken + taken.T)


def _inner(left: Sequence[FloatArray], right: Sequence[FloatArray]) -> FloatArray:
    """Return the inner products of effects of shape (m, k, n_levels), over all factors."""
    total = np.zeros((len(left[0]), len(right[0])))
    for a, v in zip(left, right, strict=True):
        total += a.reshape(len(a), -1) @ v.reshape(len(v), -1).T
    return total


def _times(gram: Blocks, rows: EffectRows, effects: Sequence[FloatArray]) -> list[FloatArray]:
    """Return Z'WZ v for effects of shape (m, k, n_levels)."""
    products = [np.einsum("abg,mbg->mag", N, v) for N, v in zip(gram.own, effects, strict=True)]
    for (i, j), N in gram.crossed.items():
        cells = rows.cells[i, j]
        to_left = np.einsum("abc,mbc->mac", N, effects[j][:, :, cells.right])
        to_right = np.einsum("abc,mac->mbc", N, effects[i][:, :, cells.left])
        products[i] += summed(to_left, cells.left, cells.n_left)
        products[j] += summed(to_right, cells.right, cells.n_right)
    return products
