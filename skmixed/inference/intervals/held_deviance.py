"""The deviance as a function of one parameter of the user's and of the others beside it."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.kernel import Kernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = [
    "HeldCoefficient",
    "HeldDeviance",
    "HeldDeviation",
    "HeldSigma",
    "HeldTheta",
]

FloatArray = NDArray[np.float64]
Objective = TypeVar("Objective", bound=ProfiledObjective)

# Beyond this log sigma, powers of sigma leave the range of floating point.
LARGEST_LOG = 150.0


class HeldDeviance(Protocol):
    """-2 log-likelihood of z, whose first entry is the parameter that a profile holds.

    It is -inf where nothing is left of y. Where it cannot be evaluated, as V is singular within
    rounding or sigma out of range, there is a LinAlgError.

    Attributes
    ----------
    lower : ndarray or None
        Bounds of the other entries.
    """

    @property
    def exact_hessian(self) -> bool:
        """Return whether the Hessian is exact."""
        ...

    @property
    def lower(self) -> FloatArray | None:
        """Return the bounds of the other entries."""
        ...

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        ...

    def near(self, z: FloatArray) -> HeldDeviance:
        """Return the same function, in a form that can be evaluated around z."""
        ...


class HeldTheta(ProfiledObjective):
    """Hold one entry of theta; z is that one and then the others. sigma takes its best value.

    Parameters
    ----------
    held : int
        Position in theta.
    """

    def __init__(
        self, products: CrossProducts, covariance: JointCovariance, kernel: Kernel, held: int
    ) -> None:
        super().__init__(products, covariance, reml=False, kernel=kernel)
        self.order = _first(held, covariance.n_parameters)
        lower = covariance.lower_bounds
        self.lower = None if lower is None else np.delete(lower, held)

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        return _reordered(super().__call__(self._theta(z)), z, self.order)

    def near(self, z: FloatArray) -> HeldTheta:
        """Return the same function, in a form that can be evaluated around z."""
        return _with_covariance(self, self.covariance.near(self._theta(z)))

    def _theta(self, z: FloatArray) -> FloatArray:
        """Return the entries in the order of the structures."""
        theta = np.empty_like(z)
        theta[self.order] = z
        return theta


class _WithSigma(ProfiledObjective):
    """The deviance of theta and log sigma: log|M| + n log(2 pi sigma^2) + r2 / sigma^2.

    Less the sum of log w, as in the profiled one.
    """

    def __init__(
        self, products: CrossProducts, covariance: JointCovariance, kernel: Kernel
    ) -> None:
        super().__init__(products, covariance, reml=False, kernel=kernel)
        self._multiplicities = [factor.multiplicity for factor in products.factors]

    def at(self, theta: FloatArray, log_sigma: float) -> ObjectiveValue:
        """Evaluate it with its derivatives in theta and, last, log sigma."""
        factors = self.covariance.relative_factors(theta)
        whitened = self.kernel.whiten(factors)
        solution = self._solve(whitened.reduced)
        precision = math.exp(-2.0 * _in_range(log_sigma))
        n, ratio = self.n_rows, solution.r2 * precision
        value = (
            whitened.log_determinant
            + n * (math.log(2.0 * math.pi) + 2.0 * log_sigma)
            + ratio
            - self._sum_log_weights
        )
        m = len(theta)
        gradient, hessian = np.empty(m + 1), np.empty((m + 1, m + 1))
        gradient[m], hessian[m, m] = 2.0 * (n - ratio), 4.0 * ratio
        if m:
            mixing = self.mixing(solution)
            # As sigma is given, nothing is profiled: the term with 1 / nu drops out.
            tensors = self.kernel.score_tensors(
                whitened, mixing, reml=0, nu=math.inf, precision=precision
            )
            gradient[:m], hessian[:m, :m], _ = self._derivatives(theta, factors, tensors)
            residual = self.kernel.projected(whitened, mixing[-1:])
            pairs = [
                _summed(t[0], t[0], weights)
                for t, weights in zip(residual, self._multiplicities, strict=True)
            ]
            slope = _forms_derivative(self.covariance, theta, pairs)
            hessian[:m, m] = hessian[m, :m] = 2.0 * precision * slope
        return ObjectiveValue(theta, value, gradient, hessian, solution, whitened)


class HeldSigma(_WithSigma):
    """Hold log sigma; z is that and theta."""

    def __init__(
        self, products: CrossProducts, covariance: JointCovariance, kernel: Kernel
    ) -> None:
        super().__init__(products, covariance, kernel)
        self.order = _first(covariance.n_parameters, covariance.n_parameters + 1)
        self.lower = covariance.lower_bounds

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        return _reordered(self.at(z[1:], float(z[0])), z, self.order)

    def near(self, z: FloatArray) -> HeldSigma:
        """Return the same function."""
        return self


class HeldDeviation(_WithSigma):
    """Hold sigma times one entry of theta; z is that, the others, and log sigma.

    Parameters
    ----------
    held : int
        Position in theta.
    """

    def __init__(
        self, products: CrossProducts, covariance: JointCovariance, kernel: Kernel, held: int
    ) -> None:
        super().__init__(products, covariance, kernel)
        self.held = held
        self.order = _first(held, covariance.n_parameters + 1)
        bounds = covariance.lower_bounds
        self.lower = None if bounds is None else np.append(np.delete(bounds, held), -np.inf)

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        shrinking = math.exp(-_in_range(float(z[-1])))
        relative = z[0] * shrinking
        at = _reordered(self.at(self._theta(z), float(z[-1])), z, self.order)
        # theta_held = z_0 exp(-z_last)
        slope = at.gradient[0]
        jacobian = np.eye(len(z))
        jacobian[0, 0], jacobian[0, -1] = shrinking, -relative
        hessian = jacobian.T @ at.hessian @ jacobian
        hessian[0, -1] -= slope * shrinking
        hessian[-1, 0] -= slope * shrinking
        hessian[-1, -1] += slope * relative
        return replace(at, gradient=jacobian.T @ at.gradient, hessian=hessian)

    def near(self, z: FloatArray) -> HeldDeviation:
        """Return the same function, in a form that can be evaluated around z."""
        return _with_covariance(self, self.covariance.near(self._theta(z)))

    def _theta(self, z: FloatArray) -> FloatArray:
        """Return theta in the order of the structures."""
        relative = z[0] * math.exp(-_in_range(float(z[-1])))
        return np.insert(z[1:-1], self.held, relative)


class HeldCoefficient(ProfiledObjective):
    """Hold l'beta of the standardised coefficients; z is that and theta.

    With b = l / |l|^2, the columns of N a basis of what is orthogonal to l, and phi = l'beta, the
    model is y - phi X b = X N gamma + Z b + e.

    Parameters
    ----------
    combination : ndarray of shape (n_coefficients,)
    """

    def __init__(
        self,
        products: CrossProducts,
        covariance: JointCovariance,
        kernel: Kernel,
        combination: FloatArray,
    ) -> None:
        super().__init__(products, covariance, reml=False, kernel=kernel)
        self.lower = covariance.lower_bounds
        self._multiplicities = [factor.multiplicity for factor in products.factors]
        p = len(combination)
        Q = np.linalg.qr(combination[:, None], mode="complete")[0]
        self._direction = np.append(combination / (combination @ combination), 0.0)
        self._columns = np.zeros((p + 1, p))
        self._columns[:p, : p - 1] = Q[:, 1:]
        self._columns[p, p - 1] = 1.0
        self.n_coefficients = p - 1

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        theta, n = z[1:], self.nu
        factors = self.covariance.relative_factors(theta)
        whitened = self.kernel.whiten(factors)
        columns = self._columns.copy()
        columns[:, -1] -= z[0] * self._direction
        solution = self._solve(columns.T @ whitened.reduced @ columns)
        value = self._value(whitened, solution)
        m = len(theta)
        if math.isinf(value):
            nothing = np.zeros(m + 1)
            return ObjectiveValue(z, value, nothing, np.outer(nothing, nothing), solution, whitened)
        precision = n / solution.r2
        mixing = self.mixing(solution) @ columns.T
        residual, across = mixing[-1], self._across(whitened.reduced, solution.R_X)
        first = -2.0 * across @ whitened.reduced @ residual
        second = 2.0 * across @ whitened.reduced @ across
        gradient, hessian = np.empty(m + 1), np.empty((m + 1, m + 1))
        gradient[0] = precision * first
        hessian[0, 0] = precision * (second - first**2 / solution.r2)
        if m:
            tensors = self.kernel.score_tensors(whitened, mixing, reml=0, nu=n, precision=precision)
            gradient[1:], hessian[1:, 1:], _ = self._derivatives(theta, factors, tensors)
            scores = self.kernel.projected(whitened, np.stack([residual, across]))
            parts = list(zip(scores, self._multiplicities, strict=True))
            own = _forms_derivative(
                self.covariance, theta, [_summed(t[0], t[0], w) for t, w in parts]
            )
            mixed = _forms_derivative(
                self.covariance, theta, [_summed(t[1], t[0], w) for t, w in parts]
            )
            hessian[0, 1:] = precision * (2.0 * mixed + first / solution.r2 * own)
            hessian[1:, 0] = hessian[0, 1:]
        return ObjectiveValue(z, value, gradient, hessian, solution, whitened)

    def near(self, z: FloatArray) -> HeldCoefficient:
        """Return the same function."""
        return self

    def _across(self, reduced: FloatArray, R_X: FloatArray) -> FloatArray:
        """Return the combination of [X y] that is what X N leaves of X b, in the metric of V^-1."""
        if not len(R_X):
            return self._direction
        basis = self._columns[:, :-1]
        half = np.linalg.solve(R_X.T, basis.T @ (reduced @ self._direction))
        return self._direction - basis @ np.linalg.solve(R_X, half)


def _in_range(log_sigma: float) -> float:
    """Return log sigma; LinAlgError where powers of sigma would leave the range of floating point.

    A search along a profile that has no end comes there.
    """
    if abs(log_sigma) > LARGEST_LOG:
        raise np.linalg.LinAlgError(f"log sigma is {log_sigma:.3g}, out of range.")
    return log_sigma


def _with_covariance(deviance: Objective, covariance: JointCovariance) -> Objective:
    """Return the same deviance in other parameters."""
    other = copy.copy(deviance)
    other.covariance = covariance
    return other


def _first(held: int, n: int) -> NDArray[np.intp]:
    """Return all positions, one of them first."""
    return np.concatenate([[held], np.delete(np.arange(n), held)]).astype(np.intp)


def _reordered(at: ObjectiveValue, z: FloatArray, order: NDArray[np.intp]) -> ObjectiveValue:
    """Return an evaluation as one of z, whose entries have an order of their own."""
    hessian = at.hessian[order][:, order]
    return replace(at, theta=z, gradient=at.gradient[order], hessian=hessian)


def _summed(a: FloatArray, b: FloatArray, multiplicity: FloatArray | None) -> FloatArray:
    """Return the sum of a b' over the levels, each as often as it counts."""
    return np.asarray((a if multiplicity is None else a * multiplicity) @ b.T)


def _forms_derivative(
    covariance: JointCovariance, theta: FloatArray, pairs: list[FloatArray]
) -> FloatArray:
    """Return sum tr(dPsi P) for each entry of theta, P being given for each factor."""
    slopes = [np.empty(0)]
    for factor, part, P in zip(covariance.factors, covariance.split(theta), pairs, strict=True):
        slopes.append(np.einsum("mqr,qr->m", factor.covariance_derivative(part), P))
    return np.concatenate(slopes)
