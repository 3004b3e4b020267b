"""The quadratic model of the objective at one point, and the step that it suggests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dsyevd

__all__ = ["LocalModel"]

FloatArray = NDArray[np.float64]

# Curvature below this part of the largest is flat: no step along it can be told from rounding.
FLAT = 1e-9
TINY = float(np.sqrt(np.finfo(float).tiny))
# A curvature more negative than this part of the largest leads downhill, and is no rounding.
DOWNHILL = 1e-6
# The curvature along a standard deviation falls with its square. From this size of theta on,
# parameters are measured in units in which their curvatures are alike.
LARGE = 100.0
# A correlation that tends to 1 has its parameter at infinity, and next to no curvature there.
UNLIKE = 1e-6
# A stationary point this near, in standard errors, is reached; off a saddle, one goes downhill.
NEAR = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class LocalModel:
    """Hold a quadratic model in the axes of its Hessian, its curvatures made positive.

    Attributes ---------- lower : ndarray of shape (n_parameters,) or None     Bounds of theta. axes
    : ndarray of shape (n_parameters, n_axes)     Conjugate directions; they leave alone what a
    bound holds. newton : ndarray of shape (n_axes,)     The step to the stationary point along the
    axes. distance : float     Length of the gradient in the metric of the inverse Hessian. saddle :
    bool     Whether the first axis leads downhill on both sides. own_units : bool     Whether
    parameters are measured in units of their own curvatures wherever these are very     unlike, and
    not only where theta is large.
    """

    theta: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    lower: FloatArray | None
    axes: FloatArray
    newton: FloatArray
    distance: float
    saddle: bool
    own_units: bool = False

    @classmethod
    def of(
        cls,
        theta: FloatArray,
        gradient: FloatArray,
        hessian: FloatArray,
        lower: FloatArray | None = None,
        *,
        own_units: bool = False,
    ) -> LocalModel:
        """Make the model at a point; a parameter on its bound stays if the step would leave."""
        basis = _basis(theta, hessian, own_units=own_units)
        if lower is None:
            return cls._along(theta, gradient, hessian, None, basis, own_units)
        basis = np.eye(len(theta)) if basis is None else basis
        on_bound = theta <= lower
        constrained = on_bound & (gradient >= 0.0)
        while True:
            model = cls._along(theta, gradient, hessian, lower, basis[:, ~constrained], own_units)
            leaves = on_bound & ~constrained & (model.axes @ model.newton < 0.0)
            if not leaves.any():
                return model
            constrained |= leaves

    @classmethod
    def _along(
        cls,
        theta: FloatArray,
        gradient: FloatArray,
        hessian: FloatArray,
        lower: FloatArray | None,
        basis: FloatArray | None,
        own_units: bool,
    ) -> LocalModel:
        """Turn the derivatives along the columns of a basis to the axes of their Hessian."""
        n_axes = len(theta) if basis is None else basis.shape[1]
        if not n_axes:
            nothing = np.empty((len(theta), 0))
            none = np.empty(0)
            return cls(theta, gradient, hessian, lower, nothing, none, 0.0, False, own_units)
        curvature, axes, _ = dsyevd(hessian if basis is None else basis.T @ hessian @ basis)
        axes = axes if basis is None else basis @ axes
        slopes = gradient @ axes
        largest = max(-curvature[0], curvature[-1])
        newton = -slopes / np.maximum(np.abs(curvature), FLAT * largest + TINY)
        distance = math.sqrt(abs(slopes @ newton))
        saddle = bool(curvature[0] < -DOWNHILL * largest)
        return cls(theta, gradient, hessian, lower, axes, newton, distance, saddle, own_units)

    def step(self, radius: float) -> FloatArray:
        """Return the Newton step, or the way off a saddle, no longer than the radius."""
        step = self.axes @ self.newton
        length = math.sqrt(step @ step)
        if self.saddle and (length < 1e-3 * radius or self.distance < NEAR):
            along = self.newton.copy()
            along[0] = math.copysign(1.0 if _is_large(self.theta) else radius, along[0])
            step = self.axes @ along
            length = math.sqrt(step @ step)
        if length > radius:
            step = step * (radius / length)
        return step if self.lower is None else np.maximum(step, self.lower - self.theta)

    def predicted(self, step: FloatArray) -> float:
        """Return the change of the objective that the model predicts for a step."""
        return float(step @ (self.gradient + 0.5 * (self.hessian @ step)))


def _is_large(theta: FloatArray) -> bool:
    """Tell whether the curvatures are too unlike for one unit."""
    return bool(theta @ theta > LARGE**2)


def _basis(theta: FloatArray, hessian: FloatArray, *, own_units: bool) -> FloatArray | None:
    """Return units of the parameters as columns; None where all are 1."""
    if not (own_units or _is_large(theta)):
        return None
    sizes = np.abs(hessian.diagonal())
    if not _is_large(theta) and sizes.min(initial=1.0) >= UNLIKE * sizes.max(initial=0.0):
        return None
    return np.diag(1.0 / np.sqrt(np.maximum(sizes, FLAT**2 * sizes.max() + TINY)))
