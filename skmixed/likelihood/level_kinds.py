"""Levels with the same Z'WZ share all that depends on theta: sums over each kind of level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LevelKinds"]

FloatArray = NDArray[np.float64]

# Decimals of Z'WZ, relative to its largest entries, to which levels of one kind agree.
DECIMALS = 12


class LevelKinds:
    """Group the levels of a factor by their Z'WZ.

    Parameters
    ----------
    ZtWZ : ndarray of shape (k, k, n_levels)
    multiplicity : ndarray of shape (n_levels,) or None
        How many times each level counts.

    Attributes
    ----------
    first : ndarray of shape (n_kinds,)
        A level of each kind.
    counts : ndarray of shape (n_kinds,)
        How many levels of each kind there are, each as often as it counts.
    """

    def __init__(self, ZtWZ: FloatArray, multiplicity: FloatArray | None) -> None:
        k, _, n_levels = ZtWZ.shape
        sizes = np.sqrt(np.einsum("jjg->jg", ZtWZ).max(axis=1, initial=0.0))
        sizes[sizes == 0.0] = 1.0
        relative = ZtWZ / np.multiply.outer(sizes, sizes)[:, :, None]
        # Adding 0 turns -0 into 0.
        rounded = (relative.round(DECIMALS) + 0.0).reshape(k * k, n_levels).T
        _, self.first, kinds = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
        kinds = kinds.ravel()
        self._order = np.argsort(kinds, kind="stable")
        self._starts = np.searchsorted(kinds[self._order], np.arange(len(self.first)))
        self._multiplicity = multiplicity
        self.counts = self.sums(np.ones(n_levels))

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum values over the levels of each kind, each level as often as it counts.

        Parameters
        ----------
        values : ndarray of shape (..., n_levels)

        Returns
        -------
        ndarray of shape (..., n_kinds)
        """
        if self._multiplicity is not None:
            values = values * self._multiplicity
        if len(self.first) == 1:
            return values.sum(axis=-1, keepdims=True)
        ordered = values[..., self._order]
        if len(self.first) == values.shape[-1]:
            return ordered
        return np.add.reduceat(ordered, self._starts, axis=-1)
