"""Inverse probabilities of selection, scaled so that they do not enlarge the groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.design.weights import Weights

__all__ = ["SCALINGS", "sampling_weights"]

FloatArray = NDArray[np.float64]
SCALINGS = ("size", "effective", "none")


def sampling_weights(
    values: FloatArray | None,
    groups: FloatArray | None,
    factor: GroupingFactor | None,
    scaling: str,
) -> Weights:
    r"""Return inverse probabilities of rows scaled within groups, and those of groups to mean 1.

    .. math::

        w^*_{ij} = \lambda_j w_{ij}, \qquad
        \lambda_j = \frac{n_j}{\sum_i w_{ij}} \text{ (size)}, \quad
        \lambda_j = \frac{\sum_i w_{ij}}{\sum_i w_{ij}^2} \text{ (effective)}

    (Pfeffermann, Skinner, Holmes, Goldstein and Rasbash 1998, section 4).

    Parameters
    ----------
    values : ndarray of shape (n,) or None
        Positive, of the rows; scaled to mean 1 where there are no groups.
    """
    if factor is None:
        return Weights(None if values is None else values / values.mean(), "sampling")
    if values is not None:
        values = values * _scales(values, factor, scaling)[factor.codes]
    if groups is not None:
        groups = groups / groups.mean()
    return Weights(values, "sampling", groups, factor.codes)


def _scales(values: FloatArray, factor: GroupingFactor, scaling: str) -> FloatArray:
    """Return lambda of each group."""
    codes, n_levels = factor.codes, len(factor.levels)
    if scaling == "none":
        return np.ones(n_levels)
    total = np.bincount(codes, values, n_levels)
    if scaling == "size":
        return np.asarray(factor.sizes / total)
    return np.asarray(total / np.bincount(codes, values**2, n_levels))
