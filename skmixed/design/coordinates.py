"""Standardised columns, in which a fit does not depend on units or origins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf

from skmixed.design.design import RandomBlock

__all__ = [
    "FixedCoordinates",
    "RandomCoordinates",
    "aliased_rows",
    "random_coordinates",
    "relative_pivots",
    "standardise_fixed",
]

FloatArray = NDArray[np.float64]

# What centring leaves of a constant column is rounding, below this part of the constant.
CONSTANT = 8 * float(np.finfo(float).eps)
# What earlier columns leave of a column is rounding below this part of its length, as in R's lm.
ALIASED = 1e-7
# Cross-products square it: above this pivot of their factor, no column comes near ALIASED.
PLAINLY_INDEPENDENT = 1e-4
# A row of which less is left, relative to its length, is orthogonalised against all others again.
NEARLY_VANISHED = 1e-2
# Rows that are orthogonalised together.
BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class FixedCoordinates:
    """Map the columns of X to centred, scaled and independent ones, and coefficients back.

    With center m, scale s and basis B (n_features x rank), a row x becomes (1, ((x - m) / s) B).
    All of it is a regular linear map where X has full rank, so that the likelihood does not change.

    Attributes
    ----------
    center, scale : ndarray of shape (n_features,)
    basis : ndarray of shape (n_features, rank)
    aliased : ndarray of shape (n_features,)
        True for a column that earlier columns explain.
    minimum_norm : bool
        Whether the basis has orthogonal columns that span the rows, for more columns than rows.
    """

    intercept: bool
    center: FloatArray
    scale: FloatArray
    basis: FloatArray
    aliased: NDArray[np.bool_]
    minimum_norm: bool = False

    @property
    def n_coefficients(self) -> int:
        """Count the estimated coefficients, with the intercept."""
        return self.basis.shape[1] + self.intercept

    def transform(self, fixed: FloatArray, *, spare: int = 0) -> FloatArray:
        """Return the standardised columns as rows of an array, and spare rows, not filled."""
        rows = np.empty((self.n_coefficients + spare, len(fixed)))
        first = int(self.intercept)
        rows[:first] = 1.0
        standard = rows[first : self.n_coefficients]
        if self.minimum_norm:
            np.matmul(self.basis.T, ((fixed - self.center) / self.scale).T, out=standard)
            return rows
        kept = np.flatnonzero(~self.aliased)
        for j, column in enumerate(kept):
            np.subtract(fixed[:, column], self.center[column], out=standard[j])
        standard /= self.scale[kept, None]
        return rows

    @property
    def matrix(self) -> FloatArray:
        """Return the matrix that maps standardised to original coefficients, intercept first."""
        slopes = self.basis / self.scale[:, None]
        if not self.intercept:
            return slopes
        matrix = np.zeros((len(self.scale) + 1, self.n_coefficients))
        matrix[0, 0] = 1.0
        matrix[0, 1:] = -self.center @ slopes
        matrix[1:, 1:] = slopes
        return matrix

    @property
    def log_volume(self) -> float:
        """Return log|det| of the map from original to standardised columns that are kept."""
        if self.minimum_norm:
            return float(np.sum(np.log(np.linalg.norm(self.basis, axis=0))))
        return -float(np.sum(np.log(self.scale[~self.aliased])))


@dataclass(frozen=True, slots=True, eq=False)
class RandomCoordinates:
    """Map the columns of one block of Z to standardised ones, and effects back.

    Attributes
    ----------
    center, scale : ndarray of shape (n_effects,)
    intercepts : ndarray of shape (n_effects,)
        Position of the intercept of each column's term (its own position where it has none).
    """

    center: FloatArray
    scale: FloatArray
    intercepts: NDArray[np.intp]

    def transform(self, columns: FloatArray) -> FloatArray:
        """Return the standardised columns as rows of an array of shape (n_effects, n)."""
        rows = np.array(columns.T, order="C")
        for j in np.flatnonzero((self.center != 0.0) | (self.scale != 1.0)):
            rows[j] -= self.center[j]
            rows[j] /= self.scale[j]
        return rows

    @property
    def matrix(self) -> FloatArray:
        """Return R with b = R b_standardised, of shape (n_effects, n_effects)."""
        matrix = np.diag(1.0 / self.scale)
        for column in np.flatnonzero(self.center):
            matrix[self.intercepts[column], column] -= self.center[column] / self.scale[column]
        return matrix


def standardise_fixed(
    fixed: FloatArray, *, intercept: bool, spare: int = 0, counts: FloatArray | None = None
) -> tuple[FixedCoordinates, FloatArray]:
    """Choose center, scale and basis of the columns of X, and standardise them.

    Parameters
    ----------
    intercept : bool
        Whether X has a column of ones besides; only then may columns be centred.
    spare : int, default=0
        Number of rows to add, not filled: the response can take one.
    counts : ndarray of shape (n,), optional
        How often each row counts in means and lengths, by default once.

    Returns
    -------
    rows : ndarray of shape (n_coefficients + spare, n)
    """
    n, n_features = fixed.shape
    center = _mean(fixed, counts) if intercept else np.zeros(n_features)
    if n_features + intercept > n:
        coordinates = _minimum_norm_coordinates(fixed, center, counts, intercept=intercept)
        return coordinates, coordinates.transform(fixed, spare=spare)
    nothing = np.zeros(n_features, dtype=bool)
    every = np.eye(n_features)
    unscaled = FixedCoordinates(intercept, center, np.ones(n_features), every, nothing)
    rows = unscaled.transform(fixed, spare=spare)
    slopes = rows[int(intercept) : len(rows) - spare]
    length = np.sqrt(_mean(slopes.T**2, counts))
    # A constant column beside the intercept: what centring leaves of it is rounding.
    constant = length <= CONSTANT * np.abs(center)
    scale = np.where(constant, 1.0, length)
    if constant.any():
        slopes[constant] = 0.0
    slopes /= scale[:, None]
    aliased = aliased_rows(rows[: len(rows) - spare])[int(intercept) :]
    if not aliased.any():
        return FixedCoordinates(intercept, center, scale, every, nothing), rows
    rows = np.delete(rows, np.flatnonzero(aliased) + intercept, axis=0)
    return FixedCoordinates(intercept, center, scale, every[:, ~aliased], aliased), rows


def random_coordinates(
    block: RandomBlock, invariances: tuple[str, ...], counts: FloatArray | None = None
) -> RandomCoordinates:
    """Choose center and scale of the columns of one block of Z.

    Only changes that lead to a model of the same structure are allowed: a term with an intercept
    and a structure closed under linear maps is centred and scaled, one closed under diagonal maps
    is scaled, any other gets one common scale.

    ``invariances``: for each term what its structure allows: "linear", "diagonal" or "scalar".
    """
    n_effects = block.columns.shape[1]
    center, scale = np.zeros(n_effects), np.ones(n_effects)
    intercepts = np.arange(n_effects)
    first = 0
    for term, invariance in zip(block.terms, invariances, strict=True):
        effects = range(first, first + len(term.effect_names))
        first = effects.stop
        position = term.intercept
        for j in effects:
            if position is not None and j == effects.start + position:
                continue
            column = block.columns[:, j]
            if invariance == "linear" and position is not None:
                intercepts[j] = effects.start + position
                center[j] = _mean(column, counts)
            length = math.sqrt(_mean((column - center[j]) ** 2, counts))
            if length <= CONSTANT * abs(center[j]):
                center[j], length = column[0] if center[j] else 0.0, 1.0
            scale[j] = length
        if invariance == "scalar":
            scale[effects] = np.sqrt(np.mean(scale[effects] ** 2))
    return RandomCoordinates(center, scale, intercepts)


def _mean(rows: FloatArray, counts: FloatArray | None) -> FloatArray:
    """Return the mean over the first axis, each row as often as it counts."""
    if counts is None:
        return np.asarray(rows.sum(axis=0) / max(len(rows), 1))
    return np.asarray(counts @ rows / counts.sum())


def relative_pivots(rows: FloatArray) -> FloatArray:
    """Return what each row has beside the earlier ones, relative to its length.

    They come from the rows' correlations, whose rounding hides what is below about 1e-8. All are 0
    where some row plainly depends on others.
    """
    gram = rows @ rows.T
    lengths = np.sqrt(gram.diagonal())
    lengths[lengths == 0.0] = 1.0
    factor, failed = dpotrf(gram / np.multiply.outer(lengths, lengths))
    return np.zeros(len(rows)) if failed else factor.diagonal()


def aliased_rows(rows: FloatArray, tolerance: float = ALIASED) -> NDArray[np.bool_]:
    """Find the rows that the earlier ones explain; most often their correlations rule it out.

    ``tolerance``: what the earlier rows may leave of such a row, relative to its length.
    """
    if not len(rows) or relative_pivots(rows).min() > PLAINLY_INDEPENDENT:
        return np.zeros(len(rows), dtype=bool)
    return _aliased_by_orthogonalisation(rows, tolerance)


def _aliased_by_orthogonalisation(rows: FloatArray, tolerance: float) -> NDArray[np.bool_]:
    """Orthogonalise each row against the kept ones before it, twice, and look at what is left.

    Blocks of rows meet the kept ones before the block together, as products of matrices.
    """
    aliased = np.zeros(len(rows), dtype=bool)
    lengths = np.linalg.norm(rows, axis=1)
    kept = np.empty_like(rows)
    n_kept = 0
    for start in range(0, len(rows), BLOCK):
        block, before = rows[start : start + BLOCK].copy(), kept[:n_kept]
        for _ in range(2):
            block -= (block @ before.T) @ before
        first = n_kept
        for j, row in enumerate(block, start):
            left = row - (kept[first:n_kept] @ row) @ kept[first:n_kept]
            # What is left of a row that nearly vanished has parts along all the rows again.
            short = np.linalg.norm(left) < NEARLY_VANISHED * lengths[j]
            others = kept[0 if short else first : n_kept]
            left -= (others @ left) @ others
            length = np.linalg.norm(left)
            aliased[j] = length <= tolerance * lengths[j]
            if not aliased[j]:
                kept[n_kept] = left / length
                n_kept += 1
    return aliased


def _minimum_norm_coordinates(
    fixed: FloatArray, center: FloatArray, counts: FloatArray | None, *, intercept: bool
) -> FixedCoordinates:
    """Span the centred rows, so that coefficients of least norm belong to them.

    The directions are scaled so that the rows' parts along them are of one size: the ratio of the
    largest to the least singular value would be squared in the cross-products.
    """
    n, n_features = fixed.shape
    rows = fixed - center
    if intercept:
        # A mean is known to its own rounding only; what that leaves is a constant, no direction.
        rows -= _mean(rows, counts)
    if counts is not None:
        rows *= np.sqrt(counts)[:, None]
        n = counts.sum()
    _, singular, directions = np.linalg.svd(rows, full_matrices=False)
    tolerance = max(n, n_features) * np.finfo(float).eps * singular.max(initial=0.0)
    rank = int(np.sum(singular > tolerance))
    return FixedCoordinates(
        intercept,
        center,
        np.ones(n_features),
        directions[:rank].T * (math.sqrt(n) / singular[:rank]),
        np.zeros(n_features, dtype=bool),
        minimum_norm=True,
    )
