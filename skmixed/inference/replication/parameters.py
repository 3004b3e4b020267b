"""The parameters of a fitted model by name: one row of numbers for each of many fits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter
from skmixed.covariance.many import parameters_of_many
from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.many_fits import ManyFits
from skmixed.fitting.random_effects import SINGULAR, RandomEffects

__all__ = ["parameter_names", "values_of_fit", "values_of_many"]

FloatArray = NDArray[np.float64]


def parameter_names(fit: LMMFit) -> list[str]:
    """Name all parameters: those of ``_own_names``, of a residual structure, and of a family."""
    residual = [] if fit.residual is None else fit.residual.learned.names
    return [*_own_names(fit), *residual, *_of_family(fit)]


def values_of_fit(fit: LMMFit, names_from: LMMFit) -> dict[str, float]:
    """Return the parameters, theta, rho and the log-likelihood of one fit by name.

    Parameters
    ----------
    fit : LMMFit
        If other coefficients are aliased in it, so that the rest mean something else, all are NaN.
    """
    same = np.array_equal(fit.fixed.aliased, names_from.fixed.aliased)
    coefficients = np.where(same, fit.fixed.coefficients, np.nan)
    sigma = np.array([fit.sigma])
    columns = [
        coefficients[None, ~names_from.fixed.aliased],
        np.full((1, int(fit.is_linear)), fit.sigma),
    ]
    for effects in fit.random:
        roots, theta = effects.relative_factor[None], effects.theta[None]
        columns += _of_effects(effects, roots, theta, sigma)
    values = [*np.concatenate(columns, axis=1)[0], *fit.theta, fit.log_likelihood]
    names = [*_own_names(names_from), *names_from.theta_names, "log_likelihood"]
    of_family = _of_family(fit)
    return {
        **dict(zip(names, values, strict=True)),
        **_of_residuals(fit, names_from),
        **{name: of_family.get(name, np.nan) for name in _of_family(names_from)},
    }


def values_of_many(fit: LMMFit, many: ManyFits) -> dict[str, NDArray[Any]]:
    """Return the same of many fits of one design, (m,) each, and which fits are singular."""
    m = len(many.sigma)
    columns = [many.coefficients[:, ~fit.fixed.aliased], many.sigma[:, None]]
    thetas, singular = [np.empty((m, 0))], np.zeros(m, dtype=bool)
    for effects in fit.random:
        roots = np.zeros((m, *effects.relative_factor.shape))
        if effects.position is not None:
            factors = many.standardised_factors[effects.position]
            roots = effects.relative_matrix @ factors
            for part in effects.covariance.effect_slices:
                sizes = np.linalg.svd(factors[:, part], compute_uv=False)
                singular |= sizes[:, -1] < SINGULAR
        else:
            singular[:] = True
        theta = parameters_of_many(effects.covariance, roots)
        columns += _of_effects(effects, roots, theta, many.sigma)
        thetas.append(theta)
    values = np.concatenate([*columns, *thetas], axis=1).T.copy()
    found = dict(zip([*_own_names(fit), *fit.theta_names], values, strict=True))
    return {**found, "log_likelihood": many.log_likelihood, "singular": singular}


def _own_names(fit: LMMFit) -> list[str]:
    """Name coefficients, sigma (of a linear model), standard deviations and correlations.

    ``"sd_x|g"`` is the standard deviation of the effect x of the factor g, ``"cor_z.x|g"`` a
    correlation that the structure does not fix; other natural parameters of a structure follow.
    A coefficient that is aliased is left out.
    """
    fixed = fit.fixed
    names = [name for name, out in zip(fixed.names, fixed.aliased, strict=True) if not out]
    names += ["sigma"] if fit.is_linear else []
    for effects in fit.random:
        labels = effects.effect_names
        names += [f"sd_{label}|{effects.name}" for label in labels]
        names += [f"cor_{labels[i]}.{labels[j]}|{effects.name}" for i, j in _pairs(effects)]
        names += [name for _, name, _ in _others(effects)]
    return names


def _of_residuals(fit: LMMFit, names_from: LMMFit) -> dict[str, float]:
    """Return the reported parameters of a residual structure and the free ones, rho, by name.

    What the rows of the fit do not determine is NaN, and so is its rho where it has units or
    parameters of its own. If it has no row of the first stratum, sigma is that of another one: what
    is relative to it is NaN, sigma and theta included.
    """
    fitted, wanted = fit.residual, names_from.residual
    if fitted is None or wanted is None:
        return {}
    learned = fitted.learned
    values = np.where(fitted.undetermined, np.nan, learned.reported(fitted.rho))
    rho = np.full(len(wanted.rho), np.nan)
    if learned is wanted.learned:
        rho = np.where(fitted.undetermined, np.nan, fitted.rho)
    relative: list[str] = []
    if fitted.strata.index[0] != wanted.strata.index[0]:
        values[learned.n_arms * learned.n_correlations :] = np.nan
        relative = ["sigma", *names_from.theta_names]
    by_name = dict(zip(learned.names, values.tolist(), strict=True))
    return {
        **{name: by_name.get(name, np.nan) for name in wanted.learned.names},
        **dict(zip(names_from.rho_names, rho.tolist(), strict=True)),
        **dict.fromkeys(relative, np.nan),
    }


def _of_family(fit: LMMFit) -> dict[str, float]:
    """Return the coefficients of further predictors that are not aliased with others."""
    return {
        f"{one.name}_{name}": float(value)
        for one in extra_predictors(fit)
        for name, value, variance in zip(
            one.names, one.coefficients, one.covariance.diagonal(), strict=True
        )
        if np.isfinite(variance)
    }


def _of_effects(
    effects: RandomEffects, roots: FloatArray, thetas: FloatArray, sigma: FloatArray
) -> list[FloatArray]:
    """Return all parameters of the roots of Psi, (m, k, k), in the order of their names."""
    sizes = np.sqrt(np.sum(roots**2, axis=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = roots / sizes[:, :, None]
    i, j = np.array(_pairs(effects), dtype=np.intp).reshape(-1, 2).T
    correlations = np.einsum("rcl,rcl->rc", unit[:, i], unit[:, j])
    others = [
        np.array([natural.at(theta[own]).value for theta in thetas])
        * (sigma if natural.in_sigma else 1.0)
        for natural, _, own in _others(effects)
    ]
    return [sigma[:, None] * sizes, np.clip(correlations, -1.0, 1.0), *(o[:, None] for o in others)]


def _pairs(effects: RandomEffects) -> list[tuple[int, int]]:
    """Return the pairs i > j of effects whose covariance the structures do not fix at 0."""
    linked = effects.covariance.linked_effects
    return [(int(i), int(j)) for j, i in np.argwhere(np.triu(linked, 1))]


def _others(effects: RandomEffects) -> list[tuple[NaturalParameter, str, slice]]:
    """Return natural parameters that are neither standard deviations nor correlations.

    Each comes with its name, and where the parameters of its term are in theta.
    """
    covariance = effects.covariance
    terms = covariance.natural_parameters(np.eye(covariance.n_effects))
    slices = zip(covariance.effect_slices, covariance.parameter_slices, strict=True)
    return [
        (natural, natural.full_name(effects.effect_names[where], effects.name), own)
        for naturals, (where, own) in zip(terms, slices, strict=True)
        for natural in naturals
        if natural.name not in ("sd", "cor")
    ]
