"""A structure with one of its natural parameters in the place of an entry of theta."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skmixed.covariance.base import CovarianceStructure, FloatArray, Invariance
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.scales import ParameterScale

__all__ = ["HeldParameter", "Parametrisation", "parametrised_by"]

# How near to a bound a held parameter is taken, beside its size: on the bound its gradient is lost.
# The likelihood is even about the bound, which leaves an error of the square.
EDGE = 1e-3
# Newton steps to the value of a parameter, halvings of one, and their accuracy beside its size.
STEPS, EXACT = 40, 1e-12
# Length of differences of a gradient, beside theta or 1.
DIFFERENCE = 6e-6


class Parametrisation(NamedTuple):
    """A structure, the entry of its theta that is a natural parameter, and the scale of the entry.

    A standard deviation stands there in units of sigma, without the unit of its scale.
    """

    structure: CovarianceStructure
    held: int
    scale: ParameterScale


def parametrised_by(
    structure: CovarianceStructure,
    parameter: NaturalParameter,
    directions: FloatArray,
    root: FloatArray,
) -> Parametrisation:
    """Make a natural parameter an entry of theta.

    ``root`` of shape (k, k): the parameter is held near the covariance root root', if the structure
    has no better way.
    """
    own: Any = getattr(structure, "parametrised_by", None)
    if own is not None:
        known: Parametrisation = own(parameter, directions)
        return known
    theta, scale = structure.parameters(root), parameter.scale.closed
    at = parameter.at(theta)
    size = abs(at.value) if at.departure is None else np.linalg.norm(at.departure, ord=2)
    size = float(min(scale.upper - scale.lower, size))
    return Parametrisation(HeldParameter(structure, parameter, scale, theta, size), 0, scale)


@dataclass(frozen=True, eq=False)
class HeldParameter:
    """Hold a natural parameter: theta is its value v, followed by a theta of the structure.

    With h the parameter on its closed scale, and n the direction of its gradient at some theta
    nearby, the structure has theta + s n, where h(theta + s n) = v. So theta may move along n
    without any change.

    Parameters
    ----------
    scale : ParameterScale
        Of the value that is held.
    base : ndarray of shape (n_parameters,)
        The theta nearby.
    size : float
        Of the natural parameter, about.
    """

    structure: CovarianceStructure
    parameter: NaturalParameter
    scale: ParameterScale
    base: FloatArray
    size: float
    invariance: ClassVar[Invariance] = "scalar"

    def near(self, theta: FloatArray) -> HeldParameter:
        """Return the same with n from another theta."""
        return replace(self, base=theta[1:])

    def n_parameters(self, n_effects: int) -> int:
        """Return one more than the structure has."""
        return 1 + self.structure.n_parameters(n_effects)

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return those of the structure; the value has bounds by its scale."""
        lower = self.structure.lower_bounds(n_effects)
        return None if lower is None else np.append(-np.inf, lower)

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Lambda at the theta that has the value."""
        return self.structure.factor(self._with_value(theta, n_effects), n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        own = self._with_value(theta, n_effects)
        slopes = self.structure.factor_derivative(own, n_effects)
        return np.tensordot(self._jacobian(own).T, slopes, axes=1)

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda; those of h come from differences."""
        own = self._with_value(theta, n_effects)
        J, n = self._jacobian(own), self._normal
        # Near a bound the gradient turns within the distance from it.
        ends = np.array([self.scale.lower, self.scale.upper])
        inside = min(1.0, *np.abs(ends - self._value(own)) / self.size)
        steps = np.diag(DIFFERENCE * inside * np.maximum(np.abs(own), 1.0))
        H = np.array(
            [(self._gradient(own + s) - self._gradient(own - s)) / (2.0 * s.sum()) for s in steps]
        )
        bend = -(J.T @ (0.5 * (H + H.T)) @ J) / (self._gradient(own) @ n)
        along = np.tensordot(n, self.structure.factor_derivative(own, n_effects), axes=1)
        whole = np.multiply.outer(bend, along)
        second = self.structure.factor_second_derivative(own, n_effects)
        if second is not None:
            whole += np.einsum("ai,bj,abqr->ijqr", J, J, second)
        return whole

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the value and the theta of the covariance root root', a little off a bound."""
        theta = self.structure.parameters(root)
        value, departure = self._value(theta), self.parameter.at(theta).departure
        if departure is not None:
            length = EDGE * self.size / float(np.linalg.norm(departure, ord=2))
            theta = theta + length * _steepest(departure)
        return np.append(value, theta)

    def _with_value(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the theta of the structure that has the value, by Newton steps along n."""
        edge = EDGE * self.size
        target = min(max(theta[0], self.scale.lower + edge), self.scale.upper - edge)
        own, lower = theta[1:], self.structure.lower_bounds(n_effects)
        short = target - self._value(own)
        for _ in range(STEPS):
            if abs(short) <= EXACT * max(self.size, abs(target)):
                if lower is None or (own >= lower - EXACT).all():
                    return own
                break
            rate = float(self._gradient(own) @ self._normal)
            if not rate or not math.isfinite(rate):
                break
            for halving in 0.5 ** np.arange(STEPS):
                trial = own + halving * short / rate * self._normal
                left = target - self._value(trial)
                if abs(left) < abs(short):
                    break
            else:
                break
            own, short = trial, left
        raise np.linalg.LinAlgError(f"{self.parameter.name!r} cannot be held at {target:.6g} here.")

    @cached_property
    def _normal(self) -> FloatArray:
        """Return n, of length 1."""
        at = self.parameter.at(self.base)
        if at.departure is not None:
            return _steepest(at.departure)
        return np.asarray(at.gradient / (np.linalg.norm(at.gradient) or 1.0))

    def _value(self, own: FloatArray) -> float:
        """Return h."""
        return float(self.scale.to_internal(np.asarray(self.parameter.at(own).value)))

    def _gradient(self, own: FloatArray) -> FloatArray:
        """Return the gradient of h, not finite on its bounds."""
        at = self.parameter.at(own)
        internal = self.scale.to_internal(np.asarray(at.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(at.gradient / self.scale.derivative(internal))

    def _jacobian(self, own: FloatArray) -> FloatArray:
        """Return the derivative of the structure's theta in this one."""
        a, n = self._gradient(own), self._normal
        across = np.eye(len(own)) - np.multiply.outer(n, a) / (a @ n)
        return np.column_stack([n / (a @ n), across])


def _steepest(departure: FloatArray) -> FloatArray:
    """Return the direction in which the distance from a bound grows most."""
    direction = np.linalg.svd(departure)[2][0]
    return np.asarray(direction * math.copysign(1.0, direction[np.argmax(np.abs(direction))]))
