"""Ordered effects whose correlation decays with their distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg.lapack import dgesdd

from skmixed.covariance.base import FloatArray, Invariance
from skmixed.covariance.effect_parameters import correlation, deviation
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import Parametrisation
from skmixed.covariance.scales import RIGHT_ANGLE, Angle, Linear

__all__ = ["AR1"]

EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class AR1:
    """Let effects i and j have the correlation rho^|i - j|, and all effects one variance.

    The order of the effects is that of their columns. theta holds the standard deviation relative
    to sigma, and the angle phi with rho = sin(phi), so that the boundary rho = 1 is a point like
    any other. Lambda is the Cholesky factor: rho^i in the first column, sqrt(1 - rho^2) rho^(i - j)
    in the others. In a formula this is ``ar1(0 + occasion | g)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import AR1
    >>> root = AR1().factor(np.array([2.0, np.arcsin(0.5)]), 3)
    >>> (root @ root.T).round(6)
    array([[4., 2., 1.],
           [2., 4., 2.],
           [1., 2., 4.]])
    """

    invariance: ClassVar[Invariance] = "scalar"
    ordered: ClassVar[bool] = True

    def n_parameters(self, n_effects: int) -> int:
        """Return 2: a standard deviation and an angle; a single effect has no angle."""
        return min(n_effects, 2)

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return None: theta is free."""
        return None

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the standard deviation times the Cholesky factor of the correlations."""
        if n_effects == 1:
            return theta.reshape(1, 1)
        return theta[0] * _root(theta[1], n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        if n_effects == 1:
            return np.ones((1, 1, 1))
        root, slope = _root(theta[1], n_effects), _slope(theta[1], n_effects)
        return np.stack([root, theta[0] * slope])

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda, None for a single effect."""
        if n_effects == 1:
            return None
        slope, bend = _slope(theta[1], n_effects), _bend(theta[1], n_effects)
        return np.stack([[np.zeros_like(slope), slope], [slope, theta[0] * bend]])

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the root of the mean variance, and the angle of neighbours; found without squares.

        (1 - rho) / (1 + rho) is the square of the length of neighbours' difference over that of
        their sum. A singular covariance has rho = 1 or -1.
        """
        size = math.sqrt(np.sum(root**2) / len(root))
        if len(root) == 1:
            return np.array([size])
        if size == 0.0:
            return np.zeros(2)
        apart = float(np.linalg.norm(root[1:] - root[:-1]))
        together = float(np.linalg.norm(root[1:] + root[:-1]))
        parts = dgesdd(root, compute_uv=0)[1]
        if parts[-1] <= len(root) * EPSILON * parts[0]:
            return np.array([size, math.copysign(RIGHT_ANGLE, together - apart)])
        return np.array([size, RIGHT_ANGLE - 2.0 * math.atan2(apart, together)])

    def natural_parameters(self, directions: FloatArray) -> list[NaturalParameter]:
        """Return the standard deviation of all effects, and the correlation of neighbours."""
        k = len(directions)
        listed = [deviation(self, directions, range(k))]
        if k > 1:
            distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
            listed.append(correlation(self, directions, [(0, 1)], distance))
        return listed

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Return theta as it is."""
        if parameter.name == "cor":
            return Parametrisation(self, 1, Angle())
        return Parametrisation(self, 0, Linear(float(np.linalg.norm(directions[0]))))


def _root(angle: float, k: int) -> FloatArray:
    """Return the Cholesky factor of the correlations."""
    a, rho, rest = np.arange(float(k)), math.sin(angle), math.cos(angle)
    return _triangle(rho**a, rest * rho**a)


def _slope(angle: float, k: int) -> FloatArray:
    """Return the derivative of the Cholesky factor in the angle."""
    a, rho, rest = np.arange(float(k)), math.sin(angle), math.cos(angle)
    first = a * rho ** np.maximum(a - 1, 0) * rest
    return _triangle(first, first * rest - rho ** (a + 1))


def _bend(angle: float, k: int) -> FloatArray:
    """Return the second derivative of the Cholesky factor in the angle."""
    a, rho, rest = np.arange(float(k)), math.sin(angle), math.cos(angle)
    first = a * (a - 1) * rho ** np.maximum(a - 2, 0) * rest**2
    return _triangle(first - a * rho**a, first * rest - (3 * a + 1) * rho**a * rest)


def _triangle(first: FloatArray, others: FloatArray) -> FloatArray:
    """Return a lower triangle of given first column, its others the same but for their start."""
    k = len(first)
    distance = np.subtract.outer(np.arange(k), np.arange(k))
    triangle = np.where(distance >= 0, others[np.maximum(distance, 0)], 0.0)
    triangle[:, 0] = first
    return triangle
