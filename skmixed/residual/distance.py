"""Correlations that depend on the distance of two rows alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import BOUNDARY, Correlation, MarkovCorrelation
from skmixed.residual.differentiation import complex_step

__all__ = ["DistanceCorrelation", "RangeCorrelation", "StationaryMarkov"]

# Logarithm of a range beyond which squares and inverses of it may overflow.
FAR = 150.0


class DistanceCorrelation(Correlation):
    """A correlation that is a function of distances in time or space; subclasses say which."""

    @abstractmethod
    def at_distances(self, natural: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
        """Return the correlations at distances, an array of any shape."""

    def distance_derivative(
        self, natural: NDArray[np.float64], distances: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return their derivatives, the natural parameters on the first axis."""
        return complex_step(lambda value: self.at_distances(value, distances), natural)

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Return the correlation at the distance of each two rows."""
        return self.at_distances(natural, _distances(positions))

    def correlation_derivative(
        self, natural: NDArray[np.float64], positions: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivatives at the distance of each two rows."""
        return self.distance_derivative(natural, _distances(positions))


class StationaryMarkov(DistanceCorrelation, MarkovCorrelation):
    """One in which a row depends on the earlier ones through the last of them only."""

    stationary: ClassVar[bool] = True

    def steps(
        self, natural: NDArray[Any], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[Any]:
        """Return the correlation at the distance of neighbours."""
        return self.at_distances(natural, after - before)

    def step_derivative(
        self, natural: NDArray[np.float64], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivatives at the distance of neighbours."""
        return self.distance_derivative(natural, after - before)


class RangeCorrelation(DistanceCorrelation):
    """One that depends on distance divided by a range, by default exponentially.

    The search is for the logarithm of the range.
    """

    def decay(self, ratio: NDArray[Any]) -> NDArray[Any]:
        """Return the correlation at distances that are given as multiples of the range."""
        return np.exp(-ratio)

    def decay_rate(self, ratio: NDArray[Any]) -> NDArray[Any]:
        """Return the derivative of minus the correlation in the logarithm of the distance."""
        return ratio * np.exp(-ratio)

    def on_boundary(self, rho: NDArray[np.float64], axis: Axis) -> NDArray[np.bool_]:
        """Tell whether rows at a typical distance are independent, or alike."""
        with np.errstate(over="ignore"):
            typical = np.exp(-np.exp(-rho))
        return np.minimum(typical, 1.0 - typical) < BOUNDARY

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the range in the unit of the positions, which is kept where it is far off."""
        off = np.abs(np.real(rho)) > FAR
        return axis.unit * np.exp(np.where(off, np.copysign(FAR, np.real(rho)), rho))

    def at_distances(self, natural: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
        """Return how far the correlation has fallen at distances."""
        return self.decay(distances / natural[0])

    def distance_derivative(
        self, natural: NDArray[np.float64], distances: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivative in the range."""
        return self.decay_rate(distances / natural[0])[None] / natural[0]


def _distances(positions: NDArray[Any]) -> NDArray[Any]:
    """Return the distance between each two rows of patterns, Euclidean for points."""
    differences = positions[:, :, None] - positions[:, None, :]
    if differences.ndim == 3:
        return np.abs(differences)
    return np.linalg.norm(differences, axis=-1)
