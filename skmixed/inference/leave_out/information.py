"""What is left of the information on the fixed effects, and which rows need more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.leave_out.left_out import LOST, UNTOLD

__all__ = ["RemainingInformation"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RemainingInformation:
    """Hold roots of generalised inverses of X'V^-1 X without some rows, one for each set.

    Attributes
    ----------
    root : ndarray of shape (n_sets, p, p)
        W with W W' the inverse on what can be estimated.
    untold : ndarray of shape (n_sets, p, p)
        Directions that cannot; columns of 0 for the others.
    """

    root: FloatArray
    untold: FloatArray

    @classmethod
    def without(cls, lost: FloatArray) -> RemainingInformation:
        """Return it in columns whose whole information is 1, given what each set takes of it.

        A set of which that is not known (NaN) leaves nothing.
        """
        known = np.isfinite(lost).all(axis=(1, 2), keepdims=True)
        lost = np.where(known, lost, np.eye(lost.shape[-1]))
        values, axes = np.linalg.eigh(np.eye(lost.shape[-1]) - lost)
        told = values > UNTOLD
        scale = np.sqrt(np.where(told, values, np.inf))
        return cls(axes / scale[:, None, :], axes * ~told[:, None, :])

    def change(self, scores: FloatArray) -> FloatArray:
        """Return the inverse times one column for each set, (n_sets, p)."""
        return np.einsum("gpa,gqa,gq->gp", self.root, self.root, scores, optimize=True)

    def spread(self, rows: FloatArray, sets: NDArray[np.intp]) -> FloatArray:
        """Return the variance of x'beta of rows (n, p) of some sets; NaN where it has no estimate.

        Parameters
        ----------
        sets : ndarray of shape (n,)
        """
        spread = np.sum(np.einsum("np,npa->na", rows, self.root[sets]) ** 2, axis=1)
        if self.untold.any():
            beside = np.sum(np.einsum("np,npa->na", rows, self.untold[sets]) ** 2, axis=1)
            spread[beside > LOST * np.sum(rows**2, axis=1)] = np.nan
        return spread
