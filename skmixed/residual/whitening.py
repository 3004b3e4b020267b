"""R of the rows at given parameters: whitening, its determinant, and their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation import MarkovCorrelation
from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.neighbouring_rows import NeighbouringRows
from skmixed.residual.patterned_rows import PatternedRows

__all__ = ["ResidualAt", "residual_at"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualAt:
    """Hold R = S C S of some rows at one rho: C correlations, S standard deviations over sigma.

    With C = L L' and T = L^-1 S^-1, rows are white after T: T R T' = I.

    Attributes
    ----------
    logarithms : ndarray of shape (n,)
        Of the standard deviations.
    counts : ndarray of shape (n,) or None
        How many times each row's group counts.
    """

    rows: ResidualRows
    logarithms: FloatArray
    correlated: NeighbouringRows | PatternedRows | None
    counts: FloatArray | None

    def apply(self, columns: FloatArray) -> FloatArray:
        """Whiten columns (m, n): T columns'."""
        scaled = columns * np.exp(-self.logarithms)
        return scaled if self.correlated is None else self.correlated.whiten(scaled)

    def apply_transposed(self, columns: FloatArray) -> FloatArray:
        """Return T'columns' (m, n): R^-1 times what `apply` has whitened."""
        inner = columns if self.correlated is None else self.correlated.whiten_transposed(columns)
        return inner * np.exp(-self.logarithms)

    def undo_transposed(self, columns: FloatArray) -> FloatArray:
        """Return T'^-1 columns' (m, n), from which `undo` makes R columns'."""
        scaled = columns * np.exp(self.logarithms)
        return scaled if self.correlated is None else self.correlated.colour_transposed(scaled)

    @property
    def variances(self) -> FloatArray:
        """Return the diagonal of R, (n,)."""
        return np.exp(2.0 * self.logarithms)

    @property
    def precisions(self) -> FloatArray:
        """Return the diagonal of R^-1, (n,)."""
        own = np.exp(-2.0 * self.logarithms)
        return own if self.correlated is None else own * self.correlated.precisions()

    def undo(self, columns: FloatArray) -> FloatArray:
        """Return the columns (m, n) that `apply` has whitened."""
        coloured = columns if self.correlated is None else self.correlated.colour(columns)
        return coloured * np.exp(self.logarithms)

    @property
    def log_determinant(self) -> float:
        """Return log|R|."""
        logs = self.logarithms
        whole = 2.0 * float(logs.sum() if self.counts is None else logs @ self.counts)
        if self.correlated is not None:
            whole += self.correlated.log_determinant(self.counts)
        return whole

    def gradient(self, columns: FloatArray) -> FloatArray:
        """Return for each parameter d log|R| - sum f'T dR T'f over the columns f, (m, n).

        They are white, times the root of the counts.
        """
        parts = [np.empty(0)]
        correlated = self.correlated
        if correlated is not None:
            own = correlated.log_determinant_gradient(self.counts)
            parts.append(own - correlated.quadratic_gradient(columns))
        if not self.rows.deviations:
            return np.concatenate(parts)
        inner = columns * columns
        if correlated is not None:
            inner = correlated.whiten_transposed(columns) * correlated.colour(columns)
        net = (1.0 if self.counts is None else self.counts) - inner.sum(axis=0)
        parts += [2.0 * one.summed(net) for one in self.rows.deviations]
        return np.concatenate(parts)

    def tangents(self, column: FloatArray) -> FloatArray:
        """Return T dR T'f of a white column for each parameter, (n_parameters, n)."""
        correlated, nothing = self.correlated, np.empty((0, len(column)))
        own = nothing if correlated is None else correlated.tangents(column)
        slopes = np.concatenate([nothing, *(one.derivative() for one in self.rows.deviations)])
        if correlated is None or not len(slopes):
            return np.concatenate([own, 2.0 * slopes * column])
        left = correlated.whiten(slopes * correlated.colour(column[None]))
        right = correlated.colour_transposed(slopes * correlated.whiten_transposed(column[None]))
        return np.concatenate([own, left + right])


def residual_at(
    learned: LearnedResidual,
    rows: ResidualRows,
    rho: FloatArray,
    counts: FloatArray | None = None,
) -> ResidualAt:
    """Evaluate the structure of some rows, each of whose groups counts so many times.

    It raises LinAlgError if R is not positive definite within rounding.
    """
    _, of_variances = learned.split(rho)
    logs = [one.logarithms(part) for one, part in zip(rows.deviations, of_variances, strict=True)]
    correlated: NeighbouringRows | PatternedRows | None = None
    if rows.grouped is not None and learned.correlation is not None:
        markov = isinstance(learned.correlation, MarkovCorrelation)
        kind = NeighbouringRows if markov else PatternedRows
        correlated = kind(CorrelationsAt(learned, rho), rows.grouped)
        n = len(rows.grouped.groups)
    else:
        n = len(logs[0])
    return ResidualAt(rows, np.sum([np.zeros(n), *logs], axis=0), correlated, counts)
