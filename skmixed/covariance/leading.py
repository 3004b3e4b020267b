"""Any covariance of the effects, with one standard deviation or correlation as a parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgeqrf

from skmixed.covariance.base import FloatArray, FreeLinear, Invariance

__all__ = [
    "LeadingCorrelation",
    "LeadingEffect",
    "Triangular",
    "entry_indicators",
    "filled_triangle",
    "triangle_entries",
]


class Triangular(FreeLinear):
    """Structures with a parameter for each entry of a lower triangle, column by column."""

    def n_parameters(self, n_effects: int) -> int:
        """Return the size of a lower triangle."""
        return n_effects * (n_effects + 1) // 2


@dataclass(frozen=True, eq=False)
class LeadingEffect(Triangular):
    """Let Lambda be Q times a triangle, whose first entry is the standard deviation of c'b.

    Any covariance can be written so, as with ``Unstructured``: the first column of the orthogonal
    matrix Q is c / |c|. A search is awkward where the first effect of a triangle hardly varies: the
    variance of the second is then the sum of two squares, and theta moves along a circle. It is
    easy if the triangle begins with the effect that varies most.
    """

    Q: FloatArray
    invariance: ClassVar[Invariance] = "linear"

    @classmethod
    def of(cls, direction: FloatArray) -> LeadingEffect:
        """Turn the coordinates so that the first one is along a direction, shape (k,)."""
        return cls(_turned_to(direction[:, None]))

    @classmethod
    def in_order(cls, order: Sequence[int]) -> LeadingEffect:
        """Let the triangle take the effects in another order."""
        return cls(np.eye(len(order))[:, list(order)])

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Q times the triangle, filled column by column."""
        return self.Q @ filled_triangle(theta, n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        return np.asarray(self.Q @ entry_indicators(n_effects))

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta of the covariance root root'."""
        return triangle_entries(self.Q.T @ root)


@dataclass(frozen=True, eq=False)
class LeadingCorrelation(Triangular):
    """Let theta start with an angle omega, so that sin(omega) is the correlation of c'b and d'b.

    Lambda is Q times a triangle, where c and d are unit vectors in the span of the first two
    columns of Q: c = q_1, d = alpha q_1 + beta q_2. theta is omega, the standard deviations of c'b
    and d'b, and the other rows of the triangle. At a correlation of 1 or -1 omega is a right
    angle, where all is as smooth as elsewhere.
    """

    Q: FloatArray
    alpha: float
    beta: float
    invariance: ClassVar[Invariance] = "scalar"

    @classmethod
    def of(cls, first: FloatArray, second: FloatArray) -> LeadingCorrelation:
        """Turn the coordinates for two directions, each of shape (k,)."""
        c, d = first / np.linalg.norm(first), second / np.linalg.norm(second)
        Q = _turned_to(np.column_stack([c, d]))
        return cls(Q, float(d @ Q[:, 0]), float(d @ Q[:, 1]))

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return 0 for both standard deviations: another sign of one is another correlation."""
        lower = np.full(self.n_parameters(n_effects), -np.inf)
        lower[1:3] = 0.0
        return lower

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Q times the triangle."""
        omega, a, r = theta[:3]
        L = np.zeros((n_effects, n_effects))
        L[0, 0] = a
        L[1, 0] = (r * math.sin(omega) - self.alpha * a) / self.beta
        L[1, 1] = r * math.cos(omega) / self.beta
        L[_rows_below(n_effects)] = theta[3:]
        return self.Q @ L

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        omega, _, r = theta[:3]
        sine, cosine = math.sin(omega) / self.beta, math.cos(omega) / self.beta
        derivative = np.zeros((len(theta), n_effects, n_effects))
        derivative[0, 1, :2] = r * cosine, -r * sine
        derivative[1, :2, 0] = 1.0, -self.alpha / self.beta
        derivative[2, 1, :2] = sine, cosine
        rows, columns = _rows_below(n_effects)
        derivative[np.arange(3, len(theta)), rows, columns] = 1.0
        return np.asarray(self.Q @ derivative)

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda."""
        omega, _, r = theta[:3]
        sine, cosine = math.sin(omega) / self.beta, math.cos(omega) / self.beta
        second = np.zeros((len(theta), len(theta), n_effects, n_effects))
        second[0, 0, 1, :2] = -r * sine, -r * cosine
        second[0, 2, 1, :2] = second[2, 0, 1, :2] = cosine, -sine
        return np.asarray(self.Q @ second)

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta of the covariance root root'."""
        k = len(root)
        L = filled_triangle(triangle_entries(self.Q.T @ root), k)
        across, along = self.alpha * L[0, 0] + self.beta * L[1, 0], self.beta * L[1, 1]
        leading = [math.atan2(across, along), L[0, 0], math.hypot(across, along)]
        return np.concatenate([leading, L[_rows_below(k)]])


def _turned_to(directions: FloatArray) -> FloatArray:
    """Return an orthogonal matrix whose first columns span the directions one by one."""
    Q, R = np.linalg.qr(directions, mode="complete")
    signs = np.ones(len(Q))
    signs[: R.shape[1]] = np.where(R.diagonal() < 0.0, -1.0, 1.0)
    return np.asarray(Q * signs)


@lru_cache(maxsize=64)
def _rows_below(n_effects: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the entries of a lower triangle from its third row on."""
    rows, columns = np.tril_indices(n_effects)
    return rows[3:], columns[3:]


def filled_triangle(entries: FloatArray, k: int) -> FloatArray:
    """Return the lower triangle of k rows with given entries."""
    triangle = np.zeros((k, k))
    triangle[_lower_triangle(k)] = entries
    return triangle


def triangle_entries(root: FloatArray) -> FloatArray:
    """Return the entries of the Cholesky factor of root root', found without squaring root."""
    triangle = dgeqrf(root.T)[0].T
    signs = np.where(triangle.diagonal() < 0, -1.0, 1.0)
    rows, columns = _lower_triangle(len(root))
    return np.asarray(triangle[rows, columns] * signs[columns])


@lru_cache(maxsize=64)
def entry_indicators(k: int) -> FloatArray:
    """Return the derivative of the triangle in each of its entries."""
    rows, columns = _lower_triangle(k)
    derivative = np.zeros((len(rows), k, k))
    derivative[np.arange(len(rows)), rows, columns] = 1.0
    derivative.flags.writeable = False
    return derivative


@lru_cache(maxsize=64)
def _lower_triangle(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the lower triangle, column by column."""
    columns, rows = np.triu_indices(k)
    return rows, columns
