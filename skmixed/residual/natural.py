"""The parameters of a residual structure as its user knows them, one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter, ParameterValue
from skmixed.covariance.scales import Between, FisherZ, Linear, Logarithm, NormalScale
from skmixed.residual.differentiation import complex_step
from skmixed.residual.heterogeneous import Strata
from skmixed.residual.learned import LearnedResidual
from skmixed.residual.structure import Scale

__all__ = ["residual_parameters", "stratum_deviations"]

FloatArray = NDArray[np.float64]

SCALES: dict[Scale, NormalScale] = {
    "linear": Linear(1.0),
    "log": Logarithm(),
    "logit": Between(0.0, 1.0),
    "fisher": FisherZ(),
}


def residual_parameters(learned: LearnedResidual) -> tuple[NaturalParameter, ...]:
    """List the reported parameters of a residual structure."""
    described = zip(learned.names, learned.scales, learned.symbols, strict=True)
    return tuple(
        NaturalParameter(name, _Reported(learned, j), _scale(scale), symbol)
        for j, (name, scale, symbol) in enumerate(described)
    )


def stratum_deviations(learned: LearnedResidual) -> tuple[NaturalParameter, ...]:
    """List the standard deviations of strata; or sigma, which scales them, where others differ."""
    strata = learned.variances[0] if len(learned.variances) == 1 else None
    if not isinstance(strata, Strata):
        scaled = bool(learned.variances) and not learned.fixes_sigma
        sigma = NaturalParameter(
            "sigma", _OfStratum(0, True), Logarithm(), r"\sigma", in_sigma=True
        )
        return (sigma,) * scaled
    first = learned.n_arms * learned.n_correlations - 1
    return tuple(
        NaturalParameter(
            f"sd {label}", _OfStratum(first + j, j == 0), Logarithm(), r"\sigma", in_sigma=True
        )
        for j, label in enumerate(strata.levels.flat_labels)
    )


def _scale(scale: Scale) -> NormalScale:
    """Return the scale of a name or of two bounds."""
    return Between(*scale) if isinstance(scale, tuple) else SCALES[scale]


@dataclass(frozen=True, slots=True)
class _OfStratum:
    """Evaluate the ratio of a stratum to the first; j is where its logarithm is in rho."""

    j: int
    first: bool

    def __call__(self, rho: FloatArray) -> ParameterValue:
        gradient = np.zeros(len(rho))
        if self.first:
            return ParameterValue(1.0, gradient)
        gradient[self.j] = ratio = math.exp(rho[self.j])
        return ParameterValue(ratio, gradient)


@dataclass(frozen=True, slots=True, eq=False)
class _Reported:
    """Evaluate one reported parameter."""

    learned: LearnedResidual
    position: int

    def __call__(self, rho: FloatArray) -> ParameterValue:
        value = float(self.learned.reported(rho)[self.position])
        return ParameterValue(value, complex_step(self.learned.reported, rho)[:, self.position])
