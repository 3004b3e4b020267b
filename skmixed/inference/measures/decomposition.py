"""The variance of y in parts: of the fixed effects, of random terms, of single observations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.inference.comparison.random_terms import named_terms
from skmixed.inference.inputs import fitted_model_of
from skmixed.inference.measures.observation_variance import observation_variance
from skmixed.inference.measures.variance_shares import fixed_variance, shares, term_variances

__all__ = ["variance_decomposition"]


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
    among_random = np.append(np.nan, shares(variances[1:]))
    return pd.DataFrame(
        {
            "component": ["Fixed effects", *labels, "Residual"],
            "variance": variances,
            "share": shares(variances),
            "share_random": among_random,
        }
    )
