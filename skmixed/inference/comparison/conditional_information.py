"""Akaike's criterion for predictions that know the groups: the conditional AIC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.variance_parameters import parameter_covariance
from skmixed.inference.inputs import fit_of
from skmixed.inference.measures.extended_products import with_combinations
from skmixed.inference.measures.hat_matrix import hat_traces
from skmixed.likelihood.choose import kernel_for
from skmixed.likelihood.crossproducts import CrossProducts

__all__ = ["ConditionalAIC", "conditional_aic", "has_conditional_aic"]

FloatArray = NDArray[np.float64]

CONVENTIONS = ("exact", "cAIC4")


@dataclass(frozen=True, slots=True)
class ConditionalAIC:
    """Hold the conditional AIC and what it is made of.

    Attributes
    ----------
    caic : float
        -2 log_likelihood + 2 df.
    df : float
        Effective degrees of freedom, sigma included.
    log_likelihood : float
        Of the observations given the conditional modes of the random effects.
    """

    caic: float
    df: float
    log_likelihood: float


def conditional_aic(fitted: Any, *, convention: str = "exact") -> ConditionalAIC:
    """Compute the conditional AIC, corrected for the estimation of the variances.

    The degrees of freedom are 1 + tr(dy_hat / dy), with y_hat = X beta + Z b. Besides the trace of
    the hat matrix this has what the fitted values owe to y through theta (Greven and Kneib 2010).
    With H the Hessian of the objective in theta, e = P y, V_j = dV / dtheta_j and f_j = V_j e, it
    is

        sum_jk (H^-1)_jk (2 nu / r2) (f_j'P W^-1 P f_k - f_k'e f_j'P W^-1 e / r2).

    Where the variance of every residual is known (`KnownVariance`), sigma is not counted and r2 has
    no part in it. For estimated correlations or variances of the residuals no such correction is
    established.

    At a boundary the objective is an even function of theta: a variance of 0, or a covariance of
    less than full rank, stays so as y moves a little, and adds nothing in that direction.

    Parameters
    ----------
    fitted : MixedLMResults, estimator, LMMFit or LMMModel
    convention : {"exact", "cAIC4"}, default="exact"
        ``"cAIC4"`` takes half of the second term in the brackets, as version 1.0 of the R package
        does; the derivative itself has the whole of it. They differ by a few hundredths.

    Returns
    -------
    ConditionalAIC

    Raises
    ------
    ValueError
        If there is no such convention, the fit has not kept its cross-products, or correlations or
        variances of the residuals are estimated.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import conditional_aic
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> found = conditional_aic(results)
    >>> round(found.caic, 2), round(found.df, 2)
    (1711.52, 31.25)
    >>> round(conditional_aic(results, convention="cAIC4").caic, 2)
    1711.62
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {list(CONVENTIONS)}, got {convention!r}.")
    fit = fit_of(fitted)
    fit.require_gaussian("The conditional AIC", "compare by aic or bic (skmixed.inference.compare)")
    fit.require_likelihood()
    if fit.residual is not None and not has_conditional_aic(fit):
        raise ValueError(
            "The conditional AIC counts what estimating the variances of random effects adds; for "
            "estimated correlations or variances of the residuals, here of "
            f"{fit.residual.learned.structure!r}, no such count is established. Compare by aic or "
            "bic (skmixed.inference.compare), or by predictions that leave rows or groups out."
        )
    traces = sum(float(one.sum()) for one in hat_traces(fit, reml=1))
    moved, profiled, squares = _through_theta(fit)
    profiled = profiled if convention == "exact" else 0.5 * profiled
    df = float(fit.estimates_sigma) + len(fit.fixed.standardised) + traces + moved - profiled
    log_likelihood = _given_modes(fit, squares)
    return ConditionalAIC(-2.0 * log_likelihood + 2.0 * df, df, log_likelihood)


def has_conditional_aic(fit: LMMFit) -> bool:
    """Tell whether a fit has one: normal residuals, of which no correlations are estimated."""
    return fit.is_linear and (fit.residual is None or not fit.residual.n_parameters)


def _given_modes(fit: LMMFit, squares: float) -> float:
    """Return the log-likelihood given the modes; infinite where nothing is left of y."""
    if fit.sigma == 0.0:
        return np.inf
    sum_log_weights = 0.0 if fit.products is None else fit.products.sum_log_weights
    variance = fit.working_sigma**2
    scatter = squares / fit.standardised_sigma**2
    return -0.5 * float(fit.n_rows * np.log(2.0 * np.pi * variance) - sum_log_weights + scatter)


def _through_theta(fit: LMMFit) -> tuple[float, float, float]:
    """Return the two terms of the correction, and the sum of squared conditional residuals.

    Here f_j = Z u_j with u_j = dPsi_j t and t = Z'P y.
    """
    products = fit.products
    # Without random effects there is no correction, and none where nothing is left of y.
    none = 0.0, 0.0, fit.nu * fit.standardised_sigma**2
    if products is None or not fit.estimable:
        return none
    objective = fit.objective()
    at = objective(fit.convergence.theta)
    if not at.solution.r2:
        return none
    to_residual = np.append(-at.solution.beta, 1.0)[None]
    t = objective.kernel.projected(at.whitened, to_residual)
    factors = objective.covariance.relative_factors(fit.convergence.theta)
    u, b = _moved_effects(fit, t), _shrunken(factors, t)
    ZtPf, ZtPb, fPf = _projections(products, factors, u, b)
    # P W^-1 P = P - P Z Psi Z'P.
    within = fPf - _summed(products, ZtPf, _shrunken(factors, ZtPf))
    along = _summed(products, u, t)[:, 0]
    residual = along - _summed(products, u, ZtPb)[:, 0]
    r2 = at.solution.r2
    # Twice the inverse of H.
    slopes = parameter_covariance(fit)[:-1, :-1] / at.solution.sigma2
    profiled = float(residual @ slopes @ along) / r2 if fit.estimates_sigma else 0.0
    penalty = float(_summed(products, t, b)[0, 0])
    return float(np.sum(slopes * within)), profiled, r2 - penalty


def _moved_effects(fit: LMMFit, t: Sequence[FloatArray]) -> list[FloatArray]:
    """Return dPsi_j t for each parameter, factor by factor."""
    ends = np.cumsum([0, *(effects.covariance.n_parameters for effects, _ in fit.estimable)])
    directions = []
    for i, ((effects, theta), score) in enumerate(zip(fit.estimable, t, strict=True)):
        u = np.zeros((ends[-1], *score.shape[1:]))
        u[ends[i] : ends[i + 1]] = effects.covariance.covariance_derivative(theta) @ score[0]
        directions.append(u)
    return directions


def _shrunken(factors: Sequence[FloatArray], scores: Sequence[FloatArray]) -> list[FloatArray]:
    """Return Psi times scores, factor by factor."""
    return [np.einsum("qr,mrg->mqg", L @ L.T, s) for L, s in zip(factors, scores, strict=True)]


def _projections(
    products: CrossProducts,
    factors: Sequence[FloatArray],
    u: Sequence[FloatArray],
    b: Sequence[FloatArray],
) -> tuple[list[FloatArray], list[FloatArray], FloatArray]:
    """Return Z'P f and Z'P Z b of each factor, and f_j'P f_k, with f = Z u."""
    both = [np.concatenate(pair) for pair in zip(u, b, strict=True)]
    extended = with_combinations(products, both)
    kernel = kernel_for(extended, "direct")
    at = kernel.whiten(factors)
    p, m = len(products.AtWA) - 1, len(u[0])
    G, added = at.reduced, slice(p, p + m + 1)
    on_X = np.linalg.solve(G[:p, :p], G[:p, added]).T if p else np.empty((m + 1, 0))
    columns = np.concatenate([-on_X, np.eye(m + 1), np.zeros((m + 1, 1))], axis=1)
    scores = kernel.projected(at, columns)
    inner = G[added, added] - on_X @ G[:p, added]
    return [one[:m] for one in scores], [one[m:] for one in scores], inner[:m, :m]


def _summed(
    products: CrossProducts, left: Sequence[FloatArray], right: Sequence[FloatArray]
) -> FloatArray:
    """Return the inner products of effects, summed over all levels of all factors."""
    total = np.zeros((len(left[0]), len(right[0])))
    for factor, a, b in zip(products.factors, left, right, strict=True):
        counted = a if factor.multiplicity is None else a * factor.multiplicity
        total += np.einsum("mqg,nqg->mn", counted, b)
    return total
