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
# A curvature more negative than this part of the largest leads downhill, and is no rounding.
DOWNHILL = 1e-6
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
    newton: FloatArray
    distance: float
    saddle: bool

    @classmethod
    def of(cls, at: ObjectiveValue) -> _LocalModel:
        """Turn the derivatives to the axes of the Hessian, and make its curvatures positive."""
        curvature, axes, _ = dsyevd(at.hessian)
        slopes = at.gradient @ axes
        largest = max(-curvature[0], curvature[-1])
        newton = -slopes / np.maximum(np.abs(curvature), FLAT * largest + TINY)
        distance = math.sqrt(abs(slopes @ newton))
        return cls(curvature, axes, slopes, newton, distance, curvature[0] < -DOWNHILL * largest)

    def step(self, radius: float) -> FloatArray:
        """Return the Newton step, or the way off a saddle, no longer than the radius."""
        along = self.newton
        length = math.sqrt(along @ along)
        if self.saddle and length < 1e-3 * radius:
            along = along.copy()
            along[0] = math.copysign(radius, along[0])
            length = math.sqrt(along @ along)
        step = self.axes @ along
        return step if length <= radius else step * (radius / length)

    def predicted(self, step: FloatArray) -> float:
        """Return the change of the objective that the model predicts for a step."""
        along = step @ self.axes
        return float(along @ (self.slopes + 0.5 * self.curvature * along))


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
    at, n_iter = _first_evaluation(objective, start)
    radius = max(1.0, math.sqrt(at.theta @ at.theta))
    while True:
        model = _LocalModel.of(at)
        distance = model.distance
        if distance <= tol and not model.saddle:
            return Optimum(at, True, n_iter, distance, "the scaled gradient is below tol")
        if n_iter >= max_iter:
            return Optimum(
                at, False, n_iter, distance, f"max_iter={max_iter} evaluations were used"
            )
        step = model.step(radius)
        n_iter += 1
        trial = _evaluated(objective, at.theta + step)
        if trial is None:
            radius = 0.25 * math.sqrt(step @ step)
            continue
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
        elif length <= EPSILON * (1.0 + np.linalg.norm(at.theta)) or (abs(predicted) <= rounding):
            reached = distance <= np.sqrt(tol)
            return Optimum(at, reached, n_iter, distance, "no step lowers the objective further")
        else:
            radius = 0.25 * length


def _evaluated(
    objective: Callable[[FloatArray], ObjectiveValue], theta: FloatArray
) -> ObjectiveValue | None:
    """Evaluate the objective; None so far off that rounding takes the rank of X'V^-1 X."""
    try:
        return objective(theta)
    except np.linalg.LinAlgError:
        return None


def _first_evaluation(
    objective: Callable[[FloatArray], ObjectiveValue], start: FloatArray
) -> tuple[ObjectiveValue, int]:
    """Evaluate the objective at the start, or nearer to 0, where V is well conditioned."""
    n_iter = 1
    at = _evaluated(objective, start)
    while at is None:
        start = 0.1 * start
        at = _evaluated(objective, start)
        n_iter += 1
    return at, n_iter


def _objective_scale(at: ObjectiveValue) -> float:
    """Return the size of the terms whose rounding the objective carries."""
    return at.solution.nu


def _closer(trial: ObjectiveValue, distance: float) -> bool:
    """Tell whether a point is nearer to stationarity than a distance."""
    return _LocalModel.of(trial).distance < distance
