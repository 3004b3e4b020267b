"""How much of the variance of y the fixed effects, each random term and the residuals make up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.comparison.random_terms import named_terms
from skmixed.inference.inputs import fitted_model_of, model_of

__all__ = [
    "COMPARE_DEVIATIONS",
    "fixed_variance",
    "shares",
    "term_variances",
    "variance_decomposition",
]

FloatArray = NDArray[np.float64]

# What else there is for a generalised model.
COMPARE_DEVIATIONS = "compare the standard deviations of confint(..., which='random')"
# Logarithms of relative weights that are smaller belong to equal weights.
EQUAL = 1e-12


def variance_decomposition(fitted: Any) -> pd.DataFrame:
    """Split the variance of y into the parts of the fixed effects, random terms and residuals.

    The part of a random term is its mean over the rows, tr(Z Psi Z') / n (Johnson 2014), which for
    an intercept is its variance. That of the fixed effects is the variance of X beta over the rows
    (Nakagawa and Schielzeth 2013). The residual variance is that of a row of weight 1,
    and its mean over the rows where a residual structure makes it unequal.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMModel

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
    fit.require_gaussian("A decomposition of the variance of y", COMPARE_DEVIATIONS)
    labels = [term.label for term in named_terms(fit.random, found.recipe)]
    own = [variance for _, variance in term_variances(fit)]
    variances = np.array([fixed_variance(fit, fitted), *own, fit.residual_variance])
    among_random = np.append(np.nan, shares(variances[1:]))
    return pd.DataFrame(
        {
            "component": ["Fixed effects", *labels, "Residual"],
            "variance": variances,
            "share": shares(variances),
            "share_random": among_random,
        }
    )


def shares(variances: FloatArray) -> FloatArray:
    """Return parts of the sum; 0 where that is 0.

    Parameters
    ----------
    variances : ndarray
    """
    total = float(variances.sum())
    return variances / total if total > 0.0 else np.zeros_like(variances)


def term_variances(fit: LMMFit) -> list[tuple[str, float]]:
    """Return the grouping factor and the mean variance over the rows of each random term.

    Parameters
    ----------
    fit : LMMFit
    """
    return [
        (effects.name, _mean_variance(effects, own))
        for effects in fit.random
        for own in effects.covariance.effect_slices
    ]


def _mean_variance(effects: RandomEffects, own: slice) -> float:
    """Return tr(Psi mean(z z')) of one term, in squared units of y."""
    root = effects.standardised_factor[own]
    relative = float(np.einsum("qi,qr,ri->", root, effects.mean_square[own, own], root))
    return relative * effects.working_sigma**2


def fixed_variance(fit: LMMFit, fitted: Any) -> float:
    """Return the sample variance of X beta over the rows, each as often as it counts; NaN for one.

    Parameters
    ----------
    fit : LMMFit
    fitted : MixedLMResults, estimator or LMMModel
        What has this fit. An estimator keeps no rows; the cross-products do where there is an
        intercept and no precision weights.
    """
    products = fit.products
    intercept = fit.coordinates.fixed.intercept
    if products is None or not intercept or _weighted(products.sum_log_weights, fit.n_rows):
        return _variance_over_rows(fit, model_of(fitted).design)
    # The first column is that of ones, and the rest need not be orthogonal to it.
    slopes = fit.working_coefficients
    slopes[0] = 0.0
    XtX = products.AtWA[:-1, :-1]
    mean = float(XtX[0] @ slopes) / fit.n_rows
    squares = float(slopes @ XtX @ slopes) - fit.n_rows * mean**2
    return _variance(max(squares, 0.0), fit.n_rows)


def _weighted(sum_log_weights: float, n_rows: float) -> bool:
    """Tell whether the rows have different precision weights; their logarithms have mean < 0."""
    return abs(sum_log_weights) > EQUAL * n_rows


def _variance_over_rows(fit: LMMFit, design: Design) -> float:
    """Return the variance of X beta from the rows."""
    line = fit.working_coefficients @ fit.coordinates.fixed.transform(design.fixed)
    multiplicity = design.weights.row_multiplicity
    counts = np.ones(design.n_rows) if multiplicity is None else multiplicity
    n = float(counts.sum())
    mean = float(counts @ line) / n
    return _variance(float(counts @ (line - mean) ** 2), n)


def _variance(squares: float, n: float) -> float:
    """Return the sample variance of a sum of squares; one row has none."""
    return squares / (n - 1.0) if n > 1.0 else math.nan
