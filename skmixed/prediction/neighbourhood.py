"""The fits at variance parameters around their estimates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.variance_parameters import parameter_covariance, restriction_slope

__all__ = ["Neighbourhood"]

FloatArray = NDArray[np.float64]

# Steps of the central differences, in standard errors of theta, or in theta (or 1) where that is
# less: near the boundary a standard error says nothing of the scale of theta.
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Tell how far eta = (theta, log sigma) may be from its estimate, and what changes with theta.

    Nothing is computed before it is asked for, and then once for all that is estimated.

    Attributes
    ----------
    fit : LMMFit
        With its cross-products.
    """

    fit: LMMFit

    @cached_property
    def covariance(self) -> FloatArray:
        """Return A, the covariance of the estimates of eta, (n_theta + 1, n_theta + 1).

        Raises
        ------
        ValueError
            If the likelihood is a pseudo-likelihood.
        """
        self.fit.require_likelihood()
        return parameter_covariance(self.fit)

    @cached_property
    def shift(self) -> FloatArray:
        """Return s, how far the REML estimates of eta lie from these, to first order.

        It is 0 for REML; for ML it is A g / 2 with g the derivative of -log|X'V^-1 X|.
        """
        if self.fit.reml:
            return np.zeros(len(self.covariance))
        return 0.5 * self.covariance @ restriction_slope(self.fit)

    def slopes(self, function: Callable[[LMMFit], FloatArray]) -> FloatArray:
        """Return the derivatives in theta, at a fixed sigma, of what a function returns of a fit.

        Parameters
        ----------
        function : callable
            It takes an LMMFit and returns an array.

        Returns
        -------
        ndarray of shape (n_theta, ...)
        """
        slopes = [(function(up) - function(down)) / width for up, down, width in self._pairs]
        return np.array(slopes) if slopes else np.empty((0, *function(self.fit).shape))

    @cached_property
    def _pairs(self) -> list[tuple[LMMFit, LMMFit, float]]:
        """Return the fits at two thetas around the estimate, for each parameter, and how far."""
        theta = self.fit.convergence.theta
        spreads = np.sqrt(self.covariance.diagonal()[:-1])
        sizes = np.maximum(np.abs(theta), 1.0)
        steps = STEP * np.where(spreads > 0.0, np.minimum(spreads, sizes), sizes)
        return [
            (
                fit_at(self.fit, theta + step, keep_sigma=True),
                fit_at(self.fit, theta - step, keep_sigma=True),
                2.0 * step.sum(),
            )
            for step in np.diag(steps)
        ]
