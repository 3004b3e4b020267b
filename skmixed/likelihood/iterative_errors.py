"""The conditional covariance of the effects where the iterative kernel estimates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.errors import Part

__all__ = ["IterativeErrors"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IterativeErrors:
    """Hold D as a block for each level and a few directions that all levels share.

    D = diag(blocks) + shared shared'. What two levels of different factors share beyond these
    directions is left out: it is of the order of one over the product of their numbers of rows.

    Attributes
    ----------
    blocks : tuple of ndarray of shape (n_levels, k, k)
        One for each factor.
    shared : tuple of ndarray of shape (k, n_levels, r)
        The rows of the common directions, factor by factor.
    """

    blocks: tuple[FloatArray, ...]
    shared: tuple[FloatArray, ...]

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        return [
            own + np.einsum("agr,bgr->gab", rows, rows)
            for own, rows in zip(self.blocks, self.shared, strict=True)
        ]

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return each factor's roots within its levels, and those of the common directions."""
        n = Z[0].shape[1]
        common = np.zeros((self.shared[0].shape[-1], n))
        parts: list[Part] = []
        for Z_j, code, own, rows in zip(Z, codes, self.blocks, self.shared, strict=True):
            used, positions = np.unique(code, return_inverse=True)
            root = _root(own[used])[positions]
            parts.append((np.einsum("nal,an->ln", root, Z_j), code))
            common += np.einsum("anr,an->rn", rows[:, code], Z_j)
        return [*parts, (common, None)]


def _root(covariances: FloatArray) -> FloatArray:
    """Return roots of the nearest positive semidefinite matrices, (n, k, k)."""
    values, vectors = np.linalg.eigh(covariances)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
