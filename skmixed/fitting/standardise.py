"""Rows in coordinates that do not depend on units or origins."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
from skmixed.design.magnitudes import check_magnitudes
from skmixed.fitting.rows import ModelRows, WhitenedRows
from skmixed.likelihood.batched import repeated

__all__ = ["EXACT", "Coordinates", "standardised", "standardised_rows", "take_least_squares"]

FloatArray = NDArray[np.float64]

# A least-squares residual below this part of y is rounding: y is explained exactly.
EXACT = 1e-14
# Weights that leave less than this of the independence of columns leave few digits of the rest.
VANISHING = 3e-5


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Hold the maps between the user's units and the standardised ones of a fit.

    The working response is (y - offset - X shift) / response_scale: any shift along X leaves the
    likelihood alone, and the least-squares one keeps its residual free from cancellation. Precision
    weights are divided by their mean, weight_scale.
    """

    fixed: FixedCoordinates
    random: tuple[RandomCoordinates, ...]
    shift: FloatArray  # Of standardised columns, in units of y.
    response_scale: float
    weight_scale: float
    exact: bool  # Whether X explains y without a residual; response_scale is 1 then.

    @property
    def sigma_unit(self) -> float:
        """Return what sigma of the working response is multiplied by, to be that of y."""
        return self.response_scale * math.sqrt(self.weight_scale)


def standardised(design: Design, covariance: JointCovariance) -> tuple[Coordinates, WhitenedRows]:
    """Choose coordinates for a design, standardise its rows, and weight them."""
    check_magnitudes(design)
    fixed, A = standardise_fixed(design.fixed, intercept=design.intercept, spare=1)
    A[-1] = design.response_beside_offset
    random = tuple(
        random_coordinates(block, tuple(s.invariance for s in structures.structures))
        for block, structures in zip(design.blocks, covariance.factors, strict=True)
    )
    plain = ModelRows(design, A, _effect_columns(design, random), design.weights.whitening())
    rows = plain.whitened()
    _check_weights(rows)
    shift, scale = take_least_squares(rows.A[-1:], rows.A[:-1], design.weights.group_counts)
    if rows.A is not A:
        A[-1] = (A[-1] - shift[0] @ A[:-1]) / scale[0]
    exact = bool(np.isnan(scale[0]))
    if exact:
        A[-1], rows.A[-1], scale[0] = 0.0, 0.0, 1.0
    response_scale, weight_scale = float(scale[0]), design.weights.scale
    return Coordinates(fixed, random, shift[0], response_scale, weight_scale, exact), rows


def standardised_rows(design: Design, coordinates: Coordinates) -> ModelRows:
    """Standardise rows of the same columns in coordinates that were chosen for others."""
    A = coordinates.fixed.transform(design.fixed, spare=1)
    y = design.response_beside_offset
    A[-1] = (y - coordinates.shift @ A[:-1]) / coordinates.response_scale
    weighting = design.weights.whitening(coordinates.weight_scale)
    return ModelRows(design, A, _effect_columns(design, coordinates.random), weighting)


def take_least_squares(
    responses: FloatArray, X: FloatArray, counts: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Overwrite responses, (m, n), by their least-squares residuals over the size of these.

    Return the coefficients, and the root mean squares of the residuals. Where X explains a response
    exactly, it is NaN, and so is its size. Responses and X are whitened; ``counts`` tells how many
    times each row counts.
    """
    peak = np.maximum(responses.max(axis=1), -responses.min(axis=1))
    peak[peak == 0.0] = 1.0
    # Squares of very small or large numbers would leave the range of floating point.
    responses /= peak[:, None]
    size = _root_mean_square(responses)
    if len(X) >= X.shape[1]:
        shift = np.linalg.lstsq(X.T, responses.T, rcond=None)[0].T
        scale = np.full(len(responses), np.nan)
    else:
        counted = repeated(X, counts)
        shift = np.linalg.solve(counted @ X.T, counted @ responses.T).T
        responses -= shift @ X
        scale = _root_mean_square(responses)
        scale[scale <= EXACT * size] = np.nan
    responses /= scale[:, None]
    return np.asarray(shift * peak[:, None], dtype=np.float64), scale * peak


def _check_weights(rows: WhitenedRows) -> None:
    """Raise ValueError if some weights are so large that the other rows vanish in rounding."""
    root = rows.plain.weighting.root
    if root is None:
        return
    before, after = relative_pivots(rows.plain.A[:-1]), relative_pivots(rows.A[:-1])
    if (after < VANISHING * before).any():
        raise ValueError(
            f"sample_weight spans too many orders of magnitude, from {root.min() ** 2:.1e} to "
            f"{root.max() ** 2:.1e} times the mean: the rows of small weight vanish in rounding. "
            "Give weights of more similar size, or 0 to rows that should not count."
        )


def _root_mean_square(rows: FloatArray) -> FloatArray:
    """Return the root mean square of each row."""
    return np.asarray(np.sqrt(np.einsum("mn,mn->m", rows, rows) / rows.shape[1]))


def _effect_columns(
    design: Design, random: tuple[RandomCoordinates, ...]
) -> tuple[FloatArray, ...]:
    """Standardise the columns of Z, block by block."""
    pairs = zip(design.blocks, random, strict=True)
    return tuple(place.transform(block.columns) for block, place in pairs)
