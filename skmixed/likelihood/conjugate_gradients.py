"""Conjugate gradients for many right-hand sides at once, each with coefficients of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

__all__ = ["Solution", "conjugate_gradients"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Hold the solutions of M X = B, and what was learned of M on the way."""

    X: FloatArray
    squared_norms: FloatArray
    steps: FloatArray  # (n_iter, m): the coefficients alpha; NaN once a column has converged.
    ratios: FloatArray  # The coefficients beta.

    def log_forms(self) -> FloatArray:
        """Return b'log(M)b for each column b of B, by Gauss quadrature (Golub and Meurant 2010).

        Conjugate gradients build the tridiagonal matrix of Lanczos' method from b (Golub and
        Van Loan 2013, section 11.3): its diagonal is 1 / alpha_i + beta_(i-1) / alpha_(i-1), and
        beside it stands beta_i^(1/2) / alpha_i.
        """
        logs = [
            _log_quadrature(alpha[np.isfinite(alpha)], beta[np.isfinite(beta)])
            for alpha, beta in zip(self.steps.T, self.ratios.T, strict=True)
        ]
        return self.squared_norms * np.array(logs)

    def forms(self) -> FloatArray:
        """Return b'Mb for each column b of B: the first step is b'b / b'Mb."""
        if not len(self.steps):
            return np.zeros_like(self.squared_norms)
        return self.squared_norms / np.where(np.isnan(self.steps[0]), np.inf, self.steps[0])


def conjugate_gradients(
    multiply: Callable[[FloatArray], FloatArray],
    B: FloatArray,
    *,
    tolerance: float,
    max_iter: int = 2000,
) -> Solution:
    """Solve M X = B for a symmetric positive definite M (Hestenes and Stiefel 1952).

    A column's residual may be ``tolerance`` times as long as the column; LinAlgError if that needs
    more iterations, or M is not positive definite.
    """
    X = np.zeros_like(B)
    squared_norms = _squared_norms(B)
    active: NDArray[np.intp] = np.flatnonzero(squared_norms > 0.0)
    size = squared_norms[active]
    target = tolerance**2 * size
    residual = B[:, active]
    direction, found = residual.copy(), np.zeros_like(residual)
    steps: list[FloatArray] = []
    ratios: list[FloatArray] = []
    while len(active):
        if len(steps) == max_iter:
            raise np.linalg.LinAlgError(
                f"conjugate gradients did not converge in {max_iter} iterations: the levels of "
                "the factors hardly meet. Use solver='direct'."
            )
        moved = multiply(direction)
        curvature = np.einsum("nm,nm->m", direction, moved)
        if not (curvature > 0.0).all():
            raise np.linalg.LinAlgError("M is indefinite within rounding.")
        alpha = size / curvature
        found += alpha * direction
        residual -= alpha * moved
        new_size = _squared_norms(residual)
        beta = new_size / size
        steps.append(_spread(alpha, active, len(squared_norms)))
        ratios.append(_spread(beta, active, len(squared_norms)))
        going = new_size > target
        if not going.all():
            X[:, active[~going]] = found[:, ~going]
            active = active[going]
            target, new_size, beta = (a[going] for a in (target, new_size, beta))
            residual, direction, found = (a[:, going] for a in (residual, direction, found))
        direction *= beta
        direction += residual
        size = new_size
    shape = (len(steps), len(squared_norms))
    return Solution(
        X, squared_norms, np.array(steps).reshape(shape), np.array(ratios).reshape(shape)
    )


def _log_quadrature(alpha: FloatArray, beta: FloatArray) -> float:
    """Return the first entry of log T of the tridiagonal T that belongs to the coefficients."""
    if not len(alpha):
        return 0.0
    diagonal = 1.0 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(beta[:-1]) / alpha[:-1])
    return float(np.log(nodes) @ vectors[0] ** 2)


def _squared_norms(columns: FloatArray) -> FloatArray:
    """Return the squared length of each column."""
    return np.einsum("nm,nm->m", columns, columns)


def _spread(values: FloatArray, active: NDArray[np.intp], m: int) -> FloatArray:
    """Put the values of the active columns among NaN for the others."""
    spread = np.full(m, np.nan)
    spread[active] = values
    return spread
