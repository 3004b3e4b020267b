"""Effects that are all equally correlated, with variances of their own or one for all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg.lapack import dgesdd

from skmixed.covariance.base import FloatArray, Invariance
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.parametrisation import Parametrisation
from skmixed.covariance.scales import RIGHT_ANGLE, EqualAngle, Linear

__all__ = ["CompoundSymmetry"]

EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class CompoundSymmetry:
    """Let every two effects have the same correlation rho, at least -1 / (k - 1) for k effects.

    With J the matrix of ones, the correlations have the root alpha (I - J / k) + beta J / k. Its
    squares on the diagonal are 1 if alpha = sqrt(k / (k - 1)) cos(phi) and beta = sqrt(k) sin(phi)
    for an angle phi, and rho = 1 - alpha^2. theta holds the standard deviations relative to sigma,
    and phi. With equal variances, theta is alpha and beta themselves, times the standard deviation:
    the roots of the two eigenvalues of the covariance. In a formula ``cs(0 + f | g)`` has
    unequal variances, as in glmmTMB.

    Parameters
    ----------
    equal_variances : bool, default=False
        Whether all effects share one variance.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance import CompoundSymmetry
    >>> root = CompoundSymmetry(equal_variances=True).factor(np.array([1.0, 2.0]), 2)
    >>> root @ root.T
    array([[2.5, 1.5],
           [1.5, 2.5]])
    """

    equal_variances: bool = False

    @property
    def invariance(self) -> Invariance:
        """Tell which changes of the columns of Z keep the structure."""
        return "scalar" if self.equal_variances else "diagonal"

    def n_parameters(self, n_effects: int) -> int:
        """Return 2, or one for each effect and one more; 1 for a single effect."""
        if n_effects == 1:
            return 1
        return 2 if self.equal_variances else n_effects + 1

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return 0 for each standard deviation of three or more effects.

        Changing the sign of one of them changes some correlations only. That of two effects is
        another correlation: theta is free.
        """
        if n_effects < 3 or self.equal_variances:
            return None
        return np.append(np.zeros(n_effects), -np.inf)

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the standard deviations, on a diagonal, times the root of the correlations."""
        if n_effects == 1:
            return theta.reshape(1, 1)
        if self.equal_variances:
            return _symmetric(theta[0], theta[1], n_effects)
        return theta[:-1, None] * _turned(theta[-1], n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        if n_effects == 1:
            return np.ones((1, 1, 1))
        if self.equal_variances:
            return np.stack([_symmetric(1.0, 0.0, n_effects), _symmetric(0.0, 1.0, n_effects)])
        rows = np.eye(n_effects)[:, :, None] * _turned(theta[-1], n_effects)
        turned = theta[:-1, None] * _turned(theta[-1] + RIGHT_ANGLE, n_effects)
        return np.concatenate([rows, turned[None]])

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda, None where it is linear in theta."""
        if n_effects == 1 or self.equal_variances:
            return None
        k = n_effects
        second = np.zeros((k + 1, k + 1, k, k))
        rows = np.eye(k)[:, :, None] * _turned(theta[-1] + RIGHT_ANGLE, k)
        second[:k, k] = second[k, :k] = rows
        second[k, k] = -self.factor(theta, k)
        return second

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the lengths of the rows of root and the angle of their mean correlation.

        A singular covariance without an effect of variance 0 has one of the extreme correlations.
        """
        k = len(root)
        if self.equal_variances or k == 1:
            mean = root.mean(axis=0)
            spread = np.linalg.norm(root - mean) / math.sqrt(max(k - 1, 1))
            common = math.sqrt(k) * np.linalg.norm(mean)
            return np.array([spread, common] if k > 1 else [common])
        lengths = np.sqrt(np.sum(root**2, axis=1))
        return np.append(lengths, _angle(root[lengths > 0.0], k))

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Return theta as it is; with equal variances, their root and the angle."""
        k, i = len(directions), parameter.effects[0]
        equal = self.equal_variances and k > 1
        if parameter.name == "cor":
            structure = _Tied() if equal else _Signed()
            return Parametrisation(structure, 1 if equal else k, EqualAngle(k))
        scale = Linear(float(np.linalg.norm(directions[i])))
        return Parametrisation(_Tied(), 0, scale) if equal else Parametrisation(self, i, scale)


@dataclass(frozen=True)
class _Signed(CompoundSymmetry):
    """Let no standard deviation be negative: that of two effects would be another correlation."""

    def lower_bounds(self, n_effects: int) -> FloatArray:
        """Return 0 for each standard deviation."""
        return np.append(np.zeros(n_effects), -np.inf)


@dataclass(frozen=True)
class _Tied:
    """Share one standard deviation: theta is that one and the angle of the correlation."""

    invariance: ClassVar[Invariance] = "scalar"

    def n_parameters(self, n_effects: int) -> int:
        """Return 2."""
        return 2

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return None: theta is free."""
        return None

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Lambda."""
        return CompoundSymmetry().factor(_ties(n_effects).T @ theta, n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (2, n_effects, n_effects)."""
        ties = _ties(n_effects)
        each = CompoundSymmetry().factor_derivative(ties.T @ theta, n_effects)
        return np.tensordot(ties, each, axes=1)

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda."""
        ties = _ties(n_effects)
        each = CompoundSymmetry().factor_second_derivative(ties.T @ theta, n_effects)
        if each is None:
            return None
        half = np.tensordot(ties, each, axes=1)
        return np.tensordot(ties, half, axes=(1, 1)).swapaxes(0, 1)

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta nearest to the covariance root root'."""
        own = CompoundSymmetry().parameters(root)
        return np.array([math.sqrt(np.mean(own[:-1] ** 2)), own[-1]])


def _ties(n_effects: int) -> FloatArray:
    """Return the derivative of the parameters in the tied ones, shape (2, n_effects + 1)."""
    ties = np.zeros((2, n_effects + 1))
    ties[0, :-1] = ties[1, -1] = 1.0
    return ties


def _angle(rows: FloatArray, k: int) -> float:
    """Return the angle of the mean correlation of some of k effects, 0 if there is none."""
    m = len(rows)
    if m < 2:
        return math.asin(1.0 / math.sqrt(k))
    unit = rows / np.sqrt(np.sum(rows**2, axis=1))[:, None]
    mean = unit.mean(axis=0)
    common = float(np.linalg.norm(mean))
    spread = float(np.linalg.norm(unit - mean)) / math.sqrt(m)
    parts = dgesdd(unit, compute_uv=0)[1]
    if parts[m - 1] <= k * EPSILON * parts[0]:
        return RIGHT_ANGLE if common > spread or m < k else 0.0
    if m == k:
        return math.atan2(common, spread)
    rest = (k - 1) * m / (k * (m - 1)) * spread**2
    return math.atan2(math.sqrt(max(1.0 - rest, 0.0)), math.sqrt(rest))


def _symmetric(alpha: float, beta: float, k: int) -> FloatArray:
    """Return alpha (I - J / k) + beta J / k."""
    return np.full((k, k), (beta - alpha) / k) + alpha * np.eye(k)


def _turned(angle: float, k: int) -> FloatArray:
    """Return the root of the correlations; its derivative is a quarter turn on."""
    alpha, beta = math.sqrt(k / (k - 1)) * math.cos(angle), math.sqrt(k) * math.sin(angle)
    return _symmetric(alpha, beta, k)
