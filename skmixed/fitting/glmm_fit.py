"""A finished fit of a generalised linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import FixedCoordinates
from skmixed.families.base import Family
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.likelihood.penalties import Penalty

__all__ = ["ExtraPredictor", "GLMMFit", "JointEstimate"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ExtraPredictor:
    """Hold a fitted linear predictor beside that of the mean, as of the dispersion.

    Attributes
    ----------
    name : str
        As the family calls it.
    names : tuple of str
        Of its coefficients.
    coefficients : ndarray of shape (q,)
    covariance : ndarray of shape (q, q)
    coordinates : FixedCoordinates
    """

    name: str
    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    coordinates: FixedCoordinates

    def of_rows(self, columns: FloatArray | None, n: int) -> FloatArray:
        """Return the predictor of some rows, from their columns without the intercept."""
        intercept = int(self.coordinates.intercept)
        constant = np.full(n, self.coefficients[0] if intercept else 0.0)
        return constant if columns is None else constant + columns @ self.coefficients[intercept:]


@dataclass(frozen=True, slots=True, eq=False)
class JointEstimate:
    """Hold all parameters of the likelihood in standardised coordinates.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
        beta, theta and the coefficients of further predictors.
    hessian : ndarray of shape (n_parameters, n_parameters)
        Of -2 log-likelihood.
    covariance : ndarray of shape (n_parameters, n_parameters)
        Of the estimates, from the Hessian.
    n_beta, n_theta : int
    """

    parameters: FloatArray
    hessian: FloatArray
    covariance: FloatArray
    n_beta: int
    n_theta: int

    @property
    def beta(self) -> slice:
        """Return where the fixed effects are."""
        return slice(0, self.n_beta)

    @property
    def theta(self) -> slice:
        """Return where the covariance parameters are."""
        return slice(self.n_beta, self.n_beta + self.n_theta)


@dataclass(frozen=True, eq=False)
class GLMMFit(LMMFit):
    """Hold a finished fit of a generalised model; effects are those on the linear predictor.

    Relative covariances are absolute here: sigma is 1, and what is left of the response is the
    family's. ``errors`` and the scores of the effects are those of the linear model that the last
    step of the modes solved.

    Attributes
    ----------
    family : Family
    joint : JointEstimate
    extra : tuple of ExtraPredictor
        In the order of the family's ``extra_names``.
    n_quadrature : int
        Nodes of adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation.
    trials : bool
        Whether the weights count trials, of which the response is the share of successes.
    penalty : Penalty or None
        What was added to -2 log-likelihood: ``joint`` belongs to the sum of both, the
        log-likelihood does not count it.
    """

    family: Family = field(kw_only=True)
    joint: JointEstimate = field(kw_only=True)
    extra: tuple[ExtraPredictor, ...] = ()
    n_quadrature: int = 1
    trials: bool = False
    penalty: Penalty | None = None

    @property
    def n_parameters(self) -> int:
        """Count fixed effects, covariance parameters and those of further predictors."""
        return len(self.joint.parameters)
