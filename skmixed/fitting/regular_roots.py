"""Regular triangular roots of the covariances of effects, and derivatives by them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_covariance", "upper_root"]

FloatArray = NDArray[np.float64]

# Smallest singular value of a relative covariance factor: a variance of its square moves nothing,
# and the score of a variance of 0 is found as that of any other.
LEAST = 1e-7


def upper_root(Lambda: FloatArray) -> FloatArray:
    """Return the upper triangular root of the same Psi, made regular where it is not.

    A regular root gives the score of Psi, and that the one of any other root.
    """
    if len(Lambda) == 1:
        return np.maximum(np.abs(Lambda), LEAST)
    left, values, right = np.linalg.svd(Lambda)
    if values[-1] < LEAST:
        Lambda = (left * np.maximum(values, LEAST)) @ right
    # Turned by half, the lower factor of a QR decomposition is an upper one.
    turned = np.asarray(np.linalg.qr(Lambda[::-1].T, mode="r")).T[::-1, ::-1]
    return np.asarray(turned * np.where(turned.diagonal() < 0.0, -1.0, 1.0))


def by_covariance(root: FloatArray, of_root: FloatArray) -> FloatArray:
    """Return the derivative in Psi = R R', given that in its upper triangular root.

    It is S with R'(dF / dR) = 2 R'S R above the diagonal (Murray 2016, turned by half).
    """
    if len(root) == 1:
        return 0.5 * of_root / root
    products = root.T @ of_root
    symmetric = np.triu(products) + np.triu(products, 1).T
    half = np.linalg.solve(root.T, symmetric)
    return np.asarray(0.5 * np.linalg.solve(root.T, half.T), np.float64)
