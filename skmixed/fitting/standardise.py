"""A design to cross-products in coordinates that do not depend on units or origins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.coordinates import (
    FixedCoordinates,
    RandomCoordinates,
    random_coordinates,
    relative_pivots,
    standardise_fixed,
)
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.design.magnitudes import check_magnitudes
from skmixed.likelihood.cells import CellProducts, cell_products
from skmixed.likelihood.crossproducts import CrossProducts, factor_products

__all__ = [
    "EXACT",
    "Coordinates",
    "StandardisedRows",
    "products_of_rows",
    "standardised_products",
    "standardised_rows",
]

FloatArray = NDArray[np.float64]

# A least-squares residual below this part of y is rounding: y is explained exactly.
EXACT = 1e-14
# Weights that leave less than this of the independence of columns leave few digits of the rest.
VANISHING = 3e-5


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Hold the maps between the user's units and the standardised ones of a fit.

    The working response is (y - offset - X shift) / response_scale: any shift along X leaves the
    likelihood alone, and the least-squares one keeps its residual free from cancellation. Weights
    are divided by their mean, weight_scale.

    Attributes
    ----------
    fixed : FixedCoordinates
    random : tuple of RandomCoordinates
        One for each block.
    shift : ndarray of shape (n_coefficients,)
        Least-squares coefficients, standardised columns, in units of y.
    response_scale : float
    weight_scale : float
    exact : bool
        Whether least squares explain y without a residual; response_scale is 1 then.
    """

    fixed: FixedCoordinates
    random: tuple[RandomCoordinates, ...]
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
    Z : tuple of ndarray of shape (n_effects, n)
        One for each block.
    mean_squares : tuple of ndarray of shape (n_effects, n_effects)
        Mean of z z' over the rows, without weights, for each block.
    """

    A: FloatArray
    Z: tuple[FloatArray, ...]
    mean_squares: tuple[FloatArray, ...]


def standardised_products(
    design: Design, covariance: JointCovariance
) -> tuple[Coordinates, StandardisedRows, CrossProducts]:
    """Standardise a design and compute its cross-products.

    Parameters
    ----------
    design : Design
    covariance : JointCovariance
        The structures of the blocks' terms.
    """
    check_magnitudes(design)
    fixed, A = standardise_fixed(design.fixed, intercept=design.intercept, spare=1)
    weights, weight_scale = _relative_weights(design)
    root = None if weights is None else np.sqrt(weights)
    A[-1] = design.response if design.offset is None else design.response - design.offset
    if root is not None:
        independent = relative_pivots(A[:-1])
        A *= root
        _check_weights(root, independent, relative_pivots(A[:-1]))
    shift, scale = _take_least_squares(A[:-1], A[-1], design.group_counts)
    random = tuple(
        random_coordinates(block, tuple(s.invariance for s in structures.structures))
        for block, structures in zip(design.blocks, covariance.factors, strict=True)
    )
    rows = _with_blocks(A, design, random, root)
    products = products_of_rows(design, rows, weight_scale)
    exact = not A[-1].any()
    coordinates = Coordinates(fixed, random, shift, scale, weight_scale, exact)
    return coordinates, rows, products


def standardised_rows(design: Design, coordinates: Coordinates) -> StandardisedRows:
    """Standardise rows in coordinates that were chosen for others.

    Parameters
    ----------
    design : Design
        Of the same columns.
    coordinates : Coordinates
    """
    A = coordinates.fixed.transform(design.fixed, spare=1)
    y = design.response if design.offset is None else design.response - design.offset
    A[-1] = (y - coordinates.shift @ A[:-1]) / coordinates.response_scale
    root = None
    if design.weights is not None:
        root = np.sqrt(design.weights / coordinates.weight_scale)
        A *= root
    return _with_blocks(A, design, coordinates.random, root)


def products_of_rows(design: Design, rows: StandardisedRows, weight_scale: float) -> CrossProducts:
    """Sum the cross-products of standardised rows.

    Parameters
    ----------
    design : Design
    rows : StandardisedRows
    weight_scale : float
        What weights are relative to.
    """
    A, multiplicity = rows.A, design.group_counts
    factors = tuple(
        factor_products(Z, A, factor.codes, len(factor.levels), design.group_multiplicity)
        for Z, factor in zip(rows.Z, design.factors, strict=True)
    )
    return CrossProducts(
        n_rows=design.count,
        sum_log_weights=_sum_log_weights(design, weight_scale, multiplicity),
        AtWA=(A if multiplicity is None else A * multiplicity) @ A.T,
        factors=factors,
        crossed=_crossed(rows.Z, design.factors),
    )


def _check_weights(root: FloatArray, before: FloatArray, after: FloatArray) -> None:
    """Raise ValueError if some weights are so large that the other rows vanish in rounding."""
    if (after < VANISHING * before).any():
        raise ValueError(
            f"sample_weight spans too many orders of magnitude, from {root.min() ** 2:.1e} to "
            f"{root.max() ** 2:.1e} times the mean: the rows of small weight vanish in rounding. "
            "Give weights of more similar size, or 0 to rows that should not count."
        )


def _relative_weights(design: Design) -> tuple[FloatArray | None, float]:
    """Return weights relative to their mean, and the mean; counts stay as they are."""
    if design.weights is None or design.frequency:
        return design.weights, 1.0
    mean = float(design.weights.mean())
    return design.weights / mean, mean


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


def _with_blocks(
    A: FloatArray, design: Design, random: tuple[RandomCoordinates, ...], root: FloatArray | None
) -> StandardisedRows:
    """Standardise the columns of Z, block by block, and join them to those of X."""
    repeated = design.row_multiplicity
    columns, mean_squares = [], []
    for block, place in zip(design.blocks, random, strict=True):
        Z = place.transform(block.columns)
        counted = Z if repeated is None else Z * repeated
        mean_squares.append(counted @ Z.T / design.count)
        if root is not None:
            Z *= root
        columns.append(Z)
    return StandardisedRows(A, tuple(columns), tuple(mean_squares))


def _crossed(
    Z: tuple[FloatArray, ...], factors: tuple[GroupingFactor, ...]
) -> dict[tuple[int, int], CellProducts]:
    """Sum the products of each pair of factors' columns over each pair of levels."""
    return {
        (i, j): cell_products(
            Z[i],
            factors[i].codes,
            len(factors[i].levels),
            Z[j],
            factors[j].codes,
            len(factors[j].levels),
        )
        for i, j in combinations(range(len(factors)), 2)
    }


def _sum_log_weights(design: Design, scale: float, multiplicity: FloatArray | None) -> float:
    """Return sum log w; counts of rows are no weights of a variance."""
    if design.weights is None or design.frequency:
        return 0.0
    logs = np.log(design.weights / scale)
    return float(logs.sum() if multiplicity is None else logs @ multiplicity)
