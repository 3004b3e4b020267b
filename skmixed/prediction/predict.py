"""Predictions of new rows, linear ones, and how far they err where the variances are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.design.design import NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.new_columns import Include, NewColumns, is_included, mean_of_columns
from skmixed.prediction.residuals import columns_given_past, residual_covariance, residual_variance

__all__ = [
    "Include",
    "Kind",
    "PredictedRows",
    "marginal_covariance",
    "within_levels",
]

FloatArray = NDArray[np.float64]
Root = FloatArray | sparse.csr_array
Kind = Literal["observation", "mean", "population"]

# Rows at a time: with several factors each has as many entries as there are other effects.
CHUNK = 16384


@dataclass(frozen=True, slots=True, eq=False)
class PredictedRows:
    """Predict new rows.

    For a level that was fitted, b - b_hat has the conditional covariance sigma^2 D, and beta_hat
    errs with it: the row's error is (x - c'z)'(beta_hat - beta) + z'(b - E[b | y, beta]) + e with
    c = D Z'WX (Henderson 1975, section 5). A level that was not fitted, or is left out, contributes
    its whole covariance sigma^2 Psi, unless the mean over all levels is predicted; e is part of
    an observation alone.

    Attributes
    ----------
    kind : {"observation", "mean", "population"}
        A new observation of weight 1; its mean x'beta + z'b, whatever is known of b; or the mean
        over all levels of what is not known of b.
    """

    rows: NewRows
    include_random_effects: Include
    kind: Kind = "observation"
    _latest: dict[LMMFit, NewColumns] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows.fixed)

    def take(self, chunk: slice) -> PredictedRows:
        """Return some of the rows."""
        return replace(self, rows=self.rows.take(chunk))

    def mean_of(self, fit: LMMFit) -> FloatArray:
        """Return X beta, plus Z b of fitted levels where effects are included, (n,)."""
        return mean_of_columns(fit, self._columns(fit), self.include_random_effects)

    def variance_of(self, fit: LMMFit) -> FloatArray:
        """Return the variances of what is predicted about the predictions, (n,)."""
        variance = self.error_variance_of(fit, fit.fixed.error_covariance)
        variance *= fit.working_sigma**2
        observed = self.kind == "observation"
        return variance + residual_variance(fit, self.rows) if observed else variance

    def covariance_of(self, fit: LMMFit) -> FloatArray:
        """Return the covariance of what is predicted about the predictions, (n, n)."""
        columns, observed = self._columns(fit), self.kind == "observation"
        X, parts = _error_columns(fit, columns, self.include_random_effects, self.kind)
        covariance = X.T @ fit.fixed.error_covariance @ X
        for root, codes in parts:
            covariance += within_levels(root, codes)
        covariance *= fit.working_sigma**2
        return covariance + residual_covariance(fit, self.rows) if observed else covariance

    def error_variance_of(self, fit: LMMFit, of_coefficients: FloatArray) -> FloatArray:
        """Return the variance of the means' errors over that of a row of mean weight, (n,).

        For the rows that were fitted, times their weights over the mean weight, it is their
        leverage if the coefficients have the covariance (X'V^-1 X)^-1.
        """
        columns, variance = self._columns(fit), np.empty(len(self))
        for first in range(0, len(variance), CHUNK):
            chunk = slice(first, first + CHUNK)
            part = columns if len(variance) <= CHUNK else columns.take(chunk)
            X, roots = _error_columns(fit, part, self.include_random_effects, self.kind)
            variance[chunk] = np.einsum("in,in->n", of_coefficients @ X, X)
            for root, _ in roots:
                variance[chunk] += _squared_lengths(root)
        return variance

    def _columns(self, fit: LMMFit) -> NewColumns:
        """Return the columns of the rows, kept from a mean to its variance."""
        if fit not in self._latest:
            self._latest.clear()
            self._latest[fit] = columns_given_past(fit, self.rows)
        return self._latest[fit]


def marginal_covariance(
    fit: LMMFit, rows: NewRows, precision: FloatArray | None = None
) -> FloatArray:
    """Return the covariance of y that the model implies, sigma^2 (Z Psi Z' + R), shape (n, n).

    Parameters
    ----------
    precision : ndarray of shape (n,), optional
        Weights that divide the variances of the residuals, by default 1.
    """
    covariance = residual_covariance(fit, rows)
    if precision is not None:
        covariance /= np.sqrt(np.multiply.outer(precision, precision))
    for effects, block in zip(fit.random, rows.blocks, strict=True):
        root = effects.standardised_factor.T @ effects.coordinates.transform(block.columns)
        levels = _levels_of(block.codes, len(covariance))
        covariance += fit.working_sigma**2 * within_levels(root, levels)
    return covariance


def _error_columns(
    fit: LMMFit, columns: NewColumns, include_random_effects: Include, kind: Kind
) -> tuple[FloatArray, list[tuple[Root, NDArray[np.intp] | None]]]:
    """Return x - c'z of each row, and roots of the covariance of z'(b - b_hat) with levels."""
    X = columns.X.copy()
    parts: list[tuple[Root, NDArray[np.intp] | None]] = []
    known_Z, known_codes = [], []
    for effects, Z, found in zip(fit.random, columns.Z, columns.codes, strict=True):
        levels = _levels_of(found, X.shape[1])
        known = np.zeros(len(levels), dtype=bool)
        if found is not None and is_included(effects, include_random_effects):
            known = found < len(effects.levels)
        codes = np.where(known, levels, 0)
        seen = Z * known
        if kind != "population":
            parts.append((effects.standardised_factor.T @ (Z - seen), levels))
        X -= np.einsum("nkp,kn->pn", effects.standardised_cross[codes], seen)
        if effects.estimable:
            known_Z.append(seen)
            known_codes.append(codes)
    return X, [*parts, *fit.errors.parts(known_Z, known_codes)]


def _levels_of(codes: NDArray[np.intp] | None, n: int) -> NDArray[np.intp]:
    """Return the codes of the rows' levels, one of its own for each row without labels."""
    return np.arange(n) if codes is None else codes


def _squared_lengths(root: Root) -> FloatArray:
    """Return the sum of squares of each column."""
    if isinstance(root, sparse.csr_array):
        return np.asarray(root.power(2).sum(axis=0), dtype=np.float64).ravel()
    return np.einsum("kn,kn->n", root, root)


def within_levels(root: Root, codes: NDArray[np.intp] | None) -> FloatArray:
    """Return root' root between rows of the same level, or between all rows without codes."""
    if isinstance(root, sparse.csr_array):
        return np.asarray((root.T @ root).toarray())
    product = root.T @ root
    if codes is None:
        return product
    return np.where(codes[:, None] == codes[None, :], product, 0.0)
