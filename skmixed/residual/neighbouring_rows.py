"""Rows each of which is correlated with earlier ones through its neighbour: whitened in O(n)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from skmixed.residual.correlation import MarkovCorrelation
from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.patterns import GroupedRows

__all__ = ["NeighbouringRows"]

FloatArray = NDArray[np.float64]

# What a neighbour may leave of a row's variance at least.
LEAST = 1e-14


class NeighbouringRows:
    """Whiten rows by (x_j - c_j x_i) / s_j, with c_j the correlation with the neighbour x_i.

    The rest of the variance is s_j^2 = 1 - c_j^2.

    It raises LinAlgError if neighbours differ by no more than rounding.
    """

    def __init__(self, at: CorrelationsAt, rows: GroupedRows) -> None:
        correlation = at.correlation
        assert isinstance(correlation, MarkovCorrelation)
        self._order = rows.order
        self._before, self._after = rows.neighbours
        c, k = np.empty(len(self._after)), len(at.of_arms[0])
        # Derivatives in the parameters of all arms, 0 in those of others.
        self._slopes = np.zeros((len(at.of_arms) * k, len(c)))
        for arm, own in at.members(rows.arms[self._after]):
            steps = (rows.positions[side[own]] for side in (self._before, self._after))
            neighbours = at.naturals[arm], *steps
            c[own] = correlation.steps(*neighbours)
            in_natural = correlation.step_derivative(*neighbours)
            self._slopes[arm * k : (arm + 1) * k, own] = at.chains[arm].T @ in_natural
        self._c, self._s2 = c, 1.0 - c * c
        if (self._s2 < LEAST).any():
            raise np.linalg.LinAlgError("Neighbouring rows are correlated by 1 within rounding.")
        self._s = np.sqrt(self._s2)

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Apply L^-1."""
        found = columns.copy()
        found[:, self._after] -= self._c * columns[:, self._before]
        found[:, self._after] /= self._s
        return found

    def whiten_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'^-1."""
        found = columns.copy()
        found[:, self._after] /= self._s
        scaled = self._c * found[:, self._after]
        found[:, self._before] -= scaled
        return found

    def colour(self, columns: FloatArray) -> FloatArray:
        """Apply L: each row is s_j x_j + c_j times the coloured one before."""
        scaled = columns.copy()
        scaled[:, self._after] *= self._s
        return self._substituted(scaled, lower=True)

    def colour_transposed(self, columns: FloatArray) -> FloatArray:
        """Apply L'."""
        found = self._substituted(columns, lower=False)
        found[:, self._after] *= self._s
        return found

    def precisions(self) -> FloatArray:
        """Return the diagonal of C^-1, (n,)."""
        found = np.ones(len(self._order))
        found[self._after] = 1.0 / self._s2
        found[self._before] += self._c**2 / self._s2
        return found

    def log_determinant(self, counts: FloatArray | None) -> float:
        """Return log|C|, each row as often as it counts."""
        logs = np.log(self._s2)
        return float(logs.sum() if counts is None else logs @ counts[self._after])

    def log_determinant_gradient(self, counts: FloatArray | None) -> FloatArray:
        """Return the derivatives of log|C| in the parameters."""
        weights = -2.0 * self._c / self._s2
        return self._slopes @ (weights if counts is None else weights * counts[self._after])

    def quadratic_gradient(self, columns: FloatArray) -> FloatArray:
        """Return for each parameter the sum of f'L^-1 dC L'^-1 f over the columns f.

        With T = L^-1, it is -2 f'dT L f.
        """
        changes = self._changes(self.colour(columns))
        return self._slopes @ (-2.0 * np.einsum("mj,mj->j", columns[:, self._after], changes))

    def tangents(self, column: FloatArray) -> FloatArray:
        """Return L^-1 dC L'^-1 f = -(dT L f + L'dT'f) of one column for each parameter."""
        change = self._changes(self.colour(column[None]))[0]
        own = column[self._after] / (self._s * self._s2)
        slopes = self._slopes
        found = np.zeros((len(slopes), len(column)))
        found[:, self._after] = slopes * (self._c * own)
        found[:, self._before] -= slopes * own
        found = self.colour_transposed(found)
        found[:, self._after] += slopes * change
        return -found

    def _changes(self, coloured: FloatArray) -> FloatArray:
        """Return what dT L f is for a change of each step by 1."""
        change = self._c * coloured[:, self._after] - coloured[:, self._before]
        change /= self._s * self._s2
        return change

    def _substituted(self, columns: FloatArray, *, lower: bool) -> FloatArray:
        """Solve with the unit bidiagonal matrix that has -c beside its diagonal."""
        n = columns.shape[1]
        beside = np.zeros(n)
        beside[self._after] = -self._c
        bands = np.ones((2, n))
        if lower:
            bands[1] = np.append(beside[self._order][1:], 0.0)
        else:
            bands[0] = beside[self._order]
        solved = solve_banded(
            (1, 0) if lower else (0, 1), bands, columns[:, self._order].T, check_finite=False
        )
        found = np.empty_like(columns)
        found[:, self._order] = solved.T
        return found
