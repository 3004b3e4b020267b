"""Random draws of the effects of all groups, from their distribution given the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["SampledEffects", "sample_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SampledEffects:
    """Hold draws of beta and b."""

    coefficients: FloatArray
    effects: tuple[FloatArray, ...]


def sample_effects(
    fit: LMMFit, n: int, rng: np.random.Generator, *, beta_known: bool = False
) -> SampledEffects:
    """Draw beta and the random effects together, given the data and the estimated variances.

    beta = beta_hat - d with d ~ N(0, Var(beta_hat)), and b = b_hat + c d + e with e ~ N(0,
    sigma^2 D) and c = D Z'WX: what beta_hat is too high, the effects are too low. D links the
    effects of a level, and of the levels of several factors.
    """
    scale = fit.working_sigma
    rank = len(fit.fixed.standardised)
    d = np.zeros((n, rank))
    if not beta_known:
        d = scale * rng.standard_normal((n, rank)) @ fit.fixed.error_root.T
    errors = fit.errors.draws(n, rng)
    drawn = []
    for effects in fit.random:
        deviations = np.tensordot(d, effects.standardised_cross, axes=(1, 2))
        if effects.position is not None:
            deviations += scale * errors[effects.position]
        drawn.append(effects.modes + deviations @ effects.coordinates.matrix.T)
    coefficients = fit.fixed.coefficients - d @ fit.coordinates.fixed.matrix.T
    return SampledEffects(coefficients, tuple(drawn))
