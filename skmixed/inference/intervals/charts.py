"""The deviance in coordinates whose first is the parameter that a profile holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance, NaturalParameter
from skmixed.likelihood.profiled import ObjectiveValue

__all__ = [
    "Chart",
    "ChartedDeviance",
    "HeldDeviance",
    "KnownScale",
    "NaturalChart",
    "Order",
    "ScaledOrder",
    "in_range",
]

FloatArray = NDArray[np.float64]

# Newton steps to the value of a natural parameter, halvings of one, and their accuracy.
STEPS, EXACT = 40, 1e-12
# Beyond this log sigma, powers of sigma leave the range of floating point.
LARGEST_LOG = 150.0


class HeldDeviance(Protocol):
    """-2 log-likelihood of z, whose first entry is the parameter that a profile holds.

    It is -inf where nothing is left of y. Where it cannot be evaluated, as V is singular within
    rounding or sigma out of range, there is a LinAlgError.
    """

    @property
    def exact_hessian(self) -> bool:
        """Return whether the Hessian is exact."""
        ...

    @property
    def lower(self) -> FloatArray | None:
        """Return the bounds of all entries of z but the first."""
        ...

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        ...

    def near(self, z: FloatArray) -> HeldDeviance:
        """Return the same function, in a form that can be evaluated around z."""
        ...


class Chart:
    """Map z, whose first entry is held, to the parameters of a deviance."""

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the parameters and their derivatives in z, (n_parameters, n_z)."""
        raise NotImplementedError

    def bend(self, z: FloatArray, gradient: FloatArray) -> FloatArray | float:
        """Return the second derivatives in z, weighted by a gradient; 0 if they are neglected."""
        return 0.0

    def near(self, z: FloatArray) -> Chart:
        """Return the same chart, in a form that covers what is around z."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class ChartedDeviance:
    """Evaluate a deviance in the coordinates z of a chart.

    Attributes
    ----------
    first : int
        Where theta begins among the parameters.
    """

    objective: Any
    chart: Chart
    lower: FloatArray | None
    first: int
    of_covariance: Callable[[JointCovariance], Any]

    @property
    def exact_hessian(self) -> bool:
        """Return whether the Hessian is exact."""
        return getattr(self.objective, "exact_hessian", False)

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        parameters, jacobian = self.chart(z)
        at = self.objective(parameters)
        hessian = jacobian.T @ at.hessian @ jacobian + self.chart.bend(z, at.gradient)
        evaluated: ObjectiveValue = replace(
            at, theta=z, gradient=jacobian.T @ at.gradient, hessian=hessian
        )
        return evaluated

    def near(self, z: FloatArray) -> ChartedDeviance:
        """Return the same function, in a form that can be evaluated around z."""
        covariance: JointCovariance = self.objective.covariance
        theta = self.chart(z)[0][self.first : self.first + covariance.n_parameters]
        objective = self.of_covariance(covariance.near(theta)) if len(theta) else self.objective
        return replace(self, objective=objective, chart=self.chart.near(z))


@dataclass(frozen=True, slots=True, eq=False)
class Order(Chart):
    """Hold one of the parameters themselves: all positions, that of the held one first."""

    order: NDArray[np.intp]

    @classmethod
    def led_by(cls, held: int, n: int) -> Order:
        """Return the chart of n parameters that holds one of them."""
        return cls(np.concatenate([[held], np.delete(np.arange(n), held)]).astype(np.intp))

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the entries in their own order."""
        jacobian = np.zeros((len(z), len(z)))
        jacobian[self.order, np.arange(len(z))] = 1.0
        return jacobian @ z, jacobian


@dataclass(frozen=True, slots=True, eq=False)
class ScaledOrder(Order):
    """Hold sigma times one of the parameters, log sigma being the last of them."""

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the entries in their own order, the held one relative to sigma."""
        relative, shrinking = z.copy(), math.exp(-in_range(float(z[-1])))
        relative[0] *= shrinking
        parameters, jacobian = Order.__call__(self, relative)
        held = self.order[0]
        jacobian[held, 0], jacobian[held, -1] = shrinking, -relative[0]
        return parameters, jacobian

    def bend(self, z: FloatArray, gradient: FloatArray) -> FloatArray:
        """Return that of the held parameter, z_0 exp(-z_last)."""
        slope, bend = gradient[self.order[0]], np.zeros((len(z), len(z)))
        shrinking = math.exp(-in_range(float(z[-1])))
        bend[0, -1] = bend[-1, 0] = -slope * shrinking
        bend[-1, -1] += slope * z[0] * shrinking
        return bend


@dataclass(frozen=True, slots=True, eq=False)
class KnownScale(Chart):
    """Hold a known sigma times what another chart holds."""

    chart: Chart
    sigma: float

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the parameters and their derivatives."""
        parameters, jacobian = self.chart(np.append(z[0] / self.sigma, z[1:]))
        jacobian[:, 0] /= self.sigma
        return parameters, jacobian


@dataclass(frozen=True, slots=True, eq=False)
class NaturalChart(Chart):
    """Hold a natural parameter of the residual structure on its scale: z is h, theta, and u.

    rho is base + Q (s, u): the first column of Q is the direction of the gradient of h at the base,
    and s, found near ``along``, is where h has the value.
    """

    natural: NaturalParameter
    n_theta: int
    base: FloatArray
    Q: FloatArray
    along: float = 0.0

    @classmethod
    def at(cls, natural: NaturalParameter, theta: FloatArray, rho: FloatArray) -> NaturalChart:
        """Return the chart that has its base at rho."""
        gradient = natural.at(rho).gradient
        Q = np.linalg.qr(gradient[:, None], mode="complete")[0]
        return cls(natural, len(theta), rho, Q)

    def coordinates(self, theta: FloatArray) -> FloatArray:
        """Return z of theta and the base."""
        return np.concatenate([[self._value(self.base)[0]], theta, np.zeros(len(self.base) - 1)])

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (theta, rho) and its derivatives."""
        m, n = self.n_theta, self.Q[:, 0]
        rho = self.base + self.Q[:, 1:] @ z[1 + m :]
        rho = rho + self._solved(float(z[0]), rho) * n
        _, gradient = self._value(rho)
        rate = float(gradient @ n)
        jacobian = np.zeros((len(z), len(z)))
        jacobian[:m, 1 : 1 + m] = np.eye(m)
        jacobian[m:, 0] = n / rate
        across = np.eye(len(rho)) - np.multiply.outer(n, gradient) / rate
        jacobian[m:, 1 + m :] = across @ self.Q[:, 1:]
        return np.append(z[1 : 1 + m], rho), jacobian

    def near(self, z: FloatArray) -> NaturalChart:
        """Return the chart that looks for s near its value at z."""
        rho = self(z)[0][self.n_theta :]
        return replace(self, along=float(self.Q[:, 0] @ (rho - self.base)))

    def _value(self, rho: FloatArray) -> tuple[float, FloatArray]:
        """Return h and its gradient."""
        at, scale = self.natural.at(rho), self.natural.scale
        internal = scale.to_internal(np.asarray(at.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(internal), np.asarray(at.gradient / scale.derivative(internal))

    def _solved(self, target: float, rho: FloatArray) -> float:
        """Return s with h(rho + s n) at the target, by Newton steps."""
        s, n = self.along, self.Q[:, 0]
        value, gradient = self._value(rho + s * n)
        for _ in range(STEPS):
            short, rate = target - value, float(gradient @ n)
            if abs(short) <= EXACT * max(1.0, abs(target)):
                return s
            if not rate or not math.isfinite(rate):
                break
            for halving in 0.5 ** np.arange(STEPS):
                trial = s + halving * short / rate
                value, gradient = self._value(rho + trial * n)
                if abs(target - value) < abs(short):
                    break
            else:
                break
            s = float(trial)
        raise np.linalg.LinAlgError(f"{self.natural.name!r} cannot be held at {target:.6g} here.")


def in_range(log_sigma: float) -> float:
    """Return log sigma; LinAlgError where powers of sigma would leave the range of floating point.

    A search along a profile that has no end comes there.
    """
    if abs(log_sigma) > LARGEST_LOG:
        raise np.linalg.LinAlgError(f"log sigma is {log_sigma:.3g}, out of range.")
    return log_sigma
