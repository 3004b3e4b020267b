"""The optimum of the likelihood of a model with a residual structure, and what it can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance, NaturalParameter
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.optimise import minimise
from skmixed.fitting.residual_fit import residual_objective
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.standardise import Coordinates, standardised
from skmixed.inference.intervals.held_deviance import HeldDeviance
from skmixed.inference.intervals.residual_deviance import (
    Chart,
    ChartedDeviance,
    HeldResidualCoefficient,
    NaturalChart,
    Order,
    ScaledOrder,
)
from skmixed.likelihood.profiled import ObjectiveValue

__all__ = ["ResidualMaximum", "residual_maximum"]

FloatArray = NDArray[np.float64]

# Distance from the optimum, in standard errors, and evaluations for it.
TOLERANCE, EVALUATIONS = 1e-8, 500


@dataclass(frozen=True, slots=True, eq=False)
class ResidualMaximum:
    """Hold the optimum of (theta, rho) by ML, standardised columns.

    Attributes
    ----------
    model : LMMModel
        By ML.
    rows : WhitenedRows
        By their weights.
    kept : list of int
        The estimable factors.
    """

    model: LMMModel
    coordinates: Coordinates
    rows: WhitenedRows
    kept: list[int]
    objective: ResidualObjective
    at: ObjectiveValue

    @property
    def covariance(self) -> JointCovariance:
        """Return the structures of the random effects."""
        return self.objective.covariance

    @property
    def roots(self) -> list[FloatArray]:
        """Return Lambda of each factor."""
        return self.covariance.relative_factors(self.objective.split(self.at.theta)[0])

    @property
    def log_sigma(self) -> float:
        """Return log sigma."""
        return 0.5 * math.log(self.at.solution.sigma2)

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients."""
        deviance = HeldResidualCoefficient(
            self.objective, self._of_columns, direction, self.objective.lower_bounds
        )
        return deviance, np.append(direction @ self.at.solution.beta, self.at.theta)

    def hold_sigma(self) -> tuple[HeldDeviance, FloatArray]:
        """Hold log sigma."""
        m = len(self.at.theta)
        deviance = self._charted(self.covariance, Order(_first(m, m + 1)), m, with_sigma=True)
        return deviance, np.append(self.log_sigma, self.at.theta)

    def hold_entry(self, covariance: JointCovariance, held: int) -> tuple[HeldDeviance, FloatArray]:
        """Hold an entry of the theta of a covariance."""
        parameters = self._parameters(covariance)
        order = _first(held, len(parameters))
        return self._charted(covariance, Order(order), held), parameters[order]

    def hold_deviation(
        self, covariance: JointCovariance, held: int
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold sigma times an entry of the theta of a covariance."""
        parameters, sigma = self._parameters(covariance), math.exp(self.log_sigma)
        if self.at.solution.known_sigma2 is not None:
            order = _first(held, len(parameters))
            chart: Chart = KnownScale(Order(order), sigma)
            others = parameters[order][1:]
            deviance = self._charted(covariance, chart, held)
        else:
            order = _first(held, len(parameters) + 1)
            others = np.append(parameters, self.log_sigma)[order][1:]
            deviance = self._charted(covariance, ScaledOrder(order), held, with_sigma=True)
        return deviance, np.append(abs(parameters[held]) * sigma, others)

    def hold_residual(self, natural: NaturalParameter) -> tuple[HeldDeviance, FloatArray]:
        """Hold a natural parameter of the residual structure, on its scale."""
        theta, rho = self.objective.split(self.at.theta)
        chart = NaturalChart.at(natural, theta, rho)
        deviance = self._charted(self.covariance, chart, len(self.at.theta) - 1)
        return deviance, chart.coordinates(theta)

    def _parameters(self, covariance: JointCovariance) -> FloatArray:
        """Return (theta, rho) of the optimum, theta being that of another covariance."""
        _, rho = self.objective.split(self.at.theta)
        return np.append(covariance.parameters(self.roots), rho)

    def _charted(
        self,
        covariance: JointCovariance,
        chart: Chart,
        held: int,
        *,
        with_sigma: bool = False,
    ) -> ChartedDeviance:
        """Return the deviance in a chart that takes the place of the parameter at a position."""
        objective = self._of_covariance(covariance)
        lower = objective.lower_bounds
        if lower is not None:
            lower = np.append(lower, [-np.inf] * with_sigma)
            lower = np.delete(lower, held)
        return ChartedDeviance(self._of_covariance, objective, chart, lower, with_sigma)

    def _of_covariance(self, covariance: JointCovariance) -> ResidualObjective:
        """Return the likelihood in other parameters of the random effects."""
        return residual_objective(self.model, self.coordinates, self.rows, self.kept, covariance)

    def _of_columns(self, columns: FloatArray) -> ResidualObjective:
        """Return the likelihood of other columns, which [X y] is multiplied by."""
        rows = replace(self.rows, A=columns.T @ self.rows.A)
        return residual_objective(self.model, self.coordinates, rows, self.kept)


@dataclass(frozen=True, slots=True, eq=False)
class KnownScale:
    """Hold a known sigma times what another chart holds."""

    chart: Order
    sigma: float

    def __call__(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the parameters and their derivatives."""
        parameters, jacobian = self.chart(np.append(z[0] / self.sigma, z[1:]))
        jacobian[:, 0] /= self.sigma
        return parameters, jacobian

    def near(self, z: FloatArray) -> KnownScale:
        """Return this chart."""
        return self


def residual_maximum(fit: LMMFit, model: LMMModel) -> ResidualMaximum:
    """Maximise the likelihood from where a fit, which may be of REML, has ended.

    Parameters
    ----------
    fit : LMMFit
        With a residual structure.
    model : LMMModel
        With its rows.

    Raises
    ------
    ValueError
        If the likelihood has no maximum.
    """
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
    if math.isinf(optimum.at.value):
        raise ValueError(
            "The residual variance is too small a part of that of y for the likelihood to have a "
            "maximum within rounding. Use method='wald', or fit fewer effects."
        )
    return ResidualMaximum(model, coordinates, rows, kept, objective, optimum.at)


def _first(held: int, n: int) -> NDArray[np.intp]:
    """Return all positions, one of them first."""
    return np.concatenate([[held], np.delete(np.arange(n), held)]).astype(np.intp)
