"""An approximate Hessian of a generalised model, from the linear model of the modes' last step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance

__all__ = ["working_hessian"]

FloatArray = NDArray[np.float64]

# The determinant of M lowers the largest correlations between beta and theta.
CORRELATED = 0.5


def working_hessian(
    information: FloatArray,
    covariance: JointCovariance,
    theta: FloatArray,
    of_psi: Sequence[FloatArray],
) -> FloatArray:
    """Return an approximate Hessian of -2 log-likelihood in (beta, theta).

    Parameters
    ----------
    information : ndarray of shape (n_beta + n_theta, n_beta + n_theta)
        F'V^-1 F of the columns F of beta and theta (``WorkingColumns``).
    of_psi : sequence of ndarray of shape (k, k)
        Derivative of -2 log-likelihood in Psi of each factor.
    """
    p = len(information) - len(theta)
    hessian = information.copy()
    hessian[:p] *= 2.0
    hessian[p:, p:] += _curvature(covariance, theta, of_psi)
    hessian[:p, p:] = _bounded(hessian[:p, :p], hessian[:p, p:], hessian[p:, p:])
    hessian[p:, :p] = hessian[:p, p:].T
    return hessian


def _curvature(
    covariance: JointCovariance, theta: FloatArray, of_psi: Sequence[FloatArray]
) -> FloatArray:
    """Return the slope in Psi times the curvature of Psi in theta."""
    curvature = np.zeros((len(theta), len(theta)))
    first = 0
    for joint, part, S in zip(covariance.factors, covariance.split(theta), of_psi, strict=True):
        own = slice(first, first + len(part))
        dL = joint.factor_derivative(part)
        curvature[own, own] = 2.0 * np.einsum("ab,mbc,nac->mn", S, dL, dL)
        second = joint.factor_second_derivative(part)
        if second is not None:
            curvature[own, own] += 2.0 * np.einsum("ab,mnac,bc->mn", S, second, joint.factor(part))
        first = own.stop
    return 0.5 * (curvature + curvature.T)


def _bounded(left: FloatArray, between: FloatArray, right: FloatArray) -> FloatArray:
    """Bound the canonical correlations of two sets of parameters; 0 without curvature in a set."""
    try:
        a, b = np.linalg.cholesky(left), np.linalg.cholesky(right)
    except np.linalg.LinAlgError:
        return np.zeros_like(between)
    correlations = np.linalg.solve(b, np.linalg.solve(a, between).T).T
    u, s, v = np.linalg.svd(correlations, full_matrices=False)
    return np.asarray(a @ (u * np.minimum(s, CORRELATED)) @ v @ b.T)
