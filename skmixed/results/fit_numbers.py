"""Single numbers of a fit under the names of statsmodels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.fitting.at_theta import criterion_at
from skmixed.results.numbers import whole
from skmixed.results.of_model import OfModel

__all__ = ["FitNumbers"]

FloatArray = NDArray[np.float64]


class FitNumbers(OfModel):
    """Read the criteria, counts and verdicts off a fit."""

    @property
    def theta(self) -> FloatArray:
        """Return the parameters of the relative covariance factors, that of most levels first."""
        return self.fit.theta

    @property
    def sigma(self) -> float:
        """Return the residual standard deviation of a row of weight 1."""
        return self.fit.sigma

    @property
    def scale(self) -> float:
        """Return the residual variance of a row of weight 1."""
        return self.fit.sigma**2

    @property
    def n_groups(self) -> dict[str, int]:
        """Return the number of levels of each grouping factor."""
        return {effects.name: len(effects.levels) for effects in self.fit.random}

    @property
    def method(self) -> str:
        """Return ``"REML"`` or ``"ML"``."""
        return "REML" if self.fit.reml else "ML"

    @property
    def llf(self) -> float:
        """Return the log-likelihood, or the restricted one for REML, with all constants."""
        return self.fit.log_likelihood

    @property
    def criterion(self) -> float:
        """Return -2 llf."""
        return self.fit.criterion

    @property
    def deviance(self) -> float:
        """Return -2 llf."""
        return self.fit.criterion

    def objective(self, theta: ArrayLike) -> float:
        """Return -2 llf at other variance parameters, beta and sigma being at their best for them.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            As ``theta``: relative to sigma, in lme4's order.

        Raises
        ------
        ValueError
            If theta has another shape, or the cross-products were too large to be kept.
        """
        at = np.asarray(theta, dtype=np.float64)
        if at.shape != self.theta.shape:
            raise ValueError(f"theta must have shape {self.theta.shape}, got {at.shape}.")
        return criterion_at(self.fit, at)

    @property
    def aic(self) -> float:
        """Return -2 llf + 2 (number of parameters)."""
        return self.fit.aic

    @property
    def bic(self) -> float:
        """Return -2 llf + log(nobs) (number of parameters), as lme4."""
        return self.fit.bic

    @property
    def icc(self) -> float:
        """Return the share of the groups in the variance around the fixed effects.

        Of a binomial response it is that of its latent response; for other generalised models see
        ``skmixed.inference.icc``.
        """
        return self.fit.icc

    @property
    def nobs(self) -> int | float:
        """Return the number of observations, each as often as it counts."""
        return whole(self.fit.n_rows)

    @property
    def df_resid(self) -> int | float:
        """Return nobs less all parameters, those of the variances included, as lme4."""
        return whole(self.fit.n_rows - self.fit.n_parameters)

    @property
    def optimizer_message(self) -> str:
        """Say how the search for theta ended."""
        return self.fit.convergence.message

    @property
    def converged(self) -> bool:
        """Tell whether the search ended at a stationary point or on the boundary."""
        return self.fit.convergence.converged

    @property
    def monte_carlo_error(self) -> FloatArray:
        """Return the standard errors of theta that random probes cause; 0 for an exact fit."""
        error = self.fit.monte_carlo
        return np.zeros(len(self.theta)) if error is None else error.theta

    @property
    def llf_monte_carlo_error(self) -> float:
        """Return the standard error of llf that random probes cause; 0 for an exact fit."""
        error = self.fit.monte_carlo
        return 0.0 if error is None else error.log_likelihood

    @property
    def is_singular(self) -> bool:
        """Tell whether some covariance of random effects is estimated on its boundary."""
        return self.fit.singular
