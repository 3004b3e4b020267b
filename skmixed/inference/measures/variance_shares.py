"""How much of the variance of y the fixed effects, each random term and the residuals make up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.inputs import model_of

__all__ = ["fixed_variance", "mean_variance", "shares", "term_variances"]

FloatArray = NDArray[np.float64]

# Logarithms of relative weights that are smaller belong to equal weights.
EQUAL = 1e-12


def shares(variances: FloatArray) -> FloatArray:
    """Return parts of the sum; 0 where that is 0."""
    total = float(variances.sum())
    return variances / total if total > 0.0 else np.zeros_like(variances)


def term_variances(fit: LMMFit) -> list[tuple[str, float]]:
    """Return the grouping factor and the mean variance over the rows of each random term."""
    return [
        (effects.name, mean_variance(effects, own))
        for effects in fit.random
        for own in effects.covariance.effect_slices
    ]


def mean_variance(effects: RandomEffects, own: slice) -> float:
    """Return tr(Psi mean(z z')) of one term, whose own effects these are, in squared units of y."""
    root = effects.standardised_factor[own]
    relative = float(np.einsum("qi,qr,ri->", root, effects.mean_square[own, own], root))
    return relative * effects.working_sigma**2


def fixed_variance(fit: LMMFit, fitted: Any) -> float:
    """Return the sample variance of X beta over the rows, each as often as it counts; NaN for one.

    It needs no rows where there are cross-products, an intercept and no precision weights.
    """
    products = fit.products
    intercept = fit.coordinates.fixed.intercept
    # Logarithms of relative weights have a mean below 0 where these differ.
    if products is None or not intercept or abs(products.sum_log_weights) > EQUAL * fit.n_rows:
        return _variance_over_rows(fit, model_of(fitted).design)
    # The first column is that of ones, and the rest need not be orthogonal to it.
    slopes = fit.working_coefficients
    slopes[0] = 0.0
    XtX = products.AtWA[:-1, :-1]
    mean = float(XtX[0] @ slopes) / fit.n_rows
    squares = float(slopes @ XtX @ slopes) - fit.n_rows * mean**2
    return _variance(max(squares, 0.0), fit.n_rows)


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
