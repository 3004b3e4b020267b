"""How much of the variance of y the fixed effects, each random term and the residuals make up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.inference.inputs import model_of
from skmixed.inference.replication.effect_source import effect_source
from skmixed.prediction.predictor_rows import power_of_predictor
from skmixed.prediction.response_law import averaged_mean, averaged_variance

__all__ = ["fixed_variance", "mean_variance", "response_variances", "shares", "term_variances"]

FloatArray = NDArray[np.float64]

# Logarithms of relative weights that are smaller belong to equal weights.
EQUAL = 1e-12
# Of the normal law of the effects: the mean that is averaged is smooth.
NODES = 21


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


def response_variances(fit: GLMMFit, model: GLMMModel) -> tuple[dict[str, float], float, float]:
    """Return variances of the response: between groups, about the mean of a row, of these means.

    With eta = X beta + b + c, b the part of one factor and c that of the others, the variance
    between its groups is Var_b(E_c[h(eta)]), mean over the rows. ``"All"`` is that of all factors
    together, which is more than the sum of the single ones.
    """
    family = fit.family
    if power_of_predictor(family) is not None:
        raise ValueError(
            f"With link={family.link.name!r} a normal linear predictor can have no mean, so that "
            "the response has no variance between groups. Use scale='link'."
        )
    source = effect_source(fit, model.design)
    eta = source.fixed
    extra = fit.extra_of_rows(model.extra_columns, len(eta))
    parts = source.variances
    whole = np.sum([np.zeros_like(eta), *parts], axis=0)
    means = averaged_mean(family, eta, whole, extra)
    total = float(np.mean(averaged_variance(family, eta, whole, extra)))
    named = {effects.name: part for effects, part in zip(fit.random, parts, strict=True)}
    between = {
        name: _between(family, eta, part, whole - part, extra, means)
        for name, part in {**named, "All": whole}.items()
    }
    return between, total, float(np.var(means, ddof=1)) if len(means) > 1 else np.nan


def _between(
    family: Family,
    eta: FloatArray,
    variance: FloatArray,
    others: FloatArray,
    extra: tuple[FloatArray, ...],
    means: FloatArray,
) -> float:
    """Return the variance, mean over the rows, of the response averaged over other effects."""
    nodes, weights = hermegauss(NODES)
    sd, others = np.sqrt(variance), np.maximum(others, 0.0)
    total = np.zeros_like(eta)
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        total += weight * (averaged_mean(family, eta + sd * node, others, extra) - means) ** 2
    return float(np.mean(total))
