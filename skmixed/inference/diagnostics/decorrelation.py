"""Marginal residuals made uncorrelated, without a matrix of the size of the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.diagnostics.training_rows import ActiveBlock, TrainingRows
from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups

__all__ = ["decorrelated"]

FloatArray = NDArray[np.float64]

# Entries, rows by effects of the smaller factors, of the largest matrix that is written out.
ENTRIES = 100_000_000
# Columns that are decorrelated at a time.
CHUNK = 16


def decorrelated(rows: TrainingRows, columns: FloatArray) -> FloatArray:
    """Return columns A' with A V A' = I, V = I + Z Psi Z'.

    Rows follow each other as they stand; those whose errors are correlated by group and time.
    """
    if rows.repeated:
        raise ValueError(
            "Decorrelated residuals need every row by itself, but a frequency weight stands for "
            "several. Fit the rows written out instead."
        )
    if not rows.blocks:
        return columns
    n, order = columns.shape[1], rows.error_covariance.order
    if order is None:
        order = np.arange(n)
    first, *others = sorted(
        (replace(b, Z=b.Z[:, order], codes=b.codes[order]) for b in rows.blocks),
        key=lambda block: -block.n_effects,
    )
    n_effects = sum(block.n_effects for block in others)
    if n_effects * n > ENTRIES:
        raise ValueError(
            f"Decorrelated residuals of several factors write out a matrix of {n} rows by the "
            f"{n_effects} effects of all factors but the largest, more than {ENTRIES:,} entries. "
            "Look at the conditional residuals instead."
        )
    found, whitened = np.empty_like(columns), _innovations(first, columns[:, order])
    if others:
        effects = np.concatenate([_written_out(block) for block in others])
        whitened = _without(_innovations(first, effects), whitened)
    found[:, order] = whitened
    return found


def _innovations(block: ActiveBlock, columns: FloatArray) -> FloatArray:
    """Overwrite columns by L^-1 columns of each group, L the Cholesky factor of I + Z Psi Z'.

    Row i of a group gives what the rows before it do not predict, (y_i - z_i'm) / sqrt(1 + z_i'P
    z_i), where P = Lambda (I + Lambda'SLambda)^-1 Lambda' and m = P t are made of the sums S = sum
    z z' and t = sum z y over the rows before it.
    """
    scaled = block.scaled
    k, n = scaled.shape
    pairs = np.einsum("in,jn->ijn", scaled, scaled)
    B = _sums_before(pairs.reshape(k * k, n), block.codes).reshape(k, k, n)
    B += np.eye(k)[:, :, None]
    lower = cholesky_over_groups(B)
    (half,) = solve_lower_over_groups(lower, scaled[None].copy())
    deviation = np.sqrt(1.0 + np.einsum("kn,kn->n", half, half))
    for start in range(0, len(columns), CHUNK):
        part = columns[start : start + CHUNK]
        t = _sums_before((part[:, None] * scaled).reshape(-1, n), block.codes)
        t = solve_lower_over_groups(lower, t.reshape(len(part), k, n))
        part -= np.einsum("ckn,kn->cn", t, half)
    columns /= deviation
    return columns


def _sums_before(values: FloatArray, codes: NDArray[np.intp]) -> FloatArray:
    """Sum each row of values over the earlier columns of the same code."""
    sums = pd.DataFrame(values.T).groupby(codes).cumsum().to_numpy().T
    return np.asarray(sums - values)


def _written_out(block: ActiveBlock) -> FloatArray:
    """Return the rows of Lambda'Z', one for each effect of each level, (k * n_levels, n)."""
    k, n = block.Z.shape
    written = np.zeros((k, len(block.effects.levels), n))
    written[:, block.codes, np.arange(n)] = block.scaled
    return written.reshape(-1, n)


def _without(U: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the columns times the symmetric root of (I + U'U)^-1, U of shape (n_effects, n).

    With UU' = E diag(l) E' it is I + U'E diag(f) E'U, f = ((1 + l)^(-1/2) - 1) / l.
    """
    squares, axes = np.linalg.eigh(U @ U.T)
    grown = 1.0 + np.maximum(squares, 0.0)
    inner = axes.T @ U
    return columns - ((columns @ inner.T) / (grown + np.sqrt(grown))) @ inner
