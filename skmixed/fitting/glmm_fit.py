"""A finished fit of a generalised linear mixed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmixed.design.coordinates import FixedCoordinates
from skmixed.families.base import Family, Link
from skmixed.families.probability_links import ProbabilityLink
from skmixed.fitting.lmm_fit import OF_ANY_FAMILY, LMMFit
from skmixed.likelihood.penalties import Penalty
from skmixed.likelihood.working_sums import WorkingSums

__all__ = ["ExtraPredictor", "GLMMFit", "JointEstimate", "extra_predictors", "latent_variance"]

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
    """

    name: str
    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    coordinates: FixedCoordinates

    @property
    def is_constant(self) -> bool:
        """Tell whether it is the same in all rows."""
        return self.names == ("Intercept",)

    def of_rows(self, columns: FloatArray | None, n: int) -> FloatArray:
        """Return the predictor of some rows, from their columns without the intercept.

        Raises
        ------
        ValueError
            If there are none, and it is not the same in all rows.
        """
        intercept = int(self.coordinates.intercept)
        if columns is None and len(self.coefficients) > intercept:
            raise ValueError(
                f"The {self.name.replace('_', ' ')} of this model depends on "
                f"{list(self.names[intercept:])}, which are not known of the new rows. Pass data "
                "with the columns that were fitted."
            )
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
    extra : tuple of ExtraPredictor
        In the order of the family's ``extra_names``.
    n_quadrature : int
        Nodes of adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation.
    trials : bool
        Whether the weights count trials, of which the response is the share of successes.
    mode_slopes : tuple of ndarray of shape (n_levels, k, n_slopes)
        Derivatives of the standardised modes of each factor in theta and the coefficients of
        further predictors.
    working : WorkingSums or None
        What the rows say of the effects, to second order, for rows that are added; None where it
        would be as large as the rows.
    penalty : Penalty or None
        What was added to -2 log-likelihood: ``joint`` belongs to the sum of both, the
        log-likelihood does not count it.
    """

    family: Family = field(kw_only=True)
    joint: JointEstimate = field(kw_only=True)
    extra: tuple[ExtraPredictor, ...] = ()
    n_quadrature: int = 1
    trials: bool = False
    mode_slopes: tuple[FloatArray, ...] = ()
    working: WorkingSums | None = None
    penalty: Penalty | None = None

    @property
    def n_parameters(self) -> int:
        """Count fixed effects, covariance parameters and those of further predictors."""
        return len(self.joint.parameters)

    @property
    def is_linear(self) -> bool:
        """Return False."""
        return False

    @property
    def link(self) -> Link:
        """Return the link of the family."""
        return self.family.link

    def extra_named(self, name: str) -> ExtraPredictor | None:
        """Return the further predictor of a name; None if the family has none of it."""
        return next((one for one in self.extra if one.name == name), None)

    @property
    def dispersion(self) -> float | None:
        """Return the dispersion; None where the family has none, or it depends on the row."""
        found = self.extra_named("dispersion")
        if found is None or not found.is_constant:
            return None
        return float(self.family.dispersion_of(found.coefficients)[0])

    def extra_of_rows(self, columns: Sequence[FloatArray | None], n: int) -> tuple[FloatArray, ...]:
        """Return the further predictors of n rows, shape (n,) each.

        Parameters
        ----------
        columns : sequence of ndarray of shape (n, q) or None
            Of each predictor, but for its intercept; none at all where they are not known.

        Raises
        ------
        ValueError
            If one of them depends on columns that the rows do not have.
        """
        given = columns or (None,) * len(self.extra)
        return tuple(one.of_rows(own, n) for one, own in zip(self.extra, given, strict=True))

    @property
    def estimates_sigma(self) -> bool:
        """Return False: a dispersion has a predictor of its own."""
        return False

    @property
    def theta_covariance(self) -> FloatArray:
        """Return the covariance of the estimates of (theta, log sigma): sigma is known."""
        theta = self.joint.theta
        return np.pad(self.joint.covariance[theta, theta], (0, 1))

    @property
    def icc(self) -> float:
        """Return the share of the groups in the variance of the latent response of a yes or no.

        Raises
        ------
        AttributeError
            If there is none: other families have a variance for each mean.
        """
        latent = latent_variance(self.family)
        if latent is None:
            raise AttributeError(
                f"With family={self.family.name!r} and link={self.family.link.name!r} the variance "
                "of an observation on the scale of the link depends on its mean. Choose one: "
                "skmixed.inference.icc(results, method=, mean=)."
            )
        between = sum(effects.mean_variance for effects in self.random)
        return between / (between + latent)

    def require_gaussian(self, what: str, instead: str = OF_ANY_FAMILY) -> None:
        """Raise ValueError, saying what to do instead."""
        raise ValueError(
            f"{what} needs a linear mixed model, and this one has family={self.family.name!r}: "
            f"{instead}."
        )


def latent_variance(family: Family) -> float | None:
    """Return the variance of eta plus error that exceeds 0 where the response is 1, or None."""
    link = family.link
    return (
        link.latent_variance
        if isinstance(link, ProbabilityLink) and family.name == "binomial"
        else None
    )


def extra_predictors(fit: LMMFit) -> tuple[ExtraPredictor, ...]:
    """Return the linear predictors beside that of the mean; a linear model has none."""
    return fit.extra if isinstance(fit, GLMMFit) else ()
