"""Intraclass correlations, and R2 of mixed models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.inference.inputs import fit_of
from skmixed.inference.measures.variance_shares import (
    COMPARE_DEVIATIONS,
    fixed_variance,
    shares,
    term_variances,
)

__all__ = ["icc", "r2"]


def icc(fitted: Any) -> pd.DataFrame:
    """Compute intraclass correlations: the share of the groups in the variance.

    The adjusted one is the share in the variance around X beta, the unadjusted (or conditional) one
    that in the whole variance, X beta included (Nakagawa, Johnson and Schielzeth 2017). With random
    slopes the variance of a group is its mean over the rows (Johnson 2014), and so is an unequal
    residual variance. On the boundary, where a variance is 0, they are 0.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel

    Returns
    -------
    DataFrame
        One row for each grouping factor and, last, one for all of them: group, adjusted,
        unadjusted.

    Raises
    ------
    TypeError
        If the variance of X beta needs the rows of the data, and they are not kept.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_penicillin
    >>> from skmixed.inference import icc
    >>> icc(mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())).round(3)
        group  adjusted  unadjusted
    0   plate     0.151       0.151
    1  sample     0.785       0.785
    2     All     0.936       0.936
    """
    fit = fit_of(fitted)
    fit.require_gaussian("The share of the groups in the variance of y", COMPARE_DEVIATIONS)
    by_factor: dict[str, float] = {effects.name: 0.0 for effects in fit.random}
    for group, variance in term_variances(fit):
        by_factor[group] += variance
    between = np.array(list(by_factor.values()))
    residual = fit.residual_variance
    adjusted = shares(np.append(between, residual))[:-1]
    unadjusted = shares(np.append(between, [residual, fixed_variance(fit, fitted)]))[:-2]
    return pd.DataFrame(
        {
            "group": [*by_factor, "All"],
            "adjusted": np.append(adjusted, adjusted.sum()),
            "unadjusted": np.append(unadjusted, unadjusted.sum()),
        }
    )


def r2(fitted: Any) -> pd.Series:
    """Compute R2 of the fixed effects alone (marginal), and with the random ones (conditional).

        marginal = f / (f + r + e),    conditional = (f + r) / (f + r + e)

    with f the variance of X beta over the rows, r that of the random effects, mean over the rows,
    and e that of the residuals, mean over the rows too (Nakagawa and Schielzeth 2013; Johnson 2014
    for random slopes).

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel

    Returns
    -------
    Series
        marginal, conditional.

    Raises
    ------
    TypeError
        If the variance of X beta needs the rows of the data, and they are not kept.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import r2
    >>> r2(mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())).round(3)
    marginal       0.279
    conditional    0.799
    Name: r2, dtype: float64
    """
    fit = fit_of(fitted)
    fit.require_gaussian("The explained variance of y", COMPARE_DEVIATIONS)
    between = sum(variance for _, variance in term_variances(fit))
    parts = shares(np.array([fixed_variance(fit, fitted), between, fit.residual_variance]))
    return pd.Series({"marginal": parts[0], "conditional": parts[0] + parts[1]}, name="r2")
