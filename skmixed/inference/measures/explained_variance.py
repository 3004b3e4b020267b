"""The variance of y in parts: intraclass correlations, R2, and all of the parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.inference.comparison.random_terms import named_terms
from skmixed.inference.inputs import fit_of, fitted_model_of, model_of
from skmixed.inference.marginal.estimates import check_scale
from skmixed.inference.measures.observation_variance import observation_variance
from skmixed.inference.measures.variance_shares import (
    fixed_variance,
    response_variances,
    shares,
    term_variances,
)

__all__ = ["icc", "r2", "variance_decomposition"]


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
        model: Any = model_of(fitted)
        by_group, total, of_means = response_variances(fit, model)
        values = np.array(list(by_group.values()))
        columns = {"adjusted": values / total, "unadjusted": values / (total + of_means)}
        return pd.DataFrame({"group": list(by_group), **columns})
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


def variance_decomposition(
    fitted: Any, *, method: str | None = None, mean: str | float = "null"
) -> pd.DataFrame:
    """Split the variance of y into the parts of the fixed effects, random terms and residuals.

    The part of a random term is its mean over the rows, tr(Z Psi Z') / n (Johnson 2014), which for
    an intercept is its variance. That of the fixed effects is the variance of X beta over the rows
    (Nakagawa and Schielzeth 2013). The residual variance is that of a row of weight 1,
    and its mean over the rows where a residual structure makes it unequal.

    Of a generalised model it is the variance on the scale of the link, where single observations
    have one by a rule: ``method``.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel
    method, mean
        As for `r2`, for generalised models.

    Returns
    -------
    DataFrame
        Columns component, variance, share (of the sum) and share_random (of the sum without the
        fixed effects; NaN for these). Shares are 0 where the whole sum is.

    Raises
    ------
    TypeError
        If the variance of X beta needs the rows of the data, and they are not kept.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import variance_decomposition
    >>> results = mixedlm("Reaction ~ Days + (Days || Subject)", load_sleepstudy())
    >>> variance_decomposition(results).round(3)
                  component  variance  share  share_random
    0         Fixed effects   908.953  0.283           NaN
    1         (1 | Subject)   627.569  0.195         0.272
    2  (0 + Days | Subject)  1021.959  0.318         0.444
    3              Residual   653.584  0.203         0.284
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    labels = [term.label for term in named_terms(fit.random, found.recipe)]
    own = [variance for _, variance in term_variances(fit)]
    last = observation_variance(fit, fitted, method, mean)
    variances = np.array([fixed_variance(fit, fitted), *own, last])
    return pd.DataFrame(
        {
            "component": ["Fixed effects", *labels, "Residual"],
            "variance": variances,
            "share": shares(variances),
            "share_random": np.append(np.nan, shares(variances[1:])),
        }
    )
