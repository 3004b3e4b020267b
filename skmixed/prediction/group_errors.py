"""How far the effects and the coefficients of each group are from their estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["GroupCoefficients", "effect_standard_errors", "group_coefficients"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupCoefficients:
    """Hold beta + b of each level of one grouping factor.

    Attributes
    ----------
    names : tuple of str
        The fixed effects, then the random effects that none of them stands for.
    values, standard_errors : ndarray of shape (n_levels, n_coefficients)
    """

    names: tuple[str, ...]
    values: FloatArray
    standard_errors: FloatArray


def effect_standard_errors(
    fit: LMMFit, effects: RandomEffects, *, beta_known: bool = False
) -> FloatArray:
    """Return the standard deviation of b_hat - b for each level and effect, (n_levels, k).

    Given the variances, b_hat - b has the covariance sigma^2 D + c Var(beta_hat) c' with
    c = D Z'WX (Henderson 1975, section 5).

    Parameters
    ----------
    fit : LMMFit
    effects : RandomEffects
        One of the fit's.
    beta_known : bool, default=False
        Whether to leave out the second part, as lme4's conditional variances do.
    """
    own = np.diagonal(effects.conditional_covariance, axis1=1, axis2=2)
    if beta_known:
        return np.sqrt(own)
    root = effects.coordinates.matrix
    return np.sqrt(own + _variance_by_beta(fit, root @ effects.standardised_cross))


def group_coefficients(fit: LMMFit, effects: RandomEffects) -> GroupCoefficients:
    """Return the coefficients of each level with standard errors of the sums beta_hat + b_hat.

    Where beta_hat errs by d, b_hat errs by -c d and by what the data of the level leave open: the
    variance of the sum is that of (1 - c) d, plus sigma^2 D. It is less than the sum of both
    variances, because the two errors compensate.

    Parameters
    ----------
    fit : LMMFit
    effects : RandomEffects
        One of the fit's.

    Returns
    -------
    GroupCoefficients
        A coefficient without a random effect is the same in all levels. NaN is the standard
        error where the fixed effect is aliased.
    """
    fixed = fit.fixed
    names = tuple(dict.fromkeys(fixed.names + effects.effect_names))
    picks = np.equal.outer(names, effects.effect_names).astype(float)
    varying = np.flatnonzero(picks.any(axis=1))
    n_levels, n_fixed = len(effects.levels), len(fixed.names)

    values = np.zeros((n_levels, len(names)))
    values[:, :n_fixed] = fixed.coefficients
    values += effects.modes @ picks.T

    variances = np.zeros((n_levels, len(names)))
    variances[:, :n_fixed] = np.diagonal(fixed.covariance)
    chosen = picks[varying]
    of_beta = np.zeros((len(names), len(fixed.standardised)))
    of_beta[:n_fixed] = fit.coordinates.fixed.matrix
    moved = of_beta[varying] - chosen @ effects.coordinates.matrix @ effects.standardised_cross
    own = np.einsum("mq,gqr,mr->gm", chosen, effects.conditional_covariance, chosen, optimize=True)
    variances[:, varying] = own + _variance_by_beta(fit, moved)
    aliased = np.flatnonzero(fixed.aliased)
    variances[:, aliased] = np.nan
    return GroupCoefficients(names, values, np.sqrt(variances))


def _variance_by_beta(fit: LMMFit, moved: FloatArray) -> FloatArray:
    """Return the variance of combinations (n_levels, m, rank) of the standardised coefficients."""
    scale = fit.sigma**2 / fit.coordinates.weight_scale
    return scale * np.sum((moved @ fit.fixed.error_root) ** 2, axis=2)
