"""Inverse probabilities of selection, scaled so that they do not enlarge the groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SCALINGS", "scaled_weights"]

FloatArray = NDArray[np.float64]
SCALINGS = ("size", "effective", "none")


def scaled_weights(
    weights: FloatArray, codes: NDArray[np.intp], n_levels: int, scaling: str
) -> FloatArray:
    r"""Return the weights of rows, scaled within each group.

    .. math::

        w^*_{ij} = \lambda_j w_{ij}, \qquad
        \lambda_j = \frac{n_j}{\sum_i w_{ij}} \text{ (size)}, \quad
        \lambda_j = \frac{\sum_i w_{ij}}{\sum_i w_{ij}^2} \text{ (effective)}

    (Pfeffermann, Skinner, Holmes, Goldstein and Rasbash 1998, section 4).

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Positive.
    codes : ndarray of shape (n,)
        Each row's group.
    n_levels : int
    scaling : {"size", "effective", "none"}
    """
    total = np.bincount(codes, weights, n_levels).astype(np.float64)
    squares = np.bincount(codes, weights**2, n_levels).astype(np.float64)
    sums = {
        "size": np.bincount(codes, minlength=n_levels).astype(np.float64),
        "effective": total**2 / squares,
        "none": total,
    }
    return weights * (sums[scaling] / total)[codes]
