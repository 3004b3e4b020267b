"""The estimates at a given theta, from cross-products and without a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.estimates import estimates_at, objective_constant
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.random_effects import FactorDescription
from skmixed.likelihood.crossproducts import CrossProducts

__all__ = ["criterion_at", "fit_at", "standardised_theta"]


def fit_at(
    fit: LMMFit,
    theta: NDArray[np.float64] | None = None,
    products: CrossProducts | None = None,
    factors: Sequence[FactorDescription] | None = None,
    *,
    keep_sigma: bool = False,
) -> LMMFit:
    """Solve for the fixed and random effects again, the variance parameters being given.

    beta solves X'V^-1 X beta = X'V^-1 y, and the modes are Psi Z'V^-1 (y - X beta) (Bates,
    Maechler, Bolker and Walker 2015, equations 15 to 18). The result tells how the search for the
    theta of ``fit`` ended, with the derivatives at this one. The quantiles of the residuals, which
    need the rows, are NaN where anything was given.

    Parameters ---------- theta : ndarray of shape (n_parameters,), optional     As
    ``fit.convergence.theta``. products : CrossProducts, optional     Of the estimable factors, in
    the coordinates of the fit. factors : sequence of FactorDescription, optional     All factors,
    where ``products`` has other levels than the fit. keep_sigma : bool, default=False     Whether
    sigma stays that of the fit too; otherwise it takes its best value at theta.
    """
    source = fit if products is None else replace(fit, products=products)
    objective = source.objective()
    search = fit.convergence
    at = objective(search.theta if theta is None else np.asarray(theta, dtype=np.float64))
    solved = estimates_at(
        Optimum(at, search.converged, search.n_iter, search.scaled_gradient, search.message),
        objective,
        fit.coordinates,
        fit.fixed.names,
        fit.random if factors is None else factors,
        sigma=fit.sigma if keep_sigma else None,
    )
    same = theta is None and products is None
    if fit.residual is not None:
        # The derivatives of a fit with a residual structure are those in (theta, rho).
        solved = replace(solved, convergence=replace(search, theta=at.theta))
    return replace(
        solved,
        residual=fit.residual,
        products=source.products,
        notices=fit.notices,
        unidentified=fit.unidentified,
        residual_quantiles=fit.residual_quantiles if same else solved.residual_quantiles,
    )


def standardised_theta(fit: LMMFit, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``fit.theta``, or another one in the user's units, as `fit_at` takes it."""
    ends = np.cumsum([effects.covariance.n_parameters for effects in fit.random])
    names = (effects.name for effects in fit.random)
    parts = dict(zip(names, np.split(theta, ends[:-1]), strict=False))
    found = [np.empty(0)]
    for effects, _ in fit.estimable:
        root = effects.covariance.factor(parts[effects.name])
        standardised = np.linalg.solve(effects.relative_matrix, root)
        found.append(effects.covariance.parameters(np.asarray(standardised, dtype=np.float64)))
    return np.concatenate(found)


def criterion_at(fit: LMMFit, theta: NDArray[np.float64]) -> float:
    """Return -2 log-likelihood at a ``fit.theta``, with beta and sigma at their best for it."""
    objective = fit.objective()
    value = objective(standardised_theta(fit, theta)).value
    return float(value + objective_constant(objective, fit.coordinates))
