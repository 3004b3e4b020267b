"""The optimum of the likelihood of a generalised model, and what it can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.fitting.generalised_objective import GeneralisedObjective, GeneralisedValue
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.intervals.charts import HeldDeviance
from skmixed.inference.intervals.maximum import Maximum

__all__ = ["GeneralisedMaximum", "generalised_maximum"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedMaximum(Maximum):
    """Hold the optimum in all parameters; sigma is 1."""

    objective: GeneralisedObjective
    at: GeneralisedValue

    @property
    def first(self) -> int:
        """Return where theta begins among the parameters."""
        return len(self.objective.X)

    @property
    def known_sigma(self) -> float:
        """Return sigma where it is not estimated."""
        return 1.0

    def of_covariance(self, covariance: JointCovariance) -> GeneralisedObjective:
        """Return the likelihood in other parameters of the random effects."""
        return replace(self.objective, covariance=covariance)

    def lower(self, covariance: JointCovariance) -> FloatArray | None:
        """Return the bounds of the parameters."""
        return self.of_covariance(covariance).lower

    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients, l of length 1."""
        Q = _led_by(direction)
        return self._turned(0, Q, replace(self.objective, X=Q.T @ self.objective.X))

    def hold_extra(self, predictor: int, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'c of the standardised coefficients of a further predictor, l of length 1."""
        Q, extra = _led_by(direction), list(self.objective.extra)
        first = len(self.at.theta) - sum(map(len, extra[predictor:]))
        extra[predictor] = Q.T @ extra[predictor]
        return self._turned(first, Q, replace(self.objective, extra=extra, extra_curvature=None))

    def _turned(
        self, held: int, Q: FloatArray, objective: GeneralisedObjective
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold the first of some coefficients, whose columns were turned by Q."""
        x, own = self.at.theta.copy(), slice(held, held + len(Q))
        x[own] = Q.T @ x[own]
        return replace(self, objective=objective)._held(self.covariance, x, held)


def generalised_maximum(fit: GLMMFit, model: GLMMModel) -> GeneralisedMaximum:
    """Return the optimum that a fit has found, given its model with the rows."""
    _, objective = model.objective()
    at = objective(fit.joint.parameters)
    return GeneralisedMaximum(objective.with_extra_curvature(at), at)


def _led_by(direction: FloatArray) -> FloatArray:
    """Return an orthogonal matrix whose first column is a direction of length 1."""
    Q = np.linalg.qr(direction[:, None], mode="complete")[0]
    Q[:, 0] = direction
    return np.asarray(Q)
