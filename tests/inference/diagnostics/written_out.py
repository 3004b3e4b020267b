"""Fitted models written out densely, every row as often as it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from inference.diagnostics.residual_models import errors_written_out
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class WrittenOut:
    """Hold X, y, the covariances V and R over sigma^2, and each factor's codes of the rows."""

    X: FloatArray
    y: FloatArray
    V: FloatArray
    R: FloatArray
    factors: dict[str, NDArray[np.intp]]
    nu: float
    rows: NDArray[np.intp]
    weights: FloatArray
    known_sigma: float | None

    def without(self, out: NDArray[np.bool_]) -> WrittenOut:
        """Return the rows that are left."""
        kept = ~out
        return replace(
            self,
            X=self.X[kept],
            y=self.y[kept],
            V=self.V[np.ix_(kept, kept)],
            R=self.R[np.ix_(kept, kept)],
            factors={name: codes[kept] for name, codes in self.factors.items()},
            nu=self.nu - out.sum(),
            rows=self.rows[kept],
            weights=self.weights[kept],
        )

    @property
    def unscaled_covariance(self) -> FloatArray:
        return np.linalg.inv(self.X.T @ np.linalg.solve(self.V, self.X))

    @property
    def projection(self) -> FloatArray:
        VX = np.linalg.solve(self.V, self.X)
        return np.linalg.inv(self.V) - VX @ self.unscaled_covariance @ VX.T

    @property
    def beta(self) -> FloatArray:
        return self.unscaled_covariance @ self.X.T @ np.linalg.solve(self.V, self.y)

    @property
    def residuals(self) -> FloatArray:
        return self.y - self.X @ self.beta

    @property
    def sigma(self) -> float:
        if self.known_sigma is not None:
            return self.known_sigma
        r = self.residuals
        return float(np.sqrt(r @ np.linalg.solve(self.V, r) / self.nu))


def written_out(results: MixedLMResults) -> WrittenOut:
    """Write a model out at its estimated theta."""
    design, fit = results.model.design, results.fit
    n = design.n_rows
    own, ones = design.weights, np.ones(n)
    weights = ones if own.precision is None else own.precision
    counts = (ones if own.repetitions is None else own.repetitions).astype(int)
    times = (ones if own.group_counts is None else own.group_counts).astype(int)
    copies = [(i, one) for i in range(n) for one in range(times[i]) for _ in range(counts[i])]
    rows, copy = np.array(copies).T
    X = np.column_stack([np.ones(n), design.fixed]) if design.intercept else design.fixed
    R = np.diag(1.0 / weights)
    if results.fit.residual is not None:
        R = errors_written_out(results) / np.sqrt(np.outer(weights, weights))
    again = (rows[:, None] == rows) & ~np.eye(len(rows), dtype=bool)
    R = np.where((copy[:, None] == copy) & ~again, R[np.ix_(rows, rows)], 0.0)
    V = R.copy()
    factors = {}
    for effects, block in zip(fit.random, design.blocks, strict=True):
        own = pd.factorize(block.factor.codes[rows] + len(block.factor.levels) * copy, sort=True)[0]
        U = block.columns[rows] @ effects.relative_factor
        V += np.where(own[:, None] == own, U @ U.T, 0.0)
        factors[block.factor.levels.name] = own
    if results.fit.residual is not None:
        people = results.data["person"].to_numpy()
        factors["person"] = pd.factorize(people[rows] + 1000 * copy, sort=True)[0]
    offset = 0.0 if design.offset is None else design.offset[rows]
    y = design.response[rows] - offset
    known = 1.0 if fit.residual is not None and fit.residual.fixes_sigma else None
    return WrittenOut(X[rows], y, V, R, factors, fit.nu, rows, weights[rows], known)
