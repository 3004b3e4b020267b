"""The fits at variance parameters around their estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.at_rho import FitsAround
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.variance_parameters import (
    inverse_information,
    parameter_covariance,
    restriction_slope,
)

__all__ = ["Neighbourhood"]

FloatArray = NDArray[np.float64]

# Steps of the central differences, in standard errors of theta, or in theta (or 1) where that is
# less: near the boundary a standard error says nothing of the scale of theta.
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Tell how far eta = (theta, log sigma) may be from its estimate, and what changes with theta.

    theta is followed by the parameters rho of a residual structure where the rows are kept; without
    them, rho is taken as known. Nothing is computed before it is asked for, and then once for all
    that is estimated.

    Attributes
    ----------
    fit : LMMFit
        With its cross-products.
    model : LMMModel or None
        What was fitted, with its rows.
    """

    fit: LMMFit
    model: LMMModel | None = None

    @cached_property
    def covariance(self) -> FloatArray:
        """Return A, the covariance of the estimates of eta, (n_theta + 1, n_theta + 1)."""
        self.fit.require_likelihood()
        free = self._free
        if free.all():
            return parameter_covariance(self.fit)
        return inverse_information(self.fit, free)[np.ix_(free, free)]

    @cached_property
    def shift(self) -> FloatArray:
        """Return s, how far the REML estimates of eta lie from these, to first order.

        It is 0 for REML; for ML it is A g / 2 with g the derivative of -log|X'V^-1 X|.
        """
        if self.fit.reml:
            return np.zeros(len(self.covariance))
        return 0.5 * self.covariance @ restriction_slope(self.fit)[self._free]

    def slopes(self, function: Callable[[LMMFit], FloatArray]) -> FloatArray:
        """Return the derivatives in theta, at a fixed sigma, of what a function returns of a fit.

        Parameters
        ----------
        function : callable
            It takes an LMMFit and returns an array.
        """
        slopes = [(function(up) - function(down)) / width for up, down, width in self._pairs]
        return np.array(slopes) if slopes else np.empty((0, *function(self.fit).shape))

    @cached_property
    def _around(self) -> FitsAround:
        """Return what finds the fits at other theta."""
        return FitsAround(self.fit, self.model)

    @property
    def _free(self) -> NDArray[np.bool_]:
        """Tell which of all variance parameters are not taken as known; log sigma is the last."""
        free = np.ones(len(self._around.estimate) + self._around.n_known + 1, dtype=bool)
        free[len(self._around.estimate) : -1] = False
        return free

    @cached_property
    def _pairs(self) -> list[tuple[LMMFit, LMMFit, float]]:
        """Return the fits at two thetas around the estimate, for each parameter, and how far."""
        around, theta = self._around, self._around.estimate
        spreads = np.sqrt(self.covariance.diagonal()[:-1])
        sizes = np.maximum(np.abs(theta), 1.0)
        steps = STEP * np.where(spreads > 0.0, np.minimum(spreads, sizes), sizes)
        return [
            (
                around.at(theta + step, keep_sigma=True),
                around.at(theta - step, keep_sigma=True),
                2.0 * step.sum(),
            )
            for step in np.diag(steps)
        ]
