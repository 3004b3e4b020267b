"""The finished fit of a design: the estimates at the optimum, and what the rows tell of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.estimates import estimates_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.optimise import Optimum
from skmixed.fitting.random_effects import FactorDescription
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.standardise import EXACT, Coordinates
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["assemble", "interpolates", "level_precision", "quartiles", "with_unbounded_likelihood"]

FloatArray = NDArray[np.float64]

# With more than this part of what least squares leave, a residual is no rounding.
SMALL = 1e-4


def assemble(
    covariance: JointCovariance,
    coordinates: Coordinates,
    rows: WhitenedRows,
    objective: ProfiledObjective,
    optimum: Optimum[ObjectiveValue],
    positions: Sequence[int | None],
) -> LMMFit:
    """Make the finished fit of an optimum, without notices.

    ``covariance`` is that of all blocks, ``objective`` that of the estimable ones, and
    ``positions`` tells where each block is among these.
    """
    design = rows.plain.design
    factors = [
        FactorDescription(
            levels=block.factor.levels,
            terms=block.terms,
            covariance=joint,
            coordinates=place,
            sizes=block.factor.sizes,
            precision=level_precision(design, block.factor),
            mean_square=mean_square,
            position=position,
        )
        for block, joint, place, position, mean_square in zip(
            design.blocks,
            covariance.factors,
            coordinates.random,
            positions,
            rows.plain.mean_squares(),
            strict=True,
        )
    ]
    fit = estimates_at(optimum, objective, coordinates, design.coefficient_names, factors)
    residuals = conditional_residuals(fit, rows)
    sigma2 = optimum.at.solution.sigma2
    quantiles = quartiles(residuals) / np.sqrt(sigma2) if sigma2 else np.zeros(5)
    return replace(fit, residual_quantiles=quantiles)


def interpolates(fit: LMMFit, rows: WhitenedRows) -> bool:
    """Tell whether the random effects leave of y what rounding does, and the fixed ones more."""
    spread = fit.coordinates.response_scale
    if fit.coordinates.exact or fit.sigma > SMALL * spread:
        return False
    if fit.sigma == 0.0:
        return True
    residuals = conditional_residuals(fit, rows)
    largest = np.abs(rows.plain.design.response).max() / spread
    return bool(np.sqrt(np.mean(residuals**2)) <= EXACT * largest)


def with_unbounded_likelihood(fit: LMMFit) -> LMMFit:
    """Return a fit of y with a little residual as the limit without, which has no maximum."""
    end = replace(fit.convergence, converged=False, message="the residual variance tends to 0")
    return replace(fit, interpolates=True, convergence=end, log_likelihood=math.inf)


def conditional_residuals(fit: LMMFit, rows: WhitenedRows) -> FloatArray:
    """Return y - X beta - Z b of the working response, whitened, (n,)."""
    residuals = rows.A[-1] - fit.fixed.standardised @ rows.A[:-1]
    for effects, factor, Z in zip(fit.random, rows.plain.design.factors, rows.Z, strict=True):
        for modes, column in zip(effects.standardised_modes.T, Z, strict=True):
            residuals -= np.take(modes, factor.codes) * column
    return residuals


def level_precision(design: Design, factor: GroupingFactor) -> FloatArray:
    """Return the sum of the weights of each level's rows."""
    sums = np.bincount(factor.codes, design.weights.values, len(factor.levels))
    return sums.astype(np.float64, copy=False)


def quartiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reorder values; return minimum, quartiles and maximum, interpolated linearly (R's type 7)."""
    last = len(values) - 1
    position = np.array([0.0, 0.25, 0.5, 0.75, 1.0]) * last
    below = position.astype(np.intp)
    above = np.minimum(below + 1, last)
    values.partition(sorted({*below.tolist(), *above.tolist()}))
    return values[below] + (position - below) * (values[above] - values[below])
