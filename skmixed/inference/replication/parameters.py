"""The parameters of a fitted model by name: one row of numbers for each of many fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter
from skmixed.covariance.many import parameters_of_many
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.many_fits import ManyFits
from skmixed.fitting.random_effects import SINGULAR, RandomEffects

__all__ = ["is_singular", "parameter_names", "parameter_values", "parameters_of_fit"]

FloatArray = NDArray[np.float64]


def parameter_names(fit: LMMFit) -> list[str]:
    """Name coefficients, sigma (of a linear model), standard deviations and correlations.

    ``"sd_x|g"`` is the standard deviation of the effect x of the factor g, ``"cor_z.x|g"`` a
    correlation that the structure does not fix; other natural parameters of a structure follow.
    A coefficient that is aliased is left out.
    """
    fixed = fit.fixed
    names = [name for name, out in zip(fixed.names, fixed.aliased, strict=True) if not out]
    names += _sigma(fit)
    for effects in fit.random:
        labels = effects.effect_names
        names += [f"sd_{label}|{effects.name}" for label in labels]
        names += [f"cor_{labels[i]}.{labels[j]}|{effects.name}" for i, j in _pairs(effects)]
        names += [name for _, name, _ in _others(effects)]
    return names


def parameter_values(fit: LMMFit, many: ManyFits) -> tuple[FloatArray, FloatArray]:
    """Return the named parameters and theta of many fits of one design.

    Parameters
    ----------
    fit : LMMFit
        Of the same design.
    """
    columns = [many.coefficients[:, ~fit.fixed.aliased], many.sigma[:, None]]
    thetas = [np.empty((len(many.sigma), 0))]
    for effects in fit.random:
        roots = np.zeros((len(many.sigma), *effects.relative_factor.shape))
        if effects.position is not None:
            factors = many.standardised_factors[effects.position]
            roots = effects.relative_matrix @ factors
        theta = parameters_of_many(effects.covariance, roots)
        columns += _of_effects(effects, roots, theta, many.sigma)
        thetas.append(theta)
    return np.concatenate(columns, axis=1), np.concatenate(thetas, axis=1)


def parameters_of_fit(fit: LMMFit, names_from: LMMFit) -> tuple[FloatArray, FloatArray]:
    """Return the named parameters and theta of one fit.

    Parameters
    ----------
    fit : LMMFit
        If other coefficients are aliased in it, so that the rest mean something else, all are NaN.
    names_from : LMMFit
        The fit whose parameters are wanted.
    """
    same = np.array_equal(fit.fixed.aliased, names_from.fixed.aliased)
    coefficients = np.where(same, fit.fixed.coefficients, np.nan)
    sigma = np.full((1, len(_sigma(fit))), fit.sigma)
    columns = [coefficients[None, ~names_from.fixed.aliased], sigma]
    for effects in fit.random:
        roots, theta = effects.relative_factor[None], effects.theta[None]
        columns += _of_effects(effects, roots, theta, np.array([fit.sigma]))
    return np.concatenate(columns, axis=1)[0], fit.theta


def is_singular(fit: LMMFit, many: ManyFits) -> NDArray[np.bool_]:
    """Tell which of many fits of one design have a covariance on its boundary.

    Parameters
    ----------
    fit : LMMFit
        Of the same design.
    """
    singular = np.zeros(len(many.sigma), dtype=bool)
    for effects in fit.random:
        if effects.position is None:
            singular[:] = True
            continue
        factors = many.standardised_factors[effects.position]
        for part in effects.covariance.effect_slices:
            sizes = np.linalg.svd(factors[:, part], compute_uv=False)
            singular |= sizes[:, -1] < SINGULAR
    return singular


def _sigma(fit: LMMFit) -> list[str]:
    """Name the residual standard deviation of a model that has one."""
    return ["sigma"] if fit.is_linear else []


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
