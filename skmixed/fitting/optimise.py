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
        if model.distance <= tol and not model.saddle:
            return Optimum(at, True, n_iter, model.distance, "the scaled gradient is below tol")
        if n_iter >= max_iter:
            message = f"max_iter={max_iter} evaluations were used"
            return Optimum(at, False, n_iter, model.distance, message)
        step = model.step(radius)
        trial = _evaluated(objective, at.theta + step)
        n_iter += 1
        if trial is not None and trial.value == -math.inf:
            message = "the residual variance tends to 0: no optimum exists"
            return Optimum(trial, False, n_iter, model.distance, message)
        length = math.sqrt(step @ step)
        if trial is not None and _improves(at, trial, model, step):
            if trial.value - at.value < 0.5 * model.predicted(step):
                radius = max(radius, 4.0 * length)
            at = trial
        elif trial is not None and _is_negligible(at, model, step):
            reached = model.distance <= math.sqrt(tol)
            message = "no step lowers the objective further"
            return Optimum(at, reached, n_iter, model.distance, message)
        else:
            radius = 0.25 * length


def _improves(
    at: ObjectiveValue, trial: ObjectiveValue, model: _LocalModel, step: FloatArray
) -> bool:
    """Tell whether a step lowers the objective enough, or the gradient where it is flat."""
    change, predicted = trial.value - at.value, model.predicted(step)
    if change <= SUFFICIENT * min(predicted, 0.0):
        return True
    rounding = _rounding(at)
    flat = abs(predicted) <= rounding and change <= rounding
    return flat and _LocalModel.of(trial).distance < model.distance


def _is_negligible(at: ObjectiveValue, model: _LocalModel, step: FloatArray) -> bool:
    """Tell whether a step changes theta, or the objective, by no more than rounding."""
    size = 1.0 + math.sqrt(at.theta @ at.theta)
    short = math.sqrt(step @ step) <= EPSILON * size
    return short or abs(model.predicted(step)) <= _rounding(at)


def _rounding(at: ObjectiveValue) -> float:
    """Return the size of the rounding errors in the objective, a sum of nu terms of size 1."""
    return 16 * EPSILON * (abs(at.value) + at.solution.nu)


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
    for n_iter in range(1, 20):
        at = _evaluated(objective, start)
        if at is not None:
            return at, n_iter
        start = 0.1 * start
    raise np.linalg.LinAlgError(
        "X'V^-1 X is singular within rounding at every start: expected columns of X that differ, "
        "and weights of similar size. Scale the columns and the weights."
    )
