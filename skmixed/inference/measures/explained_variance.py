"""Intraclass correlations, and R2 of mixed models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.inference.inputs import fit_of, model_of
from skmixed.inference.marginal.estimates import check_scale
from skmixed.inference.measures.observation_variance import observation_variance
from skmixed.inference.measures.response_shares import response_variances
from skmixed.inference.measures.variance_shares import fixed_variance, shares, term_variances

__all__ = ["icc", "r2"]


def icc(
    fitted: Any, *, method: str | None = None, mean: str | float = "null", scale: str = "link"
) -> pd.DataFrame:
    """Compute intraclass correlations: the share of the groups in the variance.

    The adjusted one is the share in the variance around X beta, the unadjusted (or conditional) one
    that in the whole variance, X beta included (Nakagawa, Johnson and Schielzeth 2017). With random
    slopes the variance of a group is its mean over the rows (Johnson 2014), and so is an unequal
    residual variance. On the boundary, where a variance is 0, they are 0.

    Of a generalised model these are shares on the scale of the link, where single observations have
    a variance by a rule: see `r2`. On the scale of the response the variance between groups is that
    of the mean response given their effects, by integrals over these, mean over the rows.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel
    method, mean
        As for `r2`, for generalised models on the scale of the link.
    scale : {"link", "response"}, default="link"
        Of a generalised model. With several factors the shares on the scale of the response do not
        add up to that of all.

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
    if check_scale(scale) == "response" and isinstance(fit, GLMMFit):
        return _of_response(fit, fitted)
    by_factor: dict[str, float] = {effects.name: 0.0 for effects in fit.random}
    for group, variance in term_variances(fit):
        by_factor[group] += variance
    between = np.array(list(by_factor.values()))
    residual = observation_variance(fit, fitted, method, mean)
    adjusted = shares(np.append(between, residual))[:-1]
    unadjusted = shares(np.append(between, [residual, fixed_variance(fit, fitted)]))[:-2]
    return pd.DataFrame(
        {
            "group": [*by_factor, "All"],
            "adjusted": np.append(adjusted, adjusted.sum()),
            "unadjusted": np.append(unadjusted, unadjusted.sum()),
        }
    )


def _of_response(fit: GLMMFit, fitted: Any) -> pd.DataFrame:
    """Return the shares of the groups in the variance of the response itself."""
    model: Any = model_of(fitted)
    between, total, of_means = response_variances(fit, model)
    values = np.array(list(between.values()))
    return pd.DataFrame(
        {
            "group": list(between),
            "adjusted": values / total,
            "unadjusted": values / (total + of_means),
        }
    )


def r2(fitted: Any, *, method: str | None = None, mean: str | float = "null") -> pd.Series:
    """Compute R2 of the fixed effects alone (marginal), and with the random ones (conditional).

        marginal = f / (f + r + e),    conditional = (f + r) / (f + r + e)

    with f the variance of X beta over the rows, r that of the random effects, mean over the rows,
    and e that of the residuals, mean over the rows too (Nakagawa and Schielzeth 2013; Johnson 2014
    for random slopes).

    Of a generalised model f and r are variances of the linear predictor, offsets left out, and e
    that of an observation on the scale of the link (Nakagawa, Johnson and Schielzeth 2017). All
    random terms count to r, one that has a level for each row too.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel
    method : {"theoretical", "delta", "lognormal", "trigamma"}, optional
        Of a generalised model, where e comes from. ``"theoretical"``, the default of a binomial
        family, is that of a latent response: pi^2 / 3 with the logit link, 1 with the probit link,
        pi^2 / 6 with cloglog. ``"delta"`` is the variance of the response over h'(eta)^2. For the
        log link, with x the variance over the squared mean, ``"lognormal"``, which is its default,
        is log(1 + x), and ``"trigamma"`` the trigamma function of 1 / x; delta is x.
    mean : {"null", "response"} or float, default="null"
        Where e depends on the mean response: that of the model without fixed effects, which is
        fitted for it (averaged over its random effects, at an offset of 0); that of the observed
        responses; or a number. With offsets a mean of 1 is rarely that of the data: give one.

    Returns
    -------
    Series
        marginal, conditional.

    Raises
    ------
    TypeError
        If the rows of the data are needed, and they are not kept.
    ValueError
        If there is no such rule for the family.

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
    between = sum(variance for _, variance in term_variances(fit))
    last = observation_variance(fit, fitted, method, mean)
    parts = shares(np.array([fixed_variance(fit, fitted), between, last]))
    return pd.Series({"marginal": parts[0], "conditional": parts[0] + parts[1]}, name="r2")
