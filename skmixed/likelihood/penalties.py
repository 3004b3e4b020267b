"""What may be added to the likelihood for stability: a ridge, priors of standard deviations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.coordinates import FixedCoordinates, RandomCoordinates

__all__ = [
    "BoundPenalty",
    "GammaPrior",
    "Penalty",
    "PenaltyValue",
    "WishartPrior",
    "penalty_from",
]

FloatArray = NDArray[np.float64]


class PenaltyValue(NamedTuple):
    """Hold a penalty on the scale of -2 log-likelihood, with its gradient and its Hessian."""

    value: float
    gradient: FloatArray
    hessian: FloatArray


class SDPrior(Protocol):
    """A prior of the covariance of the effects of one term."""

    def at(self, root: FloatArray, first: FloatArray, second: FloatArray | None) -> PenaltyValue:
        """Return -2 log prior but for constants, given a root of the covariance and derivatives.

        Parameters
        ----------
        root : ndarray of shape (k, k)
        first : ndarray of shape (m, k, k)
            Its derivatives in the parameters.
        second : ndarray of shape (m, m, k, k) or None
            Its second derivatives, None where they are 0.
        """
        ...


@dataclass(frozen=True)
class WishartPrior:
    """Keep covariance matrices off the boundary: a Wishart density of the covariance of each term.

    The default is blme's, for which the units of the columns do not matter: the density grows with
    the determinant to the power 3/4. It pulls standard deviations away from 0 and correlations away
    from -1 and 1.

    Parameters
    ----------
    df : float, optional
        Degrees of freedom; by default k + 2.5 for k effects.
    scale : float, default inf
        The scale matrix is this number times the identity.

    References
    ----------
    .. [1] Y. Chung, A. Gelman, S. Rabe-Hesketh, J. Liu and V. Dorie (2015). Weakly informative
       prior for point estimation of covariance matrices in hierarchical models. Journal of
       Educational and Behavioral Statistics 40, 136-157.

    Examples
    --------
    >>> from skmixed.likelihood.penalties import Penalty, WishartPrior
    >>> Penalty(prior_sd=WishartPrior(df=5.0))
    Penalty(ridge=0.0, prior_sd=WishartPrior(df=5.0, scale=inf))
    """

    df: float | None = None
    scale: float = math.inf

    def at(self, root: FloatArray, first: FloatArray, second: FloatArray | None) -> PenaltyValue:
        """Return -2 log prior with its derivatives."""
        k = len(root)
        power = 1.5 if self.df is None else self.df - k - 1.0
        relative = np.linalg.solve(root, first)
        log_determinant = 2.0 * np.linalg.slogdet(root)[1]
        slope = 2.0 * np.einsum("maa->m", relative)
        curvature = -2.0 * np.einsum("mab,nba->mn", relative, relative)
        if second is not None:
            curvature += 2.0 * np.einsum("mnaa->mn", np.linalg.solve(root, second))
        variances, slopes, curvatures = _variances(root, first, second)
        weight = 1.0 / self.scale
        return PenaltyValue(
            float(weight * variances.sum() - power * log_determinant),
            weight * slopes.sum(axis=1) - power * slope,
            weight * curvatures.sum(axis=2) - power * curvature,
        )


@dataclass(frozen=True)
class GammaPrior:
    """Keep standard deviations off 0: a gamma density of each.

    The default is blme's, for which units do not matter: the density grows with the standard
    deviation to the power 3/2. A positive rate keeps them from growing as well.

    Parameters
    ----------
    shape : float, default 2.5
    rate : float, default 0.0
        Per unit of the standard deviation, as the user's columns have it.

    References
    ----------
    .. [1] Y. Chung, S. Rabe-Hesketh, V. Dorie, A. Gelman and J. Liu (2013). A nondegenerate
       penalized likelihood estimator for variance parameters in multilevel models. Psychometrika
       78, 685-709.

    Examples
    --------
    >>> from skmixed.likelihood.penalties import GammaPrior, Penalty
    >>> Penalty(prior_sd=GammaPrior(shape=2.0, rate=0.1))
    Penalty(ridge=0.0, prior_sd=GammaPrior(shape=2.0, rate=0.1))
    """

    shape: float = 2.5
    rate: float = 0.0

    def at(self, root: FloatArray, first: FloatArray, second: FloatArray | None) -> PenaltyValue:
        """Return -2 log prior with its derivatives."""
        q, slope, curvature = _variances(root, first, second)
        if not q.all() and self.shape != 1.0:
            raise np.linalg.LinAlgError("The prior has no density at a standard deviation of 0.")
        sd = np.sqrt(q)
        of_q = (1.0 - self.shape) / q + self.rate / sd
        twice = (self.shape - 1.0) / q**2 - 0.5 * self.rate / (q * sd)
        return PenaltyValue(
            float(np.sum((1.0 - self.shape) * np.log(q) + 2.0 * self.rate * sd)),
            slope @ of_q,
            curvature @ of_q + (slope * twice) @ slope.T,
        )


PRIORS: dict[str, type[WishartPrior] | type[GammaPrior]] = {
    "wishart": WishartPrior,
    "gamma": GammaPrior,
}


@dataclass(frozen=True)
class Penalty:
    """Say what is added to -2 log-likelihood; the log-likelihood that is reported is without it.

    Parameters
    ----------
    ridge : float, default 0.0
        Times the sum of squares of the coefficients but the intercept's, each in standard
        deviations of its column: normal priors with this precision.
    prior_sd : {"wishart", "gamma"}, WishartPrior, GammaPrior or None, default None
        The prior of the covariance of the random effects of each term. Both names stand for weakly
        informative priors, the same where a term has one effect. Of a structure in which all
        effects share one standard deviation, that one counts once.

    Examples
    --------
    >>> from skmixed.likelihood.penalties import Penalty
    >>> Penalty(ridge=1.0, prior_sd="wishart")
    Penalty(ridge=1.0, prior_sd='wishart')
    """

    ridge: float = 0.0
    prior_sd: str | SDPrior | None = None

    @property
    def prior(self) -> SDPrior | None:
        """Return the prior that a name stands for."""
        if isinstance(self.prior_sd, str):
            return PRIORS[self.prior_sd]()
        return self.prior_sd


def penalty_from(given: Any) -> Penalty | None:
    """Read what a user gives as a penalty.

    Parameters
    ----------
    given : Penalty, float or None
        A number is a ridge.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a ridge is negative or infinite, or a prior unknown.

    Examples
    --------
    >>> from skmixed.likelihood.penalties import penalty_from
    >>> penalty_from(0.5)
    Penalty(ridge=0.5, prior_sd=None)
    """
    if given is None:
        return None
    if not isinstance(given, bool) and isinstance(given, Real):
        given = Penalty(ridge=float(given))
    if not isinstance(given, Penalty):
        raise TypeError(
            "penalty must be a number (a ridge on standardised coefficients), a Penalty or None, "
            f"got {type(given).__name__}."
        )
    if not 0.0 <= given.ridge < math.inf:
        raise ValueError(
            f"The ridge of a penalty must be finite and not negative, got {given.ridge}."
        )
    known = given.prior_sd is None or hasattr(given.prior_sd, "at") or given.prior_sd in PRIORS
    if not known:
        raise ValueError(
            f"prior_sd must be one of {list(PRIORS)}, a WishartPrior, a GammaPrior or None, got "
            f"{given.prior_sd!r}."
        )
    return given if given.ridge or given.prior_sd is not None else None


@dataclass(frozen=True, eq=False)
class BoundPenalty:
    """Evaluate a penalty at the standardised parameters of one model.

    Attributes
    ----------
    random : tuple of RandomCoordinates
        Of each grouping factor: priors belong to the effects of the user's columns.
    floor : float
        A ridge on all standardised coefficients that is too small to be seen, but keeps them finite
        where columns separate the responses.
    """

    penalty: Penalty
    fixed: FixedCoordinates
    covariance: JointCovariance
    random: tuple[RandomCoordinates, ...]
    floor: float = 0.0

    def at(self, beta: FloatArray, theta: FloatArray) -> PenaltyValue:
        """Return the penalty in (beta, theta).

        Raises
        ------
        numpy.linalg.LinAlgError
            If the prior has no density there.
        """
        p, first = len(beta), len(beta)
        n = p + len(theta)
        ridge = self._ridge()
        value, gradient, hessian = float(beta @ ridge @ beta), np.zeros(n), np.zeros((n, n))
        gradient[:p], hessian[:p, :p] = 2.0 * ridge @ beta, 2.0 * ridge
        for own, part in self._priors(theta):
            at = slice(first + own.start, first + own.stop)
            value += part.value
            gradient[at] += part.gradient
            hessian[at, at] += part.hessian
        return PenaltyValue(value, gradient, hessian)

    def _ridge(self) -> FloatArray:
        """Return the matrix of the ridge in the coefficients of the standardised columns."""
        place = self.fixed
        columns = place.basis
        if place.minimum_norm:
            # Of each column, the standard deviation in units of its scale.
            sizes = np.linalg.norm(columns / np.sum(columns**2, axis=0), axis=1)
            columns = sizes[:, None] * columns
        matrix = self.floor * np.eye(place.n_coefficients)
        slopes = slice(int(place.intercept), None)
        matrix[slopes, slopes] += self.penalty.ridge * columns.T @ columns
        return matrix

    def _priors(self, theta: FloatArray) -> Sequence[tuple[slice, PenaltyValue]]:
        """Return the prior of each term, with the place of its parameters in theta."""
        prior, found, start = self.penalty.prior, [], 0
        if prior is None:
            return []
        for joint, place in zip(self.covariance.factors, self.random, strict=True):
            for structure, parameters, effects in zip(
                joint.structures, joint.parameter_slices, joint.effect_slices, strict=True
            ):
                own = slice(start + parameters.start, start + parameters.stop)
                k, matrix = effects.stop - effects.start, place.matrix[effects, effects]
                second = structure.factor_second_derivative(theta[own], k)
                at = prior.at(
                    matrix @ structure.factor(theta[own], k),
                    matrix @ structure.factor_derivative(theta[own], k),
                    None if second is None else matrix @ second,
                )
                weight = 1.0 / k if structure.invariance == "scalar" else 1.0
                found.append((own, PenaltyValue(*(weight * cast("Any", one) for one in at))))
            start += joint.n_parameters
        return found


def _variances(
    root: FloatArray, first: FloatArray, second: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the squared lengths of the rows of a root: (k,), (m, k) and (m, m, k)."""
    curvature = 2.0 * np.einsum("mjc,njc->mnj", first, first)
    if second is not None:
        curvature += 2.0 * np.einsum("jc,mnjc->mnj", root, second)
    slope = 2.0 * np.einsum("jc,mjc->mj", root, first)
    return np.sum(root**2, axis=1), slope, curvature
