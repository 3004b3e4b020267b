"""Safeguarded Newton steps on the exact derivatives of the objective."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dsyevd

from skmixed.likelihood.profiled import ObjectiveValue

__all__ = ["Optimum", "minimise"]

FloatArray = NDArray[np.float64]

# Curvature below this part of the largest is flat: no step along it can be told from rounding.
FLAT = 1e-9
EPSILON = float(np.finfo(float).eps)
TINY = float(np.finfo(float).tiny)
SUFFICIENT = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Hold where the search ended, and why.

    Attributes
    ----------
    at : ObjectiveValue
    converged : bool
    n_iter : int
        Evaluations of the objective.
    scaled_gradient : float
        Length of the gradient in the metric of the inverse Hessian: about how many standard errors
        theta is away from the stationary point.
    message : str
    """

    at: ObjectiveValue
    converged: bool
    n_iter: int
    scaled_gradient: float
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class _LocalModel:
    """The quadratic model of the objective at one point, in its own axes."""

    curvature: FloatArray
    axes: FloatArray
    slopes: FloatArray

    @classmethod
    def of(cls, at: ObjectiveValue) -> _LocalModel:
        curvature, axes, _ = dsyevd(at.hessian)
        return cls(curvature, axes, at.gradient @ axes)

    @property
    def _bent(self) -> FloatArray:
        """Return curvatures made positive and bounded away from zero."""
        size = np.abs(self.curvature)
        return np.maximum(size, FLAT * size.max() + TINY)

    @property
    def scaled_gradient(self) -> float:
        """Return the length of the gradient in units of standard errors."""
        return math.sqrt(self.slopes @ (self.slopes / self._bent))

    @property
    def saddle(self) -> bool:
        """Tell whether some direction leads downhill to second order."""
        return bool(self.curvature[0] < -1e-6 * np.abs(self.curvature).max())

    def step(self, radius: float) -> FloatArray:
        """Return the Newton step, or the way off a saddle, no longer than the radius."""
        along = -self.slopes / self._bent
        if self.saddle and np.linalg.norm(along) < 1e-3 * radius:
            along[0] = np.copysign(radius, along[0])
        length = math.sqrt(along @ along)
        return self.axes @ along * min(1.0, radius / length if length else 1.0)

    def predicted(self, step: FloatArray) -> float:
        """Return the change of the objective that the model predicts for a step."""
        along = step @ self.axes
        return float(along @ self.slopes + 0.5 * along**2 @ self.curvature)


def minimise(
    objective: Callable[[FloatArray], ObjectiveValue],
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
) -> Optimum:
    """Minimise a smooth objective from its exact gradient and Hessian; it never goes uphill.

    Parameters
    ----------
    objective : callable
        Returns the ObjectiveValue at a theta.
    start : ndarray of shape (n_parameters,)
    tol : float
        Converged when theta is within about ``tol`` standard errors of the stationary point.
    max_iter : int
        Largest number of evaluations.
    """
    at = objective(start)
    n_iter = 1
    radius = max(1.0, math.sqrt(start @ start))
    while True:
        model = _LocalModel.of(at)
        distance = model.scaled_gradient
        if distance <= tol and not model.saddle:
            return Optimum(at, True, n_iter, distance, "the scaled gradient is below tol")
        if n_iter >= max_iter:
            return Optimum(
                at, False, n_iter, distance, f"max_iter={max_iter} evaluations were used"
            )
        step = model.step(radius)
        trial = objective(at.theta + step)
        n_iter += 1
        if trial.value == -math.inf:
            return Optimum(
                trial,
                False,
                n_iter,
                distance,
                "the residual variance tends to 0: no optimum exists",
            )
        length = math.sqrt(step @ step)
        change, predicted = trial.value - at.value, model.predicted(step)
        rounding = 16 * EPSILON * (abs(at.value) + _objective_scale(at))
        if change <= SUFFICIENT * min(predicted, 0.0) or (
            abs(predicted) <= rounding and change <= rounding and _closer(trial, distance)
        ):
            agreement = change / predicted if predicted else 1.0
            radius = max(radius, 4.0 * length) if agreement > 0.5 else radius
            at = trial
        elif length <= EPSILON * (1.0 + np.linalg.norm(at.theta)) or (
            abs(predicted) <= rounding
        ):
            reached = distance <= np.sqrt(tol)
            return Optimum(at, reached, n_iter, distance, "no step lowers the objective further")
        else:
            radius = 0.25 * length


def _objective_scale(at: ObjectiveValue) -> float:
    """Return the size of the terms whose rounding the objective carries."""
    return at.solution.nu


def _closer(trial: ObjectiveValue, distance: float) -> bool:
    """Tell whether a point is nearer to stationarity than a distance."""
    return _LocalModel.of(trial).scaled_gradient < distance
