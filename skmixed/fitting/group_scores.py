"""The gradient of each group's log-likelihood in all parameters of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.assemble import conditional_residuals
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.rows import WhitenedRows

__all__ = ["GroupScores", "group_scores"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupScores:
    """Hold gradients in standardised columns and units of the working response.

    Attributes
    ----------
    log_sigma : ndarray of shape (n_groups,)
    slope : ndarray of shape (rank, n_theta)
        Derivative in theta of the beta that is best for it, with all groups.
    """

    beta: FloatArray
    theta: FloatArray
    log_sigma: FloatArray
    slope: FloatArray


def group_scores(fit: LMMFit, rows: WhitenedRows, gram: FloatArray) -> GroupScores:
    """Sum the gradients over the rows of each group; without groups each row is one.

    With e = y - X beta - Z b, t = Z'V^-1 (y - X beta) = Z'W e and S = Z'V^-1 Z of a group whose
    weights have the sum n, they are

        beta:       X'W e / sigma^2
        theta:      tr(dPsi (t t' / sigma^2 - S)) / 2
        log sigma:  (e'W e + b't) / sigma^2 - n

    Parameters
    ----------
    fit : LMMFit
        Of one grouping factor or none, by maximum likelihood.
    rows : WhitenedRows
        Whose weights count rows.
    gram : ndarray of shape (k, k, n_groups)
        S, empty where no variance is estimable.
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
    return GroupScores(beta, theta, np.asarray(precision * squares - sizes), slope)


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
    counted = t if multiplicity is None else t * multiplicity
    moved = np.einsum("mqr,rg->mqg", dPsi, counted)
    crossed = np.einsum("iqg,mqg->im", effects.standardised_scores, moved)
    return -fit.fixed.unscaled_covariance @ crossed
