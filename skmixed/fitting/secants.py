"""What the gradients of a search tell of the curvature, beside an approximate Hessian."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.local_model import LocalModel

__all__ = ["Secants"]

FloatArray = NDArray[np.float64]

# Standard errors from the optimum within which the objective is about quadratic.
QUADRATIC = 0.1
# The same if the steps do not come nearer, as they do where the curvature is wrong by a half.
OSCILLATING = 1.0
# A correction that makes the optimum seem so many times as far away is made of rounding.
IMPLAUSIBLE = 30.0
# A change of the gradient that has next to nothing along its step says nothing.
ORTHOGONAL = 1e-8


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
