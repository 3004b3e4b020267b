"""The log density of all rows, given their linear predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import ExtraDerivatives, Family, RowDerivatives

__all__ = ["Responses"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Hold the responses of rows, and the family that they follow.

    Attributes
    ----------
    weights : ndarray of shape (n,) or None
        What each row's log density is multiplied by; None where all are 1.
    """

    family: Family
    y: FloatArray
    weights: FloatArray | None = None

    def at(
        self,
        eta: FloatArray,
        extra: Sequence[FloatArray],
        *,
        full: bool,
        normalised: bool = True,
    ) -> RowDerivatives:
        """Return the weighted log densities and their derivatives.

        Parameters
        ----------
        extra : sequence of ndarray of shape (n,)
            Further predictors of the family.
        full : bool
            Whether third derivatives and those in the further predictors are wanted.
        normalised : bool, default=True
            Whether the log densities have what does not depend on eta.
        """
        d = self.family.derivatives(self.y, eta, extra, full=full, normalised=normalised)
        if self.weights is None:
            return d
        w = self.weights
        return RowDerivatives(
            w * d.value,
            w * d.first,
            w * d.second,
            None if d.third is None else w * d.third,
            tuple(ExtraDerivatives(w * e.first, w * e.mixed, w * e.twice_mixed) for e in d.extra),
        )

    def pearson(self, eta: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return the responses less their means, over their standard deviations.

        A variance of 0 is that of a mean at the end of the range, where the response is too: 0.
        """
        mean, variance = self.family.mean(eta, extra), self.family.variance(eta, extra)
        scale = np.sqrt(variance if self.weights is None else variance / self.weights)
        return np.divide(self.y - mean, scale, out=np.zeros_like(mean), where=scale > 0.0)

    def select(self, positions: NDArray[np.intp]) -> Responses:
        """Return the responses of some rows."""
        weights = None if self.weights is None else self.weights[positions]
        return Responses(self.family, self.y[positions], weights)

    def expected_weights(self, eta: FloatArray, extra: Sequence[FloatArray]) -> FloatArray:
        """Return what minus the second derivatives are on average."""
        expected = self.family.expected_weight(eta, extra)
        return expected if self.weights is None else expected * self.weights
