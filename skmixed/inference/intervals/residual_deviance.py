"""The deviance of a model with a residual structure as a function of a parameter that is held."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance, NaturalParameter
from skmixed.fitting.estimates import residual_slope
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.likelihood.profiled import ObjectiveValue

__all__ = [
    "Chart",
    "ChartedDeviance",
    "HeldResidualCoefficient",
    "NaturalChart",
    "Order",
    "ScaledOrder",
    "WithSigma",
]

FloatArray = NDArray[np.float64]
ObjectiveOf = Callable[[JointCovariance], ResidualObjective]

# Newton steps to the value of a natural parameter, halvings of one, and their accuracy.
STEPS, EXACT = 40, 1e-12
# Beyond this log sigma, powers of sigma leave the range of floating point.
LARGEST_LOG = 150.0


class Chart(Protocol):
    """Map z, whose first entry is held, to the parameters of a deviance."""

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the parameters and their derivatives in z, (n_parameters, n_z)."""
        ...

    def near(self, z: FloatArray) -> Chart:
        """Return the same chart, in a form that covers what is around z."""
        ...


@dataclass(slots=True, eq=False)
class ChartedDeviance:
    """Evaluate a deviance in z; its Hessian neglects how the chart bends.

    Attributes
    ----------
    objective_of : callable
        Makes the likelihood of (theta, rho) from the structures of the random effects.
    lower : ndarray or None
        Bounds of all entries of z but the first.
    with_sigma : bool
        Whether log sigma is the last parameter; else it takes its best value, or is known.
    """

    objective_of: ObjectiveOf
    objective: ResidualObjective
    chart: Chart
    lower: FloatArray | None
    with_sigma: bool
    exact_hessian: bool = False

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        parameters, jacobian = self.chart(z)
        evaluate = WithSigma(self.objective) if self.with_sigma else self.objective
        at = evaluate(parameters)
        hessian = jacobian.T @ at.hessian @ jacobian
        return replace(at, theta=z, gradient=jacobian.T @ at.gradient, hessian=hessian)

    def near(self, z: FloatArray) -> ChartedDeviance:
        """Return the same function, in a form that can be evaluated around z."""
        theta, _ = self.objective.split(self.chart(z)[0])
        covariance = self.objective.covariance.near(theta)
        objective = self.objective_of(covariance) if len(theta) else self.objective
        return replace(self, objective=objective, chart=self.chart.near(z))


@dataclass(frozen=True, slots=True, eq=False)
class WithSigma:
    """Evaluate the deviance of theta, rho and, last, log sigma."""

    objective: ResidualObjective

    def __call__(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate it from the one in which sigma takes its best value."""
        inner, log_sigma = parameters[:-1], float(parameters[-1])
        if abs(log_sigma) > LARGEST_LOG:
            raise np.linalg.LinAlgError(f"log sigma is {log_sigma:.3g}, out of range.")
        at = self.objective(inner)
        if math.isinf(at.value):
            return at
        n, r2 = at.solution.nu, at.solution.r2
        ratio = r2 * math.exp(-2.0 * log_sigma)
        value = at.value + n * (2.0 * log_sigma - math.log(r2 / n) - 1.0) + ratio
        slope = self._slope(at)
        gradient = np.append(at.gradient + (ratio - n) * slope, 2.0 * (n - ratio))
        m = len(inner)
        hessian = np.empty((m + 1, m + 1))
        hessian[:m, :m] = at.hessian + ratio * np.multiply.outer(slope, slope)
        hessian[:m, m] = hessian[m, :m] = -2.0 * ratio * slope
        hessian[m, m] = 4.0 * ratio
        return replace(at, theta=parameters, value=value, gradient=gradient, hessian=hessian)

    def _slope(self, at: ObjectiveValue) -> FloatArray:
        """Return the derivatives of log r2 in theta and rho."""
        theta, rho = self.objective.split(at.theta)
        of_theta = self.objective.of_theta(rho)
        there = of_theta(theta)
        scores = of_theta.kernel.projected(there.whitened, of_theta.mixing(there.solution))
        return np.append(residual_slope(of_theta, there, scores), self.objective.residual_slope(at))


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Hold one of the parameters themselves.

    Attributes
    ----------
    order : ndarray of shape (n_parameters,)
        All positions, that of the held one first.
    """

    order: NDArray[np.intp]

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the entries in their own order."""
        jacobian = np.zeros((len(z), len(z)))
        jacobian[self.order, np.arange(len(z))] = 1.0
        return jacobian @ z, jacobian

    def near(self, z: FloatArray) -> Order:
        """Return this chart."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class ScaledOrder:
    """Hold sigma times one of the parameters, log sigma being the last of them.

    Attributes
    ----------
    order : ndarray of shape (n_parameters,)
    """

    order: NDArray[np.intp]

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the entries in their own order, the held one relative to sigma."""
        if abs(z[-1]) > LARGEST_LOG:
            raise np.linalg.LinAlgError(f"log sigma is {z[-1]:.3g}, out of range.")
        relative = z.copy()
        shrinking = math.exp(-z[-1])
        relative[0] *= shrinking
        parameters, jacobian = Order(self.order)(relative)
        held = self.order[0]
        jacobian[held, 0] = shrinking
        jacobian[held, -1] = -relative[0]
        return parameters, jacobian

    def near(self, z: FloatArray) -> ScaledOrder:
        """Return this chart."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class NaturalChart:
    """Hold a natural parameter of the residual structure on its scale: z is h, theta, and u.

    rho is base + Q (s, u): the first column of Q is the direction of the gradient of h at the base,
    and s is where h has the value.

    Attributes
    ----------
    base : ndarray of shape (n_rho,)
    Q : ndarray of shape (n_rho, n_rho)
        Orthogonal.
    along : float
        Some s nearby.
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


class HeldResidualCoefficient:
    """Hold l'beta of the standardised coefficients; z is that, theta and rho.

    With b = l / |l|^2, the columns of N a basis of what is orthogonal to l, and phi = l'beta, the
    model is y - phi X b = X N gamma + Z b + e. From the coefficients of the whole model,
    r2(phi) = r2 + (phi - l'beta)^2 / l'(X'V^-1 X)^-1 l.

    Parameters
    ----------
    of_columns : callable
        Makes the likelihood from the matrix that [X y] is multiplied by.
    combination : ndarray of shape (n_coefficients,)
    lower : ndarray or None
        Bounds of (theta, rho).
    """

    exact_hessian = False

    def __init__(
        self,
        whole: ResidualObjective,
        of_columns: Callable[[FloatArray], ResidualObjective],
        combination: FloatArray,
        lower: FloatArray | None,
    ) -> None:
        self.lower = lower
        self._whole, self._of_columns, self._combination = whole, of_columns, combination
        p = len(combination)
        Q = np.linalg.qr(combination[:, None], mode="complete")[0]
        self._columns = np.zeros((p + 1, p))
        self._columns[:p, : p - 1] = Q[:, 1:]
        self._columns[p, p - 1] = 1.0
        self._latest: tuple[float, ResidualObjective] | None = None

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        at = self._held_at(float(z[0]))(z[1:])
        m = len(z)
        gradient, hessian = np.zeros(m), np.zeros((m, m))
        if not math.isinf(at.value):
            theta, rho = self._whole.split(z[1:])
            best = self._whole.of_theta(rho)(theta).solution
            half = np.linalg.solve(best.R_X.T, self._combination)
            precision = 2.0 / (half @ half) / at.solution.sigma2
            slope = precision * (z[0] - self._combination @ best.beta)
            profiled = at.solution.known_sigma2 is None
            gradient[0], gradient[1:] = slope, at.gradient
            hessian[0, 0] = precision - (slope**2 / at.solution.nu if profiled else 0.0)
            hessian[1:, 1:] = at.hessian
        return replace(at, theta=z, gradient=gradient, hessian=hessian)

    def near(self, z: FloatArray) -> HeldResidualCoefficient:
        """Return the same function."""
        return self

    def _held_at(self, value: float) -> ResidualObjective:
        """Return the likelihood of the other parameters."""
        if self._latest is None or self._latest[0] != value:
            columns = self._columns.copy()
            b = self._combination / (self._combination @ self._combination)
            columns[:-1, -1] -= value * b
            self._latest = value, self._of_columns(columns)
        return self._latest[1]
