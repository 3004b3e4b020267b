"""A structure with one of its natural parameters in the place of an entry of theta."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from skmixed.covariance.base import CovarianceStructure, FloatArray, Invariance
from skmixed.covariance.natural import NaturalParameter
from skmixed.covariance.scales import ParameterScale

__all__ = ["Eliminated", "Parametrisation", "WithParametrisation", "parametrised_by"]

# How near to a bound an eliminated parameter is taken, beside its size: on the bound its gradient
# is lost. The likelihood is even about the bound, which leaves an error of the square.
EDGE = 1e-4
# Newton steps for the entry that gives a natural parameter its value, and their accuracy.
STEPS, EXACT = 60, 1e-13
# Length of differences of a gradient, beside theta or 1.
DIFFERENCE = 6e-6


class Parametrisation(NamedTuple):
    """A structure, the entry of its theta that is a natural parameter, and the scale of the entry.

    A standard deviation stands there in units of sigma, without the unit of its scale.
    """

    structure: CovarianceStructure
    held: int
    scale: ParameterScale


@runtime_checkable
class WithParametrisation(Protocol):
    """A structure that knows theta in which a natural parameter is an entry, bounds included."""

    def parametrised_by(
        self, parameter: NaturalParameter, directions: FloatArray
    ) -> Parametrisation:
        """Return what ``parametrised_by`` returns for this structure."""
        ...


def parametrised_by(
    structure: CovarianceStructure,
    parameter: NaturalParameter,
    directions: FloatArray,
    root: FloatArray,
) -> Parametrisation:
    """Make a natural parameter an entry of theta.

    Parameters
    ----------
    structure : CovarianceStructure
    parameter : NaturalParameter
        One of the structure, in these directions.
    directions : ndarray of shape (k, k)
        As in ``natural_parameters``.
    root : ndarray of shape (k, k)
        Near the covariance root root', an entry of theta is solved for, if the structure has no
        better way.
    """
    if isinstance(structure, WithParametrisation):
        return structure.parametrised_by(parameter, directions)
    theta = structure.parameters(root)
    at = parameter.at(theta)
    sizes = np.abs(at.gradient if at.departure is None else np.linalg.norm(at.departure, axis=0))
    solved = int(np.argmax(sizes))
    start = theta[solved] if at.departure is None else theta[solved] + 1.0
    scale = parameter.scale.closed
    size = min(scale.upper - scale.lower, abs(at.value) if at.departure is None else sizes[solved])
    eliminated = Eliminated(structure, parameter, scale, solved, float(start), float(size))
    return Parametrisation(eliminated, solved, scale)


@dataclass(frozen=True, eq=False)
class Eliminated:
    """Solve for one entry of theta, so that a natural parameter has the value in its place.

    With h the parameter on its closed scale, a its gradient, and theta_p the entry,
    h(theta) = v gives dtheta_p = (dv - sum a_j dtheta_j) / a_p.

    Parameters
    ----------
    structure : CovarianceStructure
    parameter : NaturalParameter
    scale : ParameterScale
        Of the value that is held.
    solved : int
        Position of the entry.
    start : float
        Where to look for it first.
    size : float
        Of the natural parameter, about.
    """

    structure: CovarianceStructure
    parameter: NaturalParameter
    scale: ParameterScale
    solved: int
    start: float
    size: float
    invariance: ClassVar[Invariance] = "scalar"

    def n_parameters(self, n_effects: int) -> int:
        """Return the length of theta."""
        return self.structure.n_parameters(n_effects)

    def lower_bounds(self, n_effects: int) -> FloatArray | None:
        """Return those of the other entries."""
        lower = self.structure.lower_bounds(n_effects)
        if lower is not None:
            lower = lower.copy()
            lower[self.solved] = -np.inf
        return lower

    def factor(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return Lambda at the theta that has the value."""
        return self.structure.factor(self._own(theta), n_effects)

    def factor_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray:
        """Return the derivatives of Lambda, of shape (n_parameters, n_effects, n_effects)."""
        own = self._own(theta)
        J = self._jacobian(own)
        return np.tensordot(J.T, self.structure.factor_derivative(own, n_effects), axes=1)

    def factor_second_derivative(self, theta: FloatArray, n_effects: int) -> FloatArray | None:
        """Return the second derivatives of Lambda; those of h come from differences."""
        own = self._own(theta)
        J, a = self._jacobian(own), self._gradient(own)
        # Near a bound the gradient turns within the distance from it.
        value = self._value(own)
        inside = min(1.0, *np.abs(np.array([self.scale.lower, self.scale.upper]) - value) / self.size)
        steps = np.diag(DIFFERENCE * inside * np.maximum(np.abs(own), 1.0))
        H = np.array(
            [(self._gradient(own + s) - self._gradient(own - s)) / (2.0 * s.sum()) for s in steps]
        )
        bend = -(J.T @ (0.5 * (H + H.T)) @ J) / a[self.solved]
        slope = self.structure.factor_derivative(own, n_effects)[self.solved]
        whole = np.multiply.outer(bend, slope)
        second = self.structure.factor_second_derivative(own, n_effects)
        if second is not None:
            whole += np.einsum("ai,bj,abqr->ijqr", J, J, second)
        return whole

    def parameters(self, root: FloatArray) -> FloatArray:
        """Return the theta of the covariance root root', with the value in its place."""
        theta = self.structure.parameters(root)
        theta[self.solved] = self._value(theta)
        return theta

    def _own(self, theta: FloatArray) -> FloatArray:
        """Return the theta of the structure that has the value, by Newton steps."""
        edge = EDGE * self.size
        target = min(max(theta[self.solved], self.scale.lower + edge), self.scale.upper - edge)
        own = theta.copy()
        own[self.solved] = self.start
        short = self._value(own) - target
        for _ in range(STEPS):
            if abs(short) <= EXACT * max(self.size, abs(target)):
                return own
            before, step = own[self.solved], short / self._gradient(own)[self.solved]
            if not math.isfinite(step):
                break
            while True:
                own[self.solved] = before - step
                left = self._value(own) - target
                if abs(left) < abs(short) or abs(step) <= EXACT * max(1.0, abs(before)):
                    break
                step *= 0.5
            if abs(left) >= abs(short):
                break
            short = left
        if abs(short) <= math.sqrt(EXACT) * edge:
            return own
        raise np.linalg.LinAlgError(
            f"No entry {self.solved} of theta gives {self.parameter.name} its value."
        )

    def _value(self, own: FloatArray) -> float:
        """Return h."""
        return float(self.scale.to_internal(np.asarray(self.parameter.at(own).value)))

    def _gradient(self, own: FloatArray) -> FloatArray:
        """Return the derivative of h."""
        at = self.parameter.at(own)
        internal = self.scale.to_internal(np.asarray(at.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(at.gradient / self.scale.derivative(internal))

    def _jacobian(self, own: FloatArray) -> FloatArray:
        """Return the derivative of the structure's theta in this one."""
        a = self._gradient(own)
        jacobian = np.eye(len(own))
        jacobian[self.solved] = -a / a[self.solved]
        jacobian[self.solved, self.solved] = 1.0 / a[self.solved]
        return jacobian
