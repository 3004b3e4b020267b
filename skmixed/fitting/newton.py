"""Safeguarded Newton steps on the exact gradient and a Hessian of the objective."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.evaluation import Evaluation, Objective, Value
from skmixed.fitting.local_model import LocalModel

__all__ = ["ModelOf", "Optimum", "Secants", "evaluated", "newton_search"]

FloatArray = NDArray[np.float64]
ModelOf = Callable[[FloatArray, FloatArray, FloatArray], LocalModel]

EPSILON = float(np.finfo(float).eps)
ROUNDING = 16.0 * EPSILON
SUFFICIENT = 1e-4
# Steps within rounding that come no nearer to the optimum: after so many, rounding is all there is.
PATIENCE = 5
# Standard errors from the optimum within which the objective is about quadratic.
QUADRATIC = 0.1
# The same if the steps do not come nearer, as they do where the curvature is wrong by a half.
OSCILLATING = 1.0
# A correction that makes the optimum seem so many times as far away is made of rounding.
IMPLAUSIBLE = 30.0
# A change of the gradient that has next to nothing along its step says nothing.
ORTHOGONAL = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Optimum(Generic[Value]):
    """Hold where the search ended, and why."""

    at: Value
    converged: bool
    n_iter: int  # Evaluations of the objective.
    scaled_gradient: float  # About how many standard errors theta is away.
    message: str
    exhausted: bool = False  # Whether the number of evaluations ended the search.


def newton_search(
    objective: Objective[Value],
    at: Value,
    n_iter: int,
    *,
    tol: float,
    max_iter: int,
    model_of: ModelOf = LocalModel.of,
    exact: bool = True,
    cost: int = 1,
) -> Optimum[Value]:
    """Take Newton steps from a point until none leads further; never uphill.

    Parameters ---------- n_iter : int     Evaluations so far. tol : float     Distance from the
    stationary point at which to stop, in standard errors of theta. model_of : callable, optional
    Makes the LocalModel of theta, gradient and Hessian, with its bounds and units. exact : bool,
    default=True     Whether the Hessian is exact; else the steps correct it. cost : int, default=1
    What a call of the objective counts as.
    """
    radius = max(1.0, math.sqrt(at.theta @ at.theta))
    secants = None if exact else Secants(len(at.theta))
    before, stale = math.inf, 0
    while True:
        model = model_of(at.theta, at.gradient, at.hessian)
        if secants is not None:
            model = secants.corrected(model)
        if model.distance <= tol and not model.saddle:
            return Optimum(at, True, n_iter, model.distance, "the scaled gradient is below tol")
        if n_iter + cost > max_iter:
            message = f"max_iter={max_iter} evaluations were used"
            return Optimum(at, False, n_iter, model.distance, message, exhausted=True)
        step = model.step(radius)
        predicted = model.predicted(step)
        flat = abs(predicted) <= _rounding(at)
        stale += flat and model.distance > 0.5 * before
        before = model.distance
        trial = evaluated(objective, at.theta + step)
        n_iter += cost
        if trial is not None and trial.value == -math.inf:
            message = "the residual variance tends to 0: no optimum exists"
            return Optimum(trial, False, n_iter, model.distance, message)
        length = math.sqrt(step @ step)
        short = length <= EPSILON * (1.0 + math.sqrt(at.theta @ at.theta))
        if trial is not None and stale <= PATIENCE and _improves(at, trial, model, predicted, flat):
            if trial.value - at.value < 0.5 * predicted:
                radius = max(radius, 4.0 * length)
            at = trial
        elif trial is not None and (flat or short):
            # Rounding may hide the last steps, but no longer ones.
            near = flat and model.distance <= math.sqrt(tol)
            reached = near and not model.saddle
            message = "no step lowers the objective further"
            return Optimum(at, reached, n_iter, model.distance, message)
        else:
            radius = 0.25 * length


def _improves(
    at: Evaluation, trial: Evaluation, model: LocalModel, predicted: float, flat: bool
) -> bool:
    """Tell whether a step lowers the objective enough, or the gradient where it is flat."""
    change = trial.value - at.value
    if change <= SUFFICIENT * min(predicted, 0.0):
        return True
    if not flat or change > _rounding(at):
        return False
    nearer = LocalModel.of(
        trial.theta, trial.gradient, trial.hessian, model.lower, own_units=model.own_units
    )
    return nearer.distance < model.distance


def _rounding(at: Evaluation) -> float:
    """Return the size of the rounding errors in the objective.

    It is a sum of terms of size 1, from a V whose condition grows with the square of theta.
    """
    return ROUNDING * (abs(at.value) + at.n_terms + 4.0 * float(at.theta @ at.theta))


def evaluated(objective: Objective[Value], theta: FloatArray) -> Value | None:
    """Evaluate the objective; None so far off that rounding takes the rank of X'V^-1 X."""
    try:
        return objective(theta)
    except np.linalg.LinAlgError:
        return None


class Secants:
    """Correct an approximate Hessian so that it explains how the gradient changed.

    The correction C is updated by the symmetric formula of rank one (Nocedal and Wright 2006,
    section 6.2): with a step s, and r what the model H + C leaves of the change of the gradient,
    C grows by r r' / r's. Far from the optimum it starts anew, where the objective is not quadratic
    and r says less of H than of higher derivatives.
    """

    def __init__(self, n_parameters: int) -> None:
        self._correction = np.zeros((n_parameters, n_parameters))
        self._last: LocalModel | None = None

    def corrected(self, model: LocalModel) -> LocalModel:
        """Return the model at a point with the Hessian corrected by the steps so far."""
        last = self._last
        if last is not None and np.array_equal(last.theta, model.theta):
            return last
        new = _with(self._correction, model)
        if last is not None:
            slow = new.distance > 0.5 * last.distance
            if last.distance < QUADRATIC or (slow and last.distance < OSCILLATING):
                new = self._updated(last, new, model)
            else:
                self._correction = np.zeros_like(self._correction)
                new = model
        self._last = new
        return new

    def _updated(self, last: LocalModel, new: LocalModel, model: LocalModel) -> LocalModel:
        """Update the correction; start anew if that makes the optimum seem far away."""
        correction = self._correction + _rank_one(last, new)
        better = _with(correction, model)
        if better.saddle or better.distance > IMPLAUSIBLE * new.distance:
            self._correction = np.zeros_like(correction)
            return model
        self._correction = correction
        return better


def _with(correction: FloatArray, model: LocalModel) -> LocalModel:
    """Add a correction to the Hessian of a model."""
    hessian = model.hessian + correction
    return LocalModel.of(
        model.theta, model.gradient, hessian, model.lower, own_units=model.own_units
    )


def _rank_one(last: LocalModel, new: LocalModel) -> FloatArray:
    """Return the symmetric change of rank one that explains the change of the gradient."""
    step = new.theta - last.theta
    left = new.gradient - last.gradient - new.hessian @ step
    along = left @ step
    if abs(along) <= ORTHOGONAL * math.sqrt((left @ left) * (step @ step)):
        return np.zeros_like(new.hessian)
    return np.multiply.outer(left, left) / along
