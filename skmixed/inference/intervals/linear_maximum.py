"""The optimum of the likelihood of a linear model by its cross-products."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.search import find_optimum
from skmixed.inference.intervals.charts import HeldDeviance, in_range
from skmixed.inference.intervals.maximum import (
    EVALUATIONS,
    TOLERANCE,
    Maximum,
    columns_beside,
    require_maximum,
)
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["LinearMaximum", "linear_maximum"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LinearMaximum(Maximum):
    """Hold the optimum of theta by ML."""

    objective: ProfiledObjective
    at: ObjectiveValue

    def of_covariance(self, covariance: JointCovariance) -> ProfiledObjective:
        """Return the likelihood in other parameters of the random effects."""
        return self.objective.with_covariance(covariance)

    def of_covariance_and_sigma(self, covariance: JointCovariance) -> ProfiledObjective:
        """Return the likelihood in these and, last, log sigma."""
        products, kernel = self.objective.products, self.objective.kernel
        return WithSigma(products, covariance, reml=False, kernel=kernel)

    def lower(self, covariance: JointCovariance) -> FloatArray | None:
        """Return the bounds of theta."""
        return covariance.lower_bounds

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients, l of length 1."""
        deviance = HeldCoefficient(self.objective, direction)
        return deviance, np.append(direction @ self.at.solution.beta, self.at.theta)


def linear_maximum(fit: LMMFit) -> LinearMaximum:
    """Maximise the likelihood from the cross-products of a fit, which may be of REML."""
    fitted = fit.objective()
    if isinstance(fitted.kernel, IterativeKernel):
        raise ValueError(
            "A profile needs the likelihood exactly, and with these factors it is estimated from "
            "random probes. Use method='wald'."
        )
    assert fit.products is not None
    objective = ProfiledObjective(fit.products, fitted.covariance, reml=False, kernel=fitted.kernel)
    optimum = find_optimum(objective, tol=TOLERANCE, max_iter=EVALUATIONS, verbose=0, constant=0.0)
    require_maximum(optimum.at.value)
    return LinearMaximum(objective, optimum.at)


class WithSigma(ProfiledObjective):
    """The deviance of theta and log sigma: log|M| + n log(2 pi sigma^2) + r2 / sigma^2.

    Less the sum of log w, as in the profiled one.
    """

    def __call__(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate it with its derivatives in theta and, last, log sigma."""
        theta, log_sigma = parameters[:-1], float(parameters[-1])
        factors = self.covariance.relative_factors(theta)
        whitened = self.kernel.whiten(factors)
        solution = self._solve(whitened.reduced)
        precision = math.exp(-2.0 * in_range(log_sigma))
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
            slope = _forms_slope(self, theta, self.kernel.projected(whitened, mixing[-1:]), 0, 0)
            hessian[:m, m] = hessian[m, :m] = 2.0 * precision * slope
        return ObjectiveValue(parameters, value, gradient, hessian, solution, whitened)


class HeldCoefficient(ProfiledObjective):
    """Hold l'beta of the standardised coefficients; z is that and theta."""

    def __init__(self, objective: ProfiledObjective, direction: FloatArray) -> None:
        products, covariance = objective.products, objective.covariance
        super().__init__(products, covariance, reml=False, kernel=objective.kernel)
        self.lower = covariance.lower_bounds
        self._direction, self._columns = columns_beside(direction)
        self.n_coefficients = len(direction) - 1

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
            own, mixed = (_forms_slope(self, theta, scores, i, 0) for i in range(2))
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


def _forms_slope(
    objective: ProfiledObjective, theta: FloatArray, scores: list[FloatArray], i: int, j: int
) -> FloatArray:
    """Return sum tr(dPsi a b') for each entry of theta, a and b being two of the scores."""
    covariance, factors = objective.covariance, objective.products.factors
    slopes = [np.empty(0)]
    parts = zip(covariance.factors, covariance.split(theta), scores, factors, strict=True)
    for structure, own, score, levels in parts:
        a = score[i] if levels.multiplicity is None else score[i] * levels.multiplicity
        slopes.append(np.einsum("mqr,qr->m", structure.covariance_derivative(own), a @ score[j].T))
    return np.concatenate(slopes)
