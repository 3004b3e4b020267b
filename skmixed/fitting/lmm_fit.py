"""A finished fit of a linear mixed model: what predictions and tables are made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.families.base import Link
from skmixed.families.links import Identity
from skmixed.fitting.monte_carlo import MonteCarloError
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.standardise import Coordinates
from skmixed.fitting.unidentified import Unidentified
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.errors import ConditionalErrors
from skmixed.likelihood.profiled import ProfiledObjective
from skmixed.residual.fitted import FittedResidual
from skmixed.saving.fields import FieldState

__all__ = ["Convergence", "FixedEffects", "LMMFit", "Notice"]

FloatArray = NDArray[np.float64]

OF_ANY_FAMILY = "use Wald tests, likelihood ratios, profiles or the bootstrap"


@dataclass(frozen=True)
class Notice:
    """Hold one warning that a face should give to the user."""

    message: str
    category: type[Warning] = UserWarning

    def __getstate__(self) -> dict[str, str]:
        """Return the message: a model that is loaded shows it, and warns no more."""
        return {"message": self.message}


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """Hold how the search for theta ended, with -2 log-likelihood in standardised coordinates."""

    converged: bool
    n_iter: int
    scaled_gradient: float  # Distance from the optimum, in standard errors of theta.
    message: str
    theta: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    residual_slope: FloatArray  # Derivative of log r2, the penalised residual sum of squares.


@dataclass(frozen=True, slots=True, eq=False)
class FixedEffects:
    """Hold the estimated fixed effects, the intercept first.

    The standardised coefficients, of the columns that are not aliased, are in units of the working
    response; ``unscaled_covariance`` is their (X'V^-1 X)^-1. Where weights are inverse
    probabilities, the square of ``sandwich_root`` takes its place in the covariance of the
    estimates.
    """

    names: tuple[str, ...]
    coefficients: FloatArray  # 0 for an aliased column.
    covariance: FloatArray  # NaN for an aliased column.
    aliased: NDArray[np.bool_]
    standardised: FloatArray
    unscaled_covariance: FloatArray
    sandwich_root: FloatArray | None = None

    @property
    def error_root(self) -> FloatArray:
        """Return a root of the covariance of the standardised estimates over sigma^2."""
        if self.sandwich_root is None:
            return np.asarray(np.linalg.cholesky(self.unscaled_covariance), dtype=np.float64)
        return self.sandwich_root

    @property
    def error_covariance(self) -> FloatArray:
        """Return the covariance of the standardised estimates over sigma^2, (rank, rank)."""
        if self.sandwich_root is None:
            return self.unscaled_covariance
        return self.sandwich_root @ self.sandwich_root.T


@dataclass(frozen=True, eq=False)
class LMMFit(FieldState):
    """Hold a finished fit; it has no rows of the training data."""

    reml: bool
    n_rows: float  # Each as often as it counts.
    fixed: FixedEffects
    random: tuple[RandomEffects, ...]
    errors: ConditionalErrors  # Of the random effects of the estimable factors.
    sigma: float  # Residual standard deviation of a row of weight 1.
    log_likelihood: float  # Of the criterion, REML or ML, with all constants.
    convergence: Convergence
    coordinates: Coordinates
    # Minimum, quartiles and maximum of the residuals over their standard deviation; NaN where rows
    # were added, of which a fit keeps sums alone.
    residual_quantiles: FloatArray
    notices: tuple[Notice, ...]
    monte_carlo: MonteCarloError | None = None  # None where no random probes were used.
    products: CrossProducts | None = None  # None where they would outgrow the levels.
    # Groups of a sample with weights that are inverse probabilities: the likelihood is then a
    # pseudo-likelihood, and covariances of estimates are the sandwich.
    n_sampled: int | None = None
    variance_sandwich: FloatArray | None = None  # That of (convergence.theta, log sigma).
    unidentified: Unidentified | None = None
    # Whether the random effects, with the fixed ones, explain y without a residual: the likelihood
    # is unbounded, and sigma next to nothing.
    interpolates: bool = False
    # None where residuals are independent, of one variance; else `convergence` is in (theta, rho).
    residual: FittedResidual | None = None

    @property
    def working_sigma(self) -> float:
        """Return the residual standard deviation of a row of mean weight, in units of y.

        The standardised covariance factors, and covariances over sigma^2, are relative to it.
        """
        return self.sigma / math.sqrt(self.coordinates.weight_scale)

    @property
    def working_coefficients(self) -> FloatArray:
        """Return the coefficients of the standardised columns, in units of y."""
        at = self.coordinates
        return at.shift + at.response_scale * self.fixed.standardised

    @property
    def standardised_sigma(self) -> float:
        """Return the residual standard deviation of the working response."""
        return self.sigma / self.coordinates.sigma_unit

    @property
    def theta(self) -> FloatArray:
        """Return the relative covariance parameters of all factors, that of most levels first.

        Within a factor they follow lme4: term by term, down the columns of each triangle.
        """
        return np.concatenate([np.empty(0), *(effects.theta for effects in self.random)])

    @property
    def theta_names(self) -> list[str]:
        """Name the parameters of theta."""
        return [f"theta[{i}]" for i in range(len(self.theta))]

    @property
    def rho_names(self) -> list[str]:
        """Name the free parameters of a residual structure."""
        n_rho = 0 if self.residual is None else len(self.residual.rho)
        return [f"rho[{i}]" for i in range(n_rho)]

    @cached_property
    def estimable(self) -> list[tuple[RandomEffects, FloatArray]]:
        """Return the factors whose variances are estimated, each with its part of the theta."""
        effects = sorted(
            (one for one in self.random if one.position is not None),
            key=lambda one: one.position or 0,
        )
        ends = np.cumsum([one.covariance.n_parameters for one in effects])
        return list(zip(effects, np.split(self.convergence.theta, ends[:-1]), strict=False))

    @property
    def multiplicity(self) -> FloatArray | None:
        """Return how many times each level of the only factor counts, None where each does once."""
        if self.products is None or len(self.products.factors) != 1:
            return None
        return self.products.factors[0].multiplicity

    def objective(self) -> ProfiledObjective:
        """Return the objective that was minimised, in standardised columns."""
        covariance = JointCovariance(tuple(effects.covariance for effects, _ in self.estimable))
        return ProfiledObjective(
            self.kept_products(),
            covariance,
            reml=self.reml,
            sigma2=None if self.estimates_sigma else self.standardised_sigma**2,
        )

    def kept_products(self) -> CrossProducts:
        """Return the cross-products of the estimable factors."""
        self.require_gaussian("What is computed from cross-products of the data")
        if self.products is None:
            raise ValueError(
                "The fit has not kept its cross-products, which of large crossed factors are as "
                "large as the data. Fit with solver='direct' if it was 'iterative', or fewer "
                "factors, or ask for what needs no further evaluation of the likelihood."
            )
        return self.products

    def require_likelihood(self) -> None:
        """Raise ValueError if the likelihood is only a pseudo-likelihood."""
        if self.n_sampled is not None:
            raise ValueError(
                "With weight_type='sampling' the fit maximises a pseudo-likelihood, whose "
                "curvature, ratios and criteria are not those of a likelihood. Use Wald tests and "
                "limits with df_method='design', 'residual' or 'normal', which rest on the "
                "sandwich covariance."
            )

    def require_gaussian(self, what: str, instead: str = OF_ANY_FAMILY) -> None:
        """Raise ValueError unless residuals are normal, as here they are.

        ``what`` needs that, in the singular; ``instead`` begins with a verb.
        """

    @property
    def is_linear(self) -> bool:
        """Tell whether the model is X beta + Z b + e with normal e; else a family has the rest."""
        return True

    @property
    def link(self) -> Link:
        """Return the link between the mean and X beta + Z b: of a linear model the identity."""
        return Identity()

    @property
    def estimates_sigma(self) -> bool:
        """Tell whether sigma is a parameter: with known residual variances it is not."""
        return self.residual is None or not self.residual.fixes_sigma

    @property
    def nu(self) -> float:
        """Return the degrees of freedom of sigma^2: n, less the rank of X for REML."""
        return self.n_rows - self.reml * len(self.fixed.standardised)

    @property
    def n_parameters(self) -> int:
        """Count fixed effects, variance parameters and sigma."""
        n_random, n_residual = len(self.theta), 1
        if self.residual is not None:
            # Random effects that the residual structure contains were left out.
            n_random = len(self.convergence.theta)
            n_residual = self.residual.n_parameters + self.estimates_sigma
        return len(self.fixed.standardised) + n_random + n_residual

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
        return between / (between + self.residual_variance) if between else 0.0

    @property
    def residual_variance(self) -> float:
        """Return that of a row of weight 1: its mean over the rows where it is not the same."""
        unequal = 1.0 if self.residual is None else self.residual.mean_square
        return self.sigma**2 * unequal

    @property
    def singular(self) -> bool:
        """Tell whether a covariance of random effects is on its boundary."""
        return any(effects.boundary for effects in self.random)
