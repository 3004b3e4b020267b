"""The parameters of a fitted model by name: one row of numbers for each of many fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.many import parameters_of_many
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.many_fits import ManyFits
from skmixed.fitting.random_effects import SINGULAR, RandomEffects

__all__ = ["is_singular", "parameter_names", "parameter_values", "parameters_of_fit"]

FloatArray = NDArray[np.float64]


def parameter_names(fit: LMMFit) -> list[str]:
    """Name coefficients, sigma, standard deviations and correlations.

    ``"sd_x|g"`` is the standard deviation of the effect x of the factor g, ``"cor_z.x|g"`` a
    correlation that the structure does not fix. A coefficient that is aliased is left out.

    Parameters
    ----------
    fit : LMMFit
    """
    fixed = fit.fixed
    names = [name for name, out in zip(fixed.names, fixed.aliased, strict=True) if not out]
    names.append("sigma")
    for effects in fit.random:
        labels = effects.effect_names
        names += [f"sd_{label}|{effects.name}" for label in labels]
        names += [f"cor_{labels[i]}.{labels[j]}|{effects.name}" for i, j in _pairs(effects)]
    return names


def parameter_values(fit: LMMFit, many: ManyFits) -> tuple[FloatArray, FloatArray]:
    """Return the named parameters and theta of many fits of one design.

    Parameters
    ----------
    fit : LMMFit
        Of the same design.
    many : ManyFits

    Returns
    -------
    parameters : ndarray of shape (m, n_names)
        A correlation with an effect of variance 0 is NaN.
    theta : ndarray of shape (m, n_theta)
    """
    columns = [many.coefficients[:, ~fit.fixed.aliased], many.sigma[:, None]]
    thetas = [np.empty((len(many.sigma), 0))]
    for effects in fit.random:
        roots = np.zeros((len(many.sigma), *effects.relative_factor.shape))
        if effects.position is not None:
            factors = many.standardised_factors[effects.position]
            roots = effects.relative_matrix @ factors
        columns += _sizes_and_correlations(effects, roots, many.sigma)
        thetas.append(parameters_of_many(effects.covariance, roots))
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
    columns = [coefficients[None, ~names_from.fixed.aliased], np.array([[fit.sigma]])]
    for effects in fit.random:
        columns += _sizes_and_correlations(
            effects, effects.relative_factor[None], np.array([fit.sigma])
        )
    return np.concatenate(columns, axis=1)[0], fit.theta


def is_singular(fit: LMMFit, many: ManyFits) -> NDArray[np.bool_]:
    """Tell which of many fits of one design have a covariance on its boundary.

    Parameters
    ----------
    fit : LMMFit
        Of the same design.
    many : ManyFits
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


def _sizes_and_correlations(
    effects: RandomEffects, roots: FloatArray, sigma: FloatArray
) -> list[FloatArray]:
    """Return standard deviations and correlations of roots of Psi, (m, k, k)."""
    sizes = np.sqrt(np.sum(roots**2, axis=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = roots / sizes[:, :, None]
    i, j = np.array(_pairs(effects), dtype=np.intp).reshape(-1, 2).T
    correlations = np.einsum("rcl,rcl->rc", unit[:, i], unit[:, j])
    return [sigma[:, None] * sizes, np.clip(correlations, -1.0, 1.0)]


def _pairs(effects: RandomEffects) -> list[tuple[int, int]]:
    """Return the pairs i > j of effects whose covariance the structures do not fix at 0."""
    theta = np.linspace(0.4, 0.6, effects.covariance.n_parameters)
    pattern = (effects.covariance.factor(theta) != 0.0).astype(float)
    linked = pattern @ pattern.T > 0.0
    k = len(linked)
    return [(i, j) for j in range(k) for i in range(j + 1, k) if linked[i, j]]
