"""The covariance of the coefficients when the likelihood is that of a weighted sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.assemble import conditional_residuals
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.standardise import StandardisedRows
from skmixed.likelihood.batched import cholesky_over_groups

__all__ = ["with_sandwich"]

FloatArray = NDArray[np.float64]


def with_sandwich(fit: LMMFit, design: Design, rows: StandardisedRows) -> LMMFit:
    r"""Return a fit whose coefficients have the sandwich covariance of a sample of groups.

    .. math::

        \frac{J}{J - 1} C \Big[\sum_j w_j^2 s_j s_j'\Big] C, \qquad
        s_j = X_j' V_j^{-1} (y_j - X_j \hat\beta) / \hat\sigma^2

    with J groups of weights w_j, and C the inverse of the information of the pseudo-likelihood
    (Rabe-Hesketh and Skrondal 2006, equation 5). Without groups each row is one.

    Parameters
    ----------
    fit : LMMFit
    design : Design
        With weights that are inverse probabilities.
    rows : StandardisedRows
    """
    scores = _group_scores(fit, design, rows)
    n_groups = scores.shape[1]
    if design.group_multiplicity is not None:
        scores = scores * design.group_multiplicity
    few = n_groups < 2
    at = fit.coordinates
    correction = np.nan if few else n_groups / (n_groups - 1.0)
    errors = at.response_scale * fit.fixed.unscaled_covariance @ scores
    standardised = correction * errors @ errors.T
    covariance = at.fixed.matrix @ standardised @ at.fixed.matrix.T
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    root = None
    # Of one group nothing is told: predictions then keep the uncertainty of the model.
    if fit.sigma > 0.0 and not few:
        unscaled = standardised * at.weight_scale / fit.sigma**2
        root = cholesky_over_groups(unscaled[:, :, None], semidefinite=True)[:, :, 0]
    fixed = replace(fit.fixed, covariance=covariance, sandwich_root=root)
    return replace(fit, fixed=fixed, n_sampled=n_groups)


def _group_scores(fit: LMMFit, design: Design, rows: StandardisedRows) -> FloatArray:
    """Return X_j'W_j times the conditional residuals of each group, which is sigma^2 s_j."""
    products = rows.A[:-1] * conditional_residuals(fit, design, rows)
    if not design.blocks:
        return products
    factor = design.factors[0]
    n_levels = len(factor.levels)
    sums = [np.bincount(factor.codes, column, n_levels) for column in products]
    return np.reshape(sums, (len(sums), n_levels))
