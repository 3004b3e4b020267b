"""The optimum of a likelihood, and the deviances that hold one of its parameters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.inference.intervals.charts import (
    Chart,
    ChartedDeviance,
    HeldDeviance,
    KnownScale,
    Order,
    ScaledOrder,
)

__all__ = ["EVALUATIONS", "TOLERANCE", "Maximum", "columns_beside", "require_maximum"]

FloatArray = NDArray[np.float64]

# Distance from the optimum, in standard errors, and evaluations for it.
TOLERANCE, EVALUATIONS = 1e-8, 500


class Maximum(ABC):
    """The optimum of a likelihood, standardised columns.

    Each method that holds a parameter returns the deviance that does, and where it is least.

    Attributes
    ----------
    objective : callable
        -2 log-likelihood of all parameters but sigma.
    """

    __slots__ = ()

    objective: Any
    at: Any

    @property
    def covariance(self) -> JointCovariance:
        """Return the structures of the random effects."""
        covariance: JointCovariance = self.objective.covariance
        return covariance

    @property
    def first(self) -> int:
        """Return where theta begins among the parameters."""
        return 0

    @property
    def known_sigma(self) -> float | None:
        """Return sigma where it is not estimated."""
        return None

    @property
    def log_sigma(self) -> float:
        """Return log sigma."""
        return 0.5 * math.log(self.at.solution.sigma2)

    @property
    def roots(self) -> list[FloatArray]:
        """Return Lambda of each factor."""
        theta = self.at.theta[self.first : self.first + self.covariance.n_parameters]
        return self.covariance.relative_factors(theta)

    @abstractmethod
    def of_covariance(self, covariance: JointCovariance) -> Any:
        """Return the likelihood in other parameters of the random effects."""

    def of_covariance_and_sigma(self, covariance: JointCovariance) -> Any:
        """Return the likelihood in these and, last, log sigma, where that is estimated."""
        raise NotImplementedError

    @abstractmethod
    def lower(self, covariance: JointCovariance) -> FloatArray | None:
        """Return the bounds of the parameters."""

    @abstractmethod
    def hold_coefficient(self, direction: FloatArray) -> tuple[HeldDeviance, FloatArray]:
        """Hold l'beta of the standardised coefficients, l of length 1."""

    def hold_sigma(self) -> tuple[HeldDeviance, FloatArray]:
        """Hold log sigma."""
        optimum = np.append(self.at.theta, self.log_sigma)
        return self._held(self.covariance, optimum, len(self.at.theta), sigma=True)

    def hold_entry(self, covariance: JointCovariance, held: int) -> tuple[HeldDeviance, FloatArray]:
        """Hold an entry of the theta of a covariance."""
        return self._held(covariance, self._parameters(covariance), self.first + held)

    def hold_deviation(
        self, covariance: JointCovariance, held: int
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold sigma times an entry of the theta of a covariance."""
        optimum, sigma = self._parameters(covariance), self.known_sigma
        estimated = sigma is None
        if sigma is None:
            sigma, optimum = math.exp(self.log_sigma), np.append(optimum, self.log_sigma)
        order = Order.led_by(self.first + held, len(optimum)).order
        chart = ScaledOrder(order) if estimated else KnownScale(Order(order), sigma)
        optimum = optimum[order]
        optimum[0] = abs(optimum[0]) * sigma
        return self._charted(covariance, chart, order, sigma=estimated), optimum

    def _held(
        self, covariance: JointCovariance, optimum: FloatArray, held: int, *, sigma: bool = False
    ) -> tuple[HeldDeviance, FloatArray]:
        """Hold the parameter at a position, given the best values of all."""
        chart = Order.led_by(held, len(optimum))
        deviance = self._charted(covariance, chart, chart.order, sigma=sigma)
        return deviance, optimum[chart.order]

    def _parameters(self, covariance: JointCovariance) -> FloatArray:
        """Return the parameters of the optimum, theta being that of another covariance."""
        x, first = self.at.theta, self.first
        after = x[first + self.covariance.n_parameters :]
        return np.concatenate([x[:first], covariance.parameters(self.roots), after])

    def _charted(
        self,
        covariance: JointCovariance,
        chart: Chart,
        order: NDArray[np.intp],
        *,
        sigma: bool = False,
    ) -> ChartedDeviance:
        """Return the deviance in a chart whose others are the parameters in an order."""
        of_covariance = self.of_covariance_and_sigma if sigma else self.of_covariance
        lower = self.lower(covariance)
        if lower is not None:
            lower = np.append(lower, [-np.inf] * sigma)[order[1:]]
        return ChartedDeviance(of_covariance(covariance), chart, lower, self.first, of_covariance)


def require_maximum(value: float) -> None:
    """Raise ValueError if -2 log-likelihood has no least value."""
    if math.isinf(value):
        raise ValueError(
            "The residual variance is too small a part of that of y for the likelihood to have a "
            "maximum within rounding. Use method='wald', or fit fewer effects."
        )


def columns_beside(direction: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return b = l / |l|^2, and N beside y: combinations of [X y], N orthogonal to l.

    With phi = l'beta held, the model is y - phi X b = X N gamma + Z b + e.
    """
    p = len(direction)
    columns = np.zeros((p + 1, p))
    columns[:p, : p - 1] = np.linalg.qr(direction[:, None], mode="complete")[0][:, 1:]
    columns[p, p - 1] = 1.0
    return np.append(direction / (direction @ direction), 0.0), columns
