"""The optimum of the likelihood of a generalised model, and what it can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.intervals.held_deviance import HeldDeviance

__all__ = ["GeneralisedMaximum", "generalised_maximum"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeldGeneralised:
    """Evaluate the deviance of a generalised model in z, its parameters in another order.

    Attributes
    ----------
    order : ndarray of shape (n_parameters,)
        Positions of the parameters, that of the held one first.
    """

    objective: GeneralisedObjective
    order: NDArray[np.intp]
    exact_hessian: bool = False

    @property
    def lower(self) -> FloatArray | None:
        """Return the bounds of all entries of z but the first."""
        lower = self.objective.lower
        return None if lower is None else lower[self.order[1:]]

    def __call__(self, z: FloatArray) -> Any:
        """Evaluate the deviance with its derivatives in z."""
        at, order = self.objective(self._parameters(z)), self.order
        hessian = at.hessian[np.ix_(order, order)]
        return replace(at, theta=z, gradient=at.gradient[order], hessian=hessian)

    def near(self, z: FloatArray) -> HeldGeneralised:
        """Return the same function, in a form that can be evaluated around z."""
        theta = self.objective.split(self._parameters(z)).theta
        covariance = self.objective.covariance.near(theta)
        return replace(self, objective=replace(self.objective, covariance=covariance))

    def _parameters(self, z: FloatArray) -> FloatArray:
        """Return the parameters in their own order."""
        x = np.empty_like(z)
        x[self.order] = z
        return x


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedMaximum:
    """Hold the optimum in all parameters, standardised columns."""

    objective: GeneralisedObjective
    at: GeneralisedValue

    @property
    def covariance(self) -> JointCovariance:
        """Return the structures of the random effects."""
        return self.objective.covariance

    @property
    def roots(self) -> list[FloatArray]:
        """Return Lambda of each factor."""
        return self.covariance.relative_factors(self.objective.split(self.at.theta).theta)

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients, l of length 1."""
        Q = _led_by(direction)
        objective = replace(self.objective, X=Q.T @ self.objective.X)
        x = self.at.theta.copy()
        x[: len(Q)] = Q.T @ x[: len(Q)]
        return _held(objective, x, 0)

    def hold_extra(self, predictor: int, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'c of the standardised coefficients of a further predictor, l of length 1."""
        Q, extra = _led_by(direction), list(self.objective.extra)
        first = len(self.at.theta) - sum(map(len, extra[predictor:]))
        own = slice(first, first + len(Q))
        extra[predictor] = Q.T @ extra[predictor]
        objective = replace(self.objective, extra=extra, extra_curvature=None)
        x = self.at.theta.copy()
        x[own] = Q.T @ x[own]
        return _held(objective, x, first)

    def hold_entry(self, covariance: JointCovariance, held: int) -> tuple[HeldDeviance, FloatArray]:
        """Hold an entry of the theta of a covariance."""
        at = self.objective.split(self.at.theta)
        x = np.concatenate([at.beta, covariance.parameters(self.roots), *at.extra])
        return _held(replace(self.objective, covariance=covariance), x, len(at.beta) + held)

    def hold_deviation(
        self, covariance: JointCovariance, held: int
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold a standard deviation, an entry of the theta of a covariance: sigma is 1."""
        deviance, optimum = self.hold_entry(covariance, held)
        return deviance, np.append(abs(optimum[0]), optimum[1:])


def generalised_maximum(fit: GLMMFit, model: GLMMModel) -> GeneralisedMaximum:
    """Return the optimum that a fit has found.

    Parameters
    ----------
    model : GLMMModel
        With its rows.
    """
    _, objective = model.objective()
    at = objective(fit.joint.parameters)
    return GeneralisedMaximum(objective.with_extra_curvature(at), at)


def _held(
    objective: GeneralisedObjective, x: FloatArray, held: int
) -> tuple[HeldGeneralised, FloatArray]:
    """Return the deviance that holds the parameter at a position, and x in its order."""
    order = np.concatenate([[held], np.delete(np.arange(len(x)), held)]).astype(np.intp)
    return HeldGeneralised(objective, order), x[order]


def _led_by(direction: FloatArray) -> FloatArray:
    """Return an orthogonal matrix whose first column is a direction of length 1."""
    Q = np.linalg.qr(direction[:, None], mode="complete")[0]
    Q[:, 0] = direction
    return np.asarray(Q)
