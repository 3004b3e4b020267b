"""A finished fit of a linear mixed model: what predictions and tables are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.design.coordinates import RandomCoordinates
from skmixed.design.design import TermLayout
from skmixed.design.groups import Levels
from skmixed.fitting.standardise import Coordinates
from skmixed.likelihood.single_factor import conditional_root

__all__ = ["Convergence", "FixedEffects", "LMMFit", "Notice", "RandomEffects"]

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


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """Hold the random effects of one grouping factor.

    The arrays named ``standardised_*`` are in standardised columns and units of the working
    response; the properties carry them over to the user's units.

    Attributes
    ----------
    levels : Levels
    terms : tuple of TermLayout
    covariance : DirectSum
        The structures of the terms.
    coordinates : RandomCoordinates
    sizes : ndarray of shape (n_levels,)
        Rows of each level.
    precision : ndarray of shape (n_levels,)
        Sum of the weights of each level's rows.
    sigma : float
        Residual standard deviation at weight 1, in units of y.
    response_scale, weight_scale : float
    standardised_factor : ndarray of shape (k, k)
        Lambda.
    standardised_modes : ndarray of shape (n_levels, k)
    standardised_R : ndarray of shape (k, k, n_levels)
        Triangles with R'R = Z'WZ of each level; indexed by column, row and level.
    standardised_cross : ndarray of shape (n_levels, k, rank)
        Minus the coefficient of the modes' error on the error of beta.
    mean_square : ndarray of shape (k, k)
        Mean of z z' over the training rows, standardised columns.
    estimable : bool
        Whether the rows tell anything of the variances.
    """

    levels: Levels
    terms: tuple[TermLayout, ...]
    covariance: DirectSum
    coordinates: RandomCoordinates
    sizes: NDArray[np.intp]
    precision: FloatArray
    sigma: float
    response_scale: float
    weight_scale: float
    standardised_factor: FloatArray
    standardised_modes: FloatArray
    standardised_R: FloatArray
    standardised_cross: FloatArray
    mean_square: FloatArray
    estimable: bool

    @property
    def name(self) -> str:
        """Name the grouping factor."""
        return self.levels.name

    @property
    def effect_names(self) -> tuple[str, ...]:
        """Name the effects of one level."""
        return tuple(name for term in self.terms for name in term.effect_names)

    @cached_property
    def relative_factor(self) -> FloatArray:
        """Return a root of Psi, the covariance of the effects relative to sigma^2, shape (k, k)."""
        root = self.coordinates.matrix @ self.standardised_factor
        return root / np.sqrt(self.weight_scale)

    @cached_property
    def theta(self) -> FloatArray:
        """Return the parameters of the relative covariance factor, in lme4's order."""
        return self.covariance.parameters(self.relative_factor)

    @cached_property
    def effect_covariance(self) -> FloatArray:
        """Return the covariance of the effects of one level, shape (k, k)."""
        root = self.sigma * self.relative_factor
        return root @ root.T

    @cached_property
    def modes(self) -> FloatArray:
        """Return the conditional modes (BLUPs), shape (n_levels, k)."""
        return self.response_scale * self.standardised_modes @ self.coordinates.matrix.T

    @cached_property
    def standardised_root(self) -> FloatArray:
        """Return C with C'C the covariance of each level's modes, relative to sigma^2."""
        return conditional_root(self.standardised_R, self.standardised_factor)

    @cached_property
    def conditional_covariance(self) -> FloatArray:
        """Return each level's covariance of the effects given the data, shape (n_levels, k, k)."""
        root = self.standardised_root @ self.coordinates.matrix.T
        root = root * (self.sigma / np.sqrt(self.weight_scale))
        return np.swapaxes(root, 1, 2) @ root

    @property
    def mean_variance(self) -> float:
        """Return the variance that the effects give y, mean of the rows (Johnson 2014)."""
        spread = self.standardised_factor.T @ self.mean_square @ self.standardised_factor
        return float(np.trace(spread)) * self.sigma**2 / self.weight_scale

    @property
    def boundary(self) -> bool:
        """Tell whether the covariance of some term has less than full rank."""
        return any(
            _smallest_part(self.standardised_factor[effects]) < SINGULAR
            for effects in self.covariance.effect_slices
        )


# A standard deviation below this part of sigma, per unit of a standardised column, is on the
# boundary (lme4's figure).
SINGULAR = 1e-4


def _smallest_part(root: FloatArray) -> float:
    """Return the smallest singular value of the rows of a factor."""
    return float(np.linalg.svd(root, compute_uv=False)[-1])


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
    sigma : float
        Residual standard deviation of a row of weight 1.
    log_likelihood : float
        Of the criterion, REML or ML, with all constants.
    convergence : Convergence
    coordinates : Coordinates
    residual_quantiles : ndarray of shape (5,)
        Minimum, quartiles and maximum of the residuals over their standard deviation.
    notices : tuple of Notice
    """

    reml: bool
    n_rows: float
    fixed: FixedEffects
    random: tuple[RandomEffects, ...]
    sigma: float
    log_likelihood: float
    convergence: Convergence
    coordinates: Coordinates
    residual_quantiles: FloatArray
    notices: tuple[Notice, ...]

    @property
    def n_parameters(self) -> int:
        """Count fixed effects, variance parameters and sigma."""
        return len(self.fixed.standardised) + sum(len(r.theta) for r in self.random) + 1

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
