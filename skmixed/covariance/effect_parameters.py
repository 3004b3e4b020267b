"""The standard deviations and correlations of random effects as natural parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.base import CovarianceStructure, FloatArray
from skmixed.covariance.natural import NaturalParameter, ParameterValue
from skmixed.covariance.scales import FisherZ, Logarithm

__all__ = [
    "SINGULAR",
    "correlation",
    "deviation",
    "linked_effects",
    "natural_parameters",
]

# A standard deviation below this part of sigma, per unit of a standardised column, is on the
# boundary (lme4's figure).
SINGULAR = 1e-4
# Standard deviations and correlations whose difference is less, at some theta, are one parameter.
SAME = 1e-10


def natural_parameters(
    structure: CovarianceStructure, directions: FloatArray
) -> tuple[NaturalParameter, ...]:
    """List the natural parameters of one random term.

    A structure without a method of this name has its distinct standard deviations, and then its
    distinct correlations.

    ``directions`` of shape (k, k): row i says what the user's effect i is of the effects that
    Lambda belongs to. For a structure whose invariance is "diagonal" or "scalar" this is a diagonal
    matrix.
    """
    own = getattr(structure, "natural_parameters", None)
    if own is not None:
        return tuple(own(directions))
    k = len(directions)
    Lambda = structure.factor(_some_theta(structure, k), k)
    sizes = np.linalg.norm(Lambda, axis=1)
    cosines = Lambda @ Lambda.T / np.multiply.outer(sizes, sizes)
    pairs = np.argwhere(np.triu(linked_effects(structure, k), 1))
    deviations = _distinct(np.arange(k), sizes)
    correlations = _distinct(pairs, cosines[tuple(pairs.T)])
    return (
        *(deviation(structure, directions, same.tolist()) for same in deviations),
        *(correlation(structure, directions, same.tolist()) for same in correlations),
    )


def deviation(
    structure: CovarianceStructure, directions: FloatArray, sharing: Sequence[int]
) -> NaturalParameter:
    """Return the standard deviation that some effects share."""
    k, first = len(directions), int(sharing[0])
    own = np.isin(np.arange(k), sharing).astype(np.intp)
    return NaturalParameter(
        "sd",
        _Deviation(structure, directions[first]),
        Logarithm(),
        r"\tau",
        in_sigma=True,
        effects=(first,),
        powers=np.add.outer(own, own),
    )


def correlation(
    structure: CovarianceStructure,
    directions: FloatArray,
    sharing: Sequence[Sequence[int]],
    powers: NDArray[np.intp] | None = None,
) -> NaturalParameter:
    """Return the correlation that some pairs of effects share.

    ``powers`` of shape (k, k): of this correlation in that of all pairs; by default 1 for the pairs
    that share it.
    """
    i, j = (int(effect) for effect in sharing[0])
    if powers is None:
        powers = np.zeros((len(directions),) * 2, dtype=np.intp)
        for pair in sharing:
            powers[tuple(pair)] = powers[tuple(pair)[::-1]] = 1
    at = _Correlation(structure, directions[[i, j]])
    return NaturalParameter("cor", at, FisherZ(), r"\rho", effects=(i, j), powers=powers)


def linked_effects(structure: CovarianceStructure, k: int) -> NDArray[np.bool_]:
    """Tell which of k effects may be correlated, shape (k, k).

    Psi = Lambda Lambda' links two effects if their rows of Lambda share a column in which both are
    not zero, at a theta without special values.
    """
    pattern = (structure.factor(_some_theta(structure, k), k) != 0.0).astype(float)
    return np.asarray(pattern @ pattern.T > 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Deviation:
    """Evaluate |c'Lambda|, the standard deviation of c'b relative to sigma."""

    structure: CovarianceStructure
    direction: FloatArray

    def __call__(self, theta: FloatArray) -> ParameterValue:
        k = len(self.direction)
        row = self.direction @ self.structure.factor(theta, k)
        slopes = self.direction @ self.structure.factor_derivative(theta, k)
        size = float(np.linalg.norm(row))
        gradient = slopes @ row / size if size else np.zeros(len(theta))
        vanishing = size <= SINGULAR * float(np.abs(slopes).max(initial=0.0))
        return ParameterValue(size, gradient, slopes.T if vanishing else None)


@dataclass(frozen=True, slots=True, eq=False)
class _Correlation:
    """Evaluate the cosine of the angle between c'Lambda and d'Lambda."""

    structure: CovarianceStructure
    directions: FloatArray

    def __call__(self, theta: FloatArray) -> ParameterValue:
        k = self.directions.shape[1]
        rows = self.directions @ self.structure.factor(theta, k)
        slopes = self.directions @ self.structure.factor_derivative(theta, k)
        lengths = np.linalg.norm(rows, axis=1)
        if not lengths.all():
            return ParameterValue(math.nan, np.zeros(len(theta)))
        a, b = rows / lengths[:, None]
        da, db = np.moveaxis(slopes / lengths[:, None], 1, 0)
        da, db = da - np.multiply.outer(da @ a, a), db - np.multiply.outer(db @ b, b)
        cosine = float(np.clip(a @ b, -1.0, 1.0))
        gradient = da @ b + db @ a
        if 1.0 - abs(cosine) > SINGULAR**2:
            return ParameterValue(cosine, gradient)
        # Both rows are on one line; the angle between them grows with their difference.
        return ParameterValue(cosine, gradient, (db - math.copysign(1.0, cosine) * da).T)


def _some_theta(structure: CovarianceStructure, k: int) -> FloatArray:
    """Return a theta without special values, within bounds."""
    theta = np.linspace(0.4, 0.6, structure.n_parameters(k))
    lower = structure.lower_bounds(k)
    return theta if lower is None else theta + np.where(np.isfinite(lower), lower, 0.0)


def _distinct(items: NDArray[np.intp], values: FloatArray) -> list[NDArray[np.intp]]:
    """Gather items of equal values, in the order of the first ones."""
    groups: list[NDArray[np.intp]] = []
    left = np.ones(len(items), dtype=bool)
    while left.any():
        equal = left & (np.abs(values - values[np.argmax(left)]) <= SAME)
        groups.append(items[equal])
        left &= ~equal
    return groups
