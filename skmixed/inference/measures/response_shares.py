"""The share of the groups in the variance of the response itself, by integrals over eta."""

from __future__ import annotations

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray

from skmixed.families.base import Family
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.replication.effect_source import effect_source
from skmixed.prediction.predictor_rows import power_of_predictor
from skmixed.prediction.response_law import averaged_mean, averaged_variance

__all__ = ["response_variances"]

FloatArray = NDArray[np.float64]

# Of the normal law of the effects: the mean that is averaged is smooth.
NODES = 21


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
