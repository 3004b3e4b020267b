"""The covariance of all estimates where the likelihood is that of a weighted sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.assemble import conditional_residuals
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.variance_parameters import inverse_information
from skmixed.likelihood.batched import cholesky_over_groups, repeated

__all__ = ["with_sandwich"]

FloatArray = NDArray[np.float64]


def with_sandwich(fit: LMMFit, rows: WhitenedRows, gram: FloatArray) -> LMMFit:
    """Return a fit whose estimates have the sandwich covariance of a sample of groups.

        J / (J - 1) I^-1 [sum_j w_j^2 g_j g_j'] I^-1

    with J groups of weights w_j, g_j the gradient of group j's log-likelihood in beta, theta and
    log sigma, and I minus the second derivatives of the log pseudo-likelihood (Rabe-Hesketh and
    Skrondal 2006). Without groups each row is one. ``gram`` is Z'V^-1 Z of each group, empty where
    no variance is estimable.
    """
    errors = _errors(fit, _group_scores(fit, rows, gram))
    n_groups = errors.shape[1]
    weights = rows.plain.design.weights
    if weights.groups is not None:
        errors = errors * weights.groups
    few = n_groups < 2
    correction = np.nan if few else n_groups / (n_groups - 1.0)
    whole = correction * errors @ errors.T
    rank = len(fit.fixed.standardised)
    at = fit.coordinates
    of_beta = at.response_scale**2 * whole[:rank, :rank]
    covariance = at.fixed.matrix @ of_beta @ at.fixed.matrix.T
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    root = None
    # One group is not enough for an estimate: predictions then keep the uncertainty of the model.
    if fit.sigma > 0.0 and not few:
        unscaled = of_beta / fit.sigma**2
        root = cholesky_over_groups(unscaled[:, :, None], semidefinite=True)[:, :, 0]
    return replace(
        fit,
        fixed=replace(fit.fixed, covariance=covariance, sandwich_root=root),
        n_sampled=n_groups,
        variance_sandwich=whole[rank:, rank:].copy(),
    )


def _errors(fit: LMMFit, scores: _GroupScores) -> FloatArray:
    """Return I^-1 g of each group, for beta, theta and log sigma, (n_parameters, n_groups).

    With P the inverse information of (theta, log sigma), beta being profiled out, and D the
    derivative of the best beta in them, the errors of these are P (g + D'g_beta), and those of beta
    (X'V^-1 X)^-1 sigma^2 g_beta plus D times them.
    """
    profiled = np.vstack([scores.theta + scores.slope.T @ scores.beta, scores.log_sigma])
    of_variances = inverse_information(fit, _free(fit)) @ profiled
    of_beta = fit.standardised_sigma**2 * fit.fixed.unscaled_covariance @ scores.beta
    return np.vstack([of_beta + scores.slope @ of_variances[:-1], of_variances])


def _free(fit: LMMFit) -> NDArray[np.bool_]:
    """Tell which of (theta, log sigma) are not held on a bound."""
    free = [np.empty(0, dtype=bool)]
    for effects, theta in fit.estimable:
        lower = effects.covariance.lower_bounds
        free.append(np.ones(len(theta), dtype=bool) if lower is None else theta > lower)
    return np.concatenate([*free, [True]])


@dataclass(frozen=True, slots=True, eq=False)
class _GroupScores:
    """Hold gradients in standardised columns and units of the working response."""

    beta: FloatArray
    theta: FloatArray
    log_sigma: FloatArray
    slope: FloatArray  # (rank, n_theta): derivative of the best beta, of all groups.


def _group_scores(fit: LMMFit, rows: WhitenedRows, gram: FloatArray) -> _GroupScores:
    """Sum the gradients over the rows of each group; without groups each row is one.

    With e = y - X beta - Z b, t = Z'V^-1 (y - X beta) = Z'W e and S = Z'V^-1 Z of a group whose
    weights have the sum n, they are

        beta:       X'W e / sigma^2
        theta:      tr(dPsi (t t' / sigma^2 - S)) / 2
        log sigma:  (e'W e + b't) / sigma^2 - n
    """
    design = rows.plain.design
    codes, n_groups = _codes(design)
    residuals = conditional_residuals(fit, rows)
    sigma = fit.standardised_sigma
    precision = 1.0 / sigma**2 if sigma > 0.0 else 0.0
    sizes = np.bincount(codes, design.weights.values, n_groups)
    squares = np.bincount(codes, residuals**2, n_groups)
    theta, slope = np.empty((0, n_groups)), np.empty((len(rows.A) - 1, 0))
    for effects, part in fit.estimable:
        t = _sums(rows.Z[0] * residuals, codes, n_groups)
        squares = squares + np.einsum("gq,qg->g", effects.standardised_modes, t)
        dPsi = effects.covariance.covariance_derivative(part)
        theta = 0.5 * np.einsum("mqr,qrg->mg", dPsi, precision * t[:, None] * t - gram)
        slope = _slope(fit, effects, dPsi, t, design.weights.groups)
    beta = precision * _sums(rows.A[:-1] * residuals, codes, n_groups)
    return _GroupScores(beta, theta, np.asarray(precision * squares - sizes), slope)


def _codes(design: Design) -> tuple[NDArray[np.intp], int]:
    """Return the group of each row, and how many there are."""
    if not design.blocks:
        return np.arange(design.n_rows), design.n_rows
    factor = design.factors[0]
    return factor.codes, len(factor.levels)


def _sums(columns: FloatArray, codes: NDArray[np.intp], n_groups: int) -> FloatArray:
    """Sum rows of (n_columns, n) over the groups."""
    sums = [np.bincount(codes, column, n_groups) for column in columns]
    return np.reshape(sums, (len(sums), n_groups))


def _slope(
    fit: LMMFit,
    effects: RandomEffects,
    dPsi: FloatArray,
    t: FloatArray,
    multiplicity: FloatArray | None,
) -> FloatArray:
    """Return d beta / d theta = -(X'V^-1 X)^-1 T'dPsi t with T = Z'V^-1 X, (rank, n_theta)."""
    moved = np.einsum("mqr,rg->mqg", dPsi, repeated(t, multiplicity))
    crossed = np.einsum("iqg,mqg->im", effects.standardised_scores, moved)
    return -fit.fixed.unscaled_covariance @ crossed
