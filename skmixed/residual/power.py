"""Correlations that are powers of one number, the exponent being the time between two rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import MarkovCorrelation
from skmixed.residual.distance import distances

__all__ = ["PowerCorrelation"]


class PowerCorrelation(MarkovCorrelation):
    """A correlation phi^|t - t'| of two rows at times t and t'.

    Subclasses say what a time is, and which phi are possible.
    """

    def n_parameters(self, axis: Axis) -> int:
        """Return 1."""
        return 1

    def names(self, axis: Axis) -> list[str]:
        """Name phi."""
        return ["phi"]

    def steps(
        self, natural: NDArray[Any], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[Any]:
        """Return phi to the power of the time between neighbours."""
        return _power(natural[0], after - before)

    def step_derivative(
        self, natural: NDArray[np.float64], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivative of the powers."""
        return _power_derivative(natural[0], after - before)[None]

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Return the powers of phi."""
        return _power(natural[0], distances(positions))

    def correlation_derivative(
        self, natural: NDArray[np.float64], positions: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivative of the powers."""
        return _power_derivative(natural[0], distances(positions))[None]


def _power(base: Any, exponents: NDArray[Any]) -> NDArray[Any]:
    """Return powers of a number, which may be complex near the negative axis."""
    # Complex powers go through the logarithm, whose cut is the negative axis.
    sign = -1.0 if np.real(base) < 0.0 else 1.0
    return sign**exponents * (sign * base) ** exponents


def _power_derivative(base: Any, exponents: NDArray[Any]) -> NDArray[Any]:
    """Return the derivatives of powers in their base; 0 for the exponent 0, even at the base 0."""
    return exponents * _power(base, np.where(exponents > 0, exponents - 1.0, 0.0))
