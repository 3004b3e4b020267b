"""How precisely the variance parameters are estimated, and what the coefficients owe to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.optimise import measured_hessian
from skmixed.fitting.random_effects import RandomEffects

__all__ = [
    "covariance_derivatives",
    "inverse_information",
    "parameter_covariance",
    "restriction_slope",
]

FloatArray = NDArray[np.float64]

# Relative curvature below this part of the largest is none: the data do not tell the direction.
FLAT = 1e-10
# A curvature whose inverse would leave the range of floating point.
NONE = 1e-100
# With more random effects than this, evaluations take long enough to spare half of them.
LARGE = 1000


def parameter_covariance(fit: LMMFit) -> FloatArray:
    """Return the covariance of the estimates of (theta, log sigma).

    theta is that of the standardised columns, followed by the rho of a residual structure. The
    covariance is the inverse of the observed information, or the sandwich where the likelihood is
    that of a weighted sample. In a generalised model sigma is known, and the information is that of
    all parameters.
    """
    if isinstance(fit, GLMMFit):
        return fit.theta_covariance
    return inverse_information(fit) if fit.variance_sandwich is None else fit.variance_sandwich


def inverse_information(fit: LMMFit, free: NDArray[np.bool_] | None = None) -> FloatArray:
    """Return the inverse of the observed information of (theta, log sigma), 0 for those not free.

    With H the Hessian of the profiled objective, s the gradient of log r2, r2 = nu sigma^2, and nu
    its degrees of freedom, -2 log-likelihood has

        theta, theta:          H + nu s s'
        theta, log sigma:      -2 nu s
        log sigma, log sigma:  4 nu

    as second derivatives. The result is twice the inverse, in the directions that the data tell.
    """
    convergence = fit.convergence
    slope = convergence.residual_slope
    m = len(slope)
    hessian = np.empty((m + 1, m + 1))
    nu = fit.nu if fit.estimates_sigma else 0.0
    hessian[:m, :m] = _hessian(fit) + nu * np.multiply.outer(slope, slope)
    hessian[:m, m] = hessian[m, :m] = -2.0 * nu * slope
    hessian[m, m] = 4.0 * nu
    curvature = np.maximum(hessian.diagonal(), 0.0)
    if free is not None:
        curvature = np.where(free, curvature, 0.0)
    # In units of their own curvature, theta and log sigma are of one size whatever theta is.
    unit = np.divide(1.0, np.sqrt(curvature), out=np.zeros(m + 1), where=curvature > NONE)
    eigenvalues, axes = np.linalg.eigh(unit[:, None] * hessian * unit)
    told = eigenvalues > FLAT * eigenvalues[-1]
    root = unit[:, None] * axes[:, told] / np.sqrt(eigenvalues[told])
    return np.asarray(2.0 * root @ root.T)


def covariance_derivatives(fit: LMMFit) -> FloatArray:
    """Return the derivatives of the covariance of the coefficients, (n_theta + 1, p, p).

    In (theta, log sigma), from dV = Z dPsi Z' follows d(X'V^-1 X)^-1 = C T'dPsi T C with C =
    (X'V^-1 X)^-1 and T = Z'V^-1 X, summed over the levels.
    """
    C = fit.fixed.unscaled_covariance
    whole = np.concatenate([C @ _all_information_changes(fit) @ C, 2.0 * C[None]])
    matrix = fit.working_sigma * fit.coordinates.fixed.matrix
    return np.asarray(matrix @ whole @ matrix.T)


def restriction_slope(fit: LMMFit) -> FloatArray:
    """Return the derivatives of -log|X'V^-1 X| in (theta, log sigma).

    By half of them the score of the restricted likelihood exceeds that of the likelihood.
    """
    C = fit.fixed.unscaled_covariance
    traces = np.einsum("mij,ji->m", _all_information_changes(fit), C)
    return np.append(traces, 2.0 * len(C))


def _all_information_changes(fit: LMMFit) -> FloatArray:
    """Return T'dPsi T for each parameter of all factors, (n_theta, rank, rank)."""
    blocks = [
        _information_changes(effects, theta, fit.multiplicity) for effects, theta in fit.estimable
    ]
    if fit.residual is not None:
        blocks.append(-fit.residual.information_changes)
    return np.concatenate([np.empty((0, *fit.fixed.unscaled_covariance.shape)), *blocks])


def _information_changes(
    effects: RandomEffects, theta: FloatArray, multiplicity: FloatArray | None
) -> FloatArray:
    """Return sum T'dPsi T over the levels of one factor, for each of its parameters."""
    T = effects.standardised_scores
    moved = np.einsum("mqr,jrg->mjqg", effects.covariance.covariance_derivative(theta), T)
    if multiplicity is not None:
        moved *= multiplicity
    return np.einsum("iqg,mjqg->mij", T, moved, optimize=True)


def _hessian(fit: LMMFit) -> FloatArray:
    """Return the Hessian of the profiled objective in theta, by differences where it is needed."""
    end = fit.convergence
    if fit.residual is not None or len(fit.estimable) < 2 or fit.products is None:
        return end.hessian
    n_effects = sum(effects.standardised_modes.size for effects, _ in fit.estimable)
    return measured_hessian(fit.objective(), end.theta, end.gradient if n_effects > LARGE else None)
