"""A design to cross-products in coordinates that do not depend on units or origins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.design.coordinates import (
    FixedCoordinates,
    RandomCoordinates,
    random_coordinates,
    standardise_fixed,
)
from skmixed.design.design import Design
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts, factor_products

__all__ = ["Coordinates", "StandardisedRows", "standardised_products"]

FloatArray = NDArray[np.float64]

# A least-squares residual below this part of y is rounding: y is explained exactly.
EXACT = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Hold the maps between the user's units and the standardised ones of a fit.

    The working response is (y - offset - X shift) / response_scale: any shift along X leaves the
    likelihood alone, and the least-squares one keeps its residual free from cancellation. Weights
    are divided by their mean, weight_scale.

    Attributes
    ----------
    fixed : FixedCoordinates
    random : RandomCoordinates or None
    shift : ndarray of shape (n_coefficients,)
        Least-squares coefficients, standardised columns, in units of y.
    response_scale : float
    weight_scale : float
    exact : bool
        Whether least squares explain y without a residual; response_scale is 1 then.
    """

    fixed: FixedCoordinates
    random: RandomCoordinates | None
    shift: FloatArray
    response_scale: float
    weight_scale: float
    exact: bool


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedRows:
    """Hold the standardised columns, times the root of the weights.

    Attributes
    ----------
    A : ndarray of shape (n_coefficients + 1, n)
        [X y], the working response last.
    Z : ndarray of shape (n_effects, n)
    mean_square : ndarray of shape (n_effects, n_effects)
        Mean of z z' over the rows, without weights.
    """

    A: FloatArray
    Z: FloatArray
    mean_square: FloatArray


def standardised_products(
    design: Design, covariance: DirectSum
) -> tuple[Coordinates, StandardisedRows, CrossProducts]:
    """Standardise a design and compute its cross-products.

    Parameters
    ----------
    design : Design
        With at most one block.
    covariance : DirectSum
        The structures of the block's terms.
    """
    fixed, A = standardise_fixed(design.fixed, intercept=design.intercept, spare=1)
    weights, weight_scale = _relative_weights(design)
    root = None if weights is None else np.sqrt(weights)
    A[-1] = design.response if design.offset is None else design.response - design.offset
    if root is not None:
        A *= root
    multiplicity = _multiplicity(design)
    shift, scale = _take_least_squares(A[:-1], A[-1], multiplicity)
    rows, random, factor = _block_products(design, covariance, A, root)
    products = CrossProducts(
        n_rows=_count(design),
        sum_log_weights=_sum_log_weights(design, weights, multiplicity),
        AtWA=(A if multiplicity is None else A * multiplicity) @ A.T,
        factor=factor,
    )
    exact = not A[-1].any()
    coordinates = Coordinates(fixed, random, shift, scale, weight_scale, exact)
    return coordinates, rows, products


def _relative_weights(design: Design) -> tuple[FloatArray | None, float]:
    """Return weights relative to their mean, and the mean; counts stay as they are."""
    if design.weights is None or design.frequency:
        return design.weights, 1.0
    mean = float(design.weights.mean())
    return design.weights / mean, mean


def _multiplicity(design: Design) -> FloatArray | None:
    """Return how many times each row's group counts."""
    if design.group_multiplicity is None:
        return None
    return design.group_multiplicity[design.blocks[0].factor.codes]


def _take_least_squares(
    X: FloatArray, y: FloatArray, multiplicity: FloatArray | None
) -> tuple[FloatArray, float]:
    """Overwrite y by its least-squares residual over its size; return coefficients and size."""
    peak = float(np.abs(y).max())
    if peak == 0.0:
        return np.zeros(len(X)), 1.0
    # Squares of very small or large numbers would leave the range of floating point.
    y /= peak
    if len(X) >= len(y):
        shift = np.asarray(np.linalg.lstsq(X.T, y, rcond=None)[0], dtype=np.float64)
        y[:] = 0.0
        return shift * peak, 1.0
    size = math.sqrt(y @ y / len(y))
    shift = np.empty(0)
    if len(X):
        weighted = X if multiplicity is None else X * multiplicity
        shift = np.asarray(np.linalg.solve(weighted @ X.T, weighted @ y), dtype=np.float64)
        y -= shift @ X
    scale = math.sqrt(y @ y / len(y))
    if scale <= EXACT * size:
        y[:] = 0.0
        return shift * peak, 1.0
    y /= scale
    return shift * peak, scale * peak


def _block_products(
    design: Design, covariance: DirectSum, A: FloatArray, root: FloatArray | None
) -> tuple[StandardisedRows, RandomCoordinates | None, FactorProducts]:
    """Standardise the block of Z and sum its products level by level."""
    if not design.blocks:
        rows = StandardisedRows(A, np.empty((0, design.n_rows)), np.empty((0, 0)))
        return rows, None, FactorProducts(np.empty((0, 0, 0)), np.empty((len(A), 0, 0)))
    (block,) = design.blocks
    random = random_coordinates(block, tuple(s.invariance for s in covariance.structures))
    Z = random.transform(block.columns)
    repeated = design.row_multiplicity
    if repeated is None:
        mean_square = Z @ Z.T / design.n_rows
    else:
        mean_square = (Z * repeated) @ Z.T / repeated.sum()
    if root is not None:
        Z *= root
    factor = block.factor
    products = factor_products(Z, A, factor.codes, len(factor.levels), design.group_multiplicity)
    return StandardisedRows(A, Z, mean_square), random, products


def _count(design: Design) -> float:
    """Count the rows, each as often as it counts."""
    multiplicity = design.row_multiplicity
    return float(design.n_rows if multiplicity is None else multiplicity.sum())


def _sum_log_weights(
    design: Design, weights: FloatArray | None, multiplicity: FloatArray | None
) -> float:
    """Return sum log w; counts of rows are no weights of a variance."""
    if weights is None or design.frequency:
        return 0.0
    logs = np.log(weights)
    return float(logs.sum() if multiplicity is None else logs @ multiplicity)
