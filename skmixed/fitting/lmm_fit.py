"""A finished fit of a linear mixed model: what predictions and tables are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.monte_carlo import MonteCarloError
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.standardise import Coordinates
from skmixed.likelihood.errors import ConditionalErrors

__all__ = ["Convergence", "FixedEffects", "LMMFit", "Notice"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold one warning that a face should give to the user."""

    message: str
    category: type[Warning]


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """Hold how the search for theta ended.

    Attributes
    ----------
    converged : bool
    n_iter : int
        Evaluations of the objective.
    scaled_gradient : float
        Distance from the stationary point, in standard errors of theta.
    message : str
    theta, gradient, hessian : ndarray
        Of -2 log-likelihood, in standardised coordinates.
    """

    converged: bool
    n_iter: int
    scaled_gradient: float
    message: str
    theta: FloatArray
    gradient: FloatArray
    hessian: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FixedEffects:
    """Hold the estimated fixed effects.

    Attributes
    ----------
    names : tuple of str
        The intercept, if there is one, comes first.
    coefficients : ndarray of shape (p,)
        0 for an aliased column.
    covariance : ndarray of shape (p, p)
        Of the estimates; NaN for an aliased column.
    aliased : ndarray of shape (p,)
    standardised : ndarray of shape (rank,)
        Coefficients of the standardised columns, in units of the working response.
    unscaled_covariance : ndarray of shape (rank, rank)
        (X'V^-1 X)^-1 of the standardised columns.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    aliased: NDArray[np.bool_]
    standardised: FloatArray
    unscaled_covariance: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LMMFit:
    """Hold a finished fit; it has no rows of the training data.

    Attributes
    ----------
    reml : bool
    n_rows : float
        Rows, each as often as it counts.
    fixed : FixedEffects
    random : tuple of RandomEffects
    errors : ConditionalErrors
        Of the random effects of the estimable factors.
    sigma : float
        Residual standard deviation of a row of weight 1.
    log_likelihood : float
        Of the criterion, REML or ML, with all constants.
    convergence : Convergence
    coordinates : Coordinates
    residual_quantiles : ndarray of shape (5,)
        Minimum, quartiles and maximum of the residuals over their standard deviation.
    notices : tuple of Notice
    monte_carlo : MonteCarloError or None
        None where nothing was estimated from random probes.
    """

    reml: bool
    n_rows: float
    fixed: FixedEffects
    random: tuple[RandomEffects, ...]
    errors: ConditionalErrors
    sigma: float
    log_likelihood: float
    convergence: Convergence
    coordinates: Coordinates
    residual_quantiles: FloatArray
    notices: tuple[Notice, ...]
    monte_carlo: MonteCarloError | None = None

    @property
    def theta(self) -> FloatArray:
        """Return the relative covariance parameters of all factors, that of most levels first.

        Within a factor they follow lme4: term by term, down the columns of each triangle.
        """
        return np.concatenate([np.empty(0), *(effects.theta for effects in self.random)])

    @property
    def n_parameters(self) -> int:
        """Count fixed effects, variance parameters and sigma."""
        return len(self.fixed.standardised) + len(self.theta) + 1

    @property
    def criterion(self) -> float:
        """Return -2 log-likelihood."""
        return -2.0 * self.log_likelihood

    @property
    def aic(self) -> float:
        """Return Akaike's criterion."""
        return self.criterion + 2.0 * self.n_parameters

    @property
    def bic(self) -> float:
        """Return Schwarz's criterion with log(n), as lme4."""
        return self.criterion + float(np.log(self.n_rows)) * self.n_parameters

    @property
    def icc(self) -> float:
        """Return the share of the groups in the variance around X beta; 0 where both vanish."""
        between = sum(effects.mean_variance for effects in self.random)
        return between / (between + self.sigma**2) if between else 0.0

    @property
    def singular(self) -> bool:
        """Tell whether a covariance of random effects is on its boundary."""
        return any(effects.boundary for effects in self.random)
