"""The optimum of the likelihood of a model with a residual structure, and what it can hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance, NaturalParameter
from skmixed.fitting.estimates import residual_slope
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.optimise import minimise
from skmixed.fitting.residual_fit import residual_objective
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.standardise import Coordinates, standardised
from skmixed.inference.intervals.charts import (
    ChartedDeviance,
    HeldDeviance,
    NaturalChart,
    in_range,
)
from skmixed.inference.intervals.maximum import (
    EVALUATIONS,
    TOLERANCE,
    Maximum,
    columns_beside,
    require_maximum,
)
from skmixed.likelihood.profiled import ObjectiveValue

__all__ = ["ResidualMaximum", "residual_maximum"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualMaximum(Maximum):
    """Hold the optimum of (theta, rho) by ML."""

    model: LMMModel
    coordinates: Coordinates
    rows: WhitenedRows
    kept: list[int]
    objective: ResidualObjective
    at: ObjectiveValue

    @property
    def known_sigma(self) -> float | None:
        """Return sigma where it is not estimated."""
        known = self.at.solution.known_sigma2
        return None if known is None else math.sqrt(known)

    def of_covariance(self, covariance: JointCovariance) -> ResidualObjective:
        """Return the likelihood in other parameters of the random effects."""
        return residual_objective(self.model, self.coordinates, self.rows, self.kept, covariance)

    def of_covariance_and_sigma(self, covariance: JointCovariance) -> WithSigma:
        """Return the likelihood in these and, last, log sigma."""
        return WithSigma(self.of_covariance(covariance))

    def lower(self, covariance: JointCovariance) -> FloatArray | None:
        """Return the bounds of (theta, rho)."""
        lower = covariance.lower_bounds
        n_rho = len(self.at.theta) - self.covariance.n_parameters
        return None if lower is None else np.append(lower, np.full(n_rho, -np.inf))

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients, l of length 1."""
        deviance = HeldCoefficient(self.objective, self._of_columns, direction)
        return deviance, np.append(direction @ self.at.solution.beta, self.at.theta)

    def hold_residual(self, natural: NaturalParameter) -> tuple[HeldDeviance, FloatArray]:
        """Hold a natural parameter of the residual structure, on its scale."""
        theta, rho = self.objective.split(self.at.theta)
        chart = NaturalChart.at(natural, theta, rho)
        lower = self.lower(self.covariance)
        deviance = ChartedDeviance(
            self.of_covariance(self.covariance),
            chart,
            None if lower is None else lower[:-1],
            0,
            self.of_covariance,
        )
        return deviance, chart.coordinates(theta)

    def _of_columns(self, columns: FloatArray) -> ResidualObjective:
        """Return the likelihood of other columns, which [X y] is multiplied by."""
        rows = replace(self.rows, A=columns.T @ self.rows.A)
        return residual_objective(self.model, self.coordinates, rows, self.kept)


def residual_maximum(fit: LMMFit, model: LMMModel) -> ResidualMaximum:
    """Maximise the likelihood from where a fit, which may be of REML, has ended."""
    assert fit.residual is not None
    model = model.with_criterion(reml=False)
    coordinates, rows = standardised(model.design, model.covariance)
    places = {effects.position: i for i, effects in enumerate(fit.random)}
    kept = [places[position] for position in range(len(fit.estimable))]
    objective = residual_objective(model, coordinates, rows, kept)
    optimum = minimise(
        objective,
        np.append(fit.convergence.theta, fit.residual.rho),
        tol=TOLERANCE,
        max_iter=EVALUATIONS,
        lower=objective.lower_bounds,
        exact=False,
    )
    require_maximum(optimum.at.value)
    return ResidualMaximum(model, coordinates, rows, kept, objective, optimum.at)


@dataclass(frozen=True, slots=True, eq=False)
class WithSigma:
    """Evaluate the deviance of theta, rho and, last, log sigma."""

    objective: ResidualObjective

    @property
    def covariance(self) -> JointCovariance:
        """Return the structures of the random effects."""
        return self.objective.covariance

    def __call__(self, parameters: FloatArray) -> ObjectiveValue:
        """Evaluate it from the one in which sigma takes its best value."""
        inner, log_sigma = parameters[:-1], in_range(float(parameters[-1]))
        at = self.objective(inner)
        if math.isinf(at.value):
            nothing = np.zeros(len(parameters))
            return replace(at, theta=parameters, gradient=nothing, hessian=np.diag(nothing))
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


class HeldCoefficient:
    """Hold l'beta of the standardised coefficients; z is that, theta and rho.

    From the coefficients of the whole model, with phi the value that is held,
    r2(phi) = r2 + (phi - l'beta)^2 / l'(X'V^-1 X)^-1 l.
    """

    exact_hessian = False

    def __init__(
        self,
        whole: ResidualObjective,
        of_columns: Callable[[FloatArray], ResidualObjective],
        direction: FloatArray,
    ) -> None:
        self.lower = whole.lower_bounds
        self._whole, self._of_columns, self._direction = whole, of_columns, direction
        self._latest: tuple[float, ResidualObjective] | None = None

    def __call__(self, z: FloatArray) -> ObjectiveValue:
        """Evaluate the deviance with its derivatives in z."""
        at = self._held_at(float(z[0]))(z[1:])
        m = len(z)
        gradient, hessian = np.zeros(m), np.zeros((m, m))
        if not math.isinf(at.value):
            theta, rho = self._whole.split(z[1:])
            best = self._whole.of_theta(rho)(theta).solution
            half = np.linalg.solve(best.R_X.T, self._direction)
            precision = 2.0 / (half @ half) / at.solution.sigma2
            slope = precision * (z[0] - self._direction @ best.beta)
            profiled = at.solution.known_sigma2 is None
            gradient[0], gradient[1:] = slope, at.gradient
            hessian[0, 0] = precision - (slope**2 / at.solution.nu if profiled else 0.0)
            hessian[1:, 1:] = at.hessian
        return replace(at, theta=z, gradient=gradient, hessian=hessian)

    def near(self, z: FloatArray) -> HeldCoefficient:
        """Return the same function."""
        return self

    def _held_at(self, value: float) -> ResidualObjective:
        """Return the likelihood of the other parameters."""
        if self._latest is None or self._latest[0] != value:
            b, columns = columns_beside(self._direction)
            columns[:, -1] -= value * b
            self._latest = value, self._of_columns(columns)
        return self._latest[1]
