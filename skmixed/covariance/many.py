"""The parameters of many covariances of one structure at once."""

from __future__ import annotations

import numpy as np

from skmixed.covariance.base import FloatArray
from skmixed.covariance.direct_sum import DirectSum
from skmixed.covariance.unstructured import Unstructured

__all__ = ["parameters_of_many"]


def parameters_of_many(covariance: DirectSum, roots: FloatArray) -> FloatArray:
    """Return what ``covariance.parameters`` returns for each root, (m, k, k): (m, n_parameters)."""
    parts = [np.empty((len(roots), 0))]
    for structure, effects in zip(covariance.structures, covariance.effect_slices, strict=True):
        own = roots[:, effects]
        if isinstance(structure, Unstructured):
            parts.append(_triangles(own))
        else:
            n_parameters = structure.n_parameters(own.shape[1])
            found = [structure.parameters(root) for root in own]
            parts.append(np.array(found).reshape(len(roots), n_parameters))
    return np.concatenate(parts, axis=1)


def _triangles(roots: FloatArray) -> FloatArray:
    """Return the entries of the Cholesky factors of root root', column by column."""
    R = np.linalg.qr(roots.swapaxes(1, 2), mode="r")
    signs = np.where(np.einsum("rjj->rj", R) < 0, -1.0, 1.0)
    columns, rows = np.triu_indices(roots.shape[1])
    return np.asarray((signs[:, :, None] * R)[:, columns, rows])
