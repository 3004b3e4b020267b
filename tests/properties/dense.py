"""Linear mixed models written out densely, as in a textbook, to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import STRUCTURES, CompoundSymmetry, DirectSum

FloatArray = NDArray[np.float64]

# Singletons, groups smaller than the number of effects, and larger ones.
SIZES = (1, 1, 2, 3, 9, 5, 12, 7)


@dataclass(frozen=True)
class Problem:
    """Hold the rows of a model: X (n, p), Z (n, k), y, the level of each row, and weights."""

    X: FloatArray
    Z: FloatArray
    y: FloatArray
    codes: NDArray[np.intp]
    weights: FloatArray | None = None
    multiplicity: FloatArray | None = None

    @property
    def n_levels(self) -> int:
        return int(self.codes.max()) + 1

    def written_out(self) -> Problem:
        """Return the same model with every group as often as it counts, under new codes."""
        if self.multiplicity is None:
            return self
        rows, codes = [], []
        for level, times in enumerate(self.multiplicity.astype(int)):
            for _ in range(times):
                rows.append(np.flatnonzero(self.codes == level))
                codes.append(np.full(len(rows[-1]), len(codes)))
        kept = np.concatenate(rows)
        return Problem(
            self.X[kept],
            self.Z[kept],
            self.y[kept],
            np.concatenate(codes),
            None if self.weights is None else self.weights[kept],
        )


@dataclass(frozen=True)
class DenseSolution:
    """Hold what the textbook formulas give at one relative covariance Psi."""

    minus_two_log_likelihood: float
    beta: FloatArray
    unscaled_covariance: FloatArray
    sigma2: float
    modes: FloatArray
    conditional_covariance: FloatArray


def make_problem(seed: int = 0, *, n_effects: int = 3, kind: str = "plain") -> Problem:
    """Simulate a model with groups of very unequal size; kind names the weights it has."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    n = len(codes)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    Z = X[:, :n_effects].copy()
    effects = rng.normal(size=(len(SIZES), n_effects))
    y = X @ [1.0, 2.0, -1.0, 0.5] + np.sum(Z * effects[codes], axis=1) + rng.normal(size=n)
    problem = Problem(X, Z, y, codes)
    if kind in ("weights", "both"):
        problem = replace(problem, weights=rng.uniform(0.3, 3.0, n))
    if kind in ("multiplicity", "both"):
        problem = replace(problem, multiplicity=rng.integers(1, 4, len(SIZES)).astype(float))
    return problem


def structures(n_effects: int) -> dict[str, DirectSum]:
    """Return every registered structure for so many effects, and sums of them."""
    every = STRUCTURES | {"equal compound_symmetry": CompoundSymmetry(equal_variances=True)}
    known = {name: DirectSum((s,), (n_effects,)) for name, s in every.items()}
    if n_effects > 1:
        for name, s in every.items():
            known[f"intercept+{name}"] = DirectSum((STRUCTURES["identity"], s), (1, n_effects - 1))
    return known


def solve_densely(problem: Problem, Psi: FloatArray, *, reml: bool) -> DenseSolution:
    """Evaluate likelihood, beta and effects from V itself, with sigma profiled out."""
    full = problem.written_out()
    X, Z, y, codes = full.X, full.Z, full.y, full.codes
    n, p = X.shape
    weights = np.ones(n) if full.weights is None else full.weights
    same = codes[:, None] == codes[None, :]
    V = np.diag(1.0 / weights) + np.where(same, Z @ Psi @ Z.T, 0.0)
    VX, Vy = np.linalg.solve(V, X), np.linalg.solve(V, y)
    information = X.T @ VX
    beta = np.linalg.solve(information, X.T @ Vy)
    residual = y - X @ beta
    Vr = np.linalg.solve(V, residual)
    nu = n - p * reml
    r2 = residual @ Vr
    value = np.linalg.slogdet(V)[1] + nu * (1.0 + np.log(2.0 * np.pi * r2 / nu))
    if reml:
        value += np.linalg.slogdet(information)[1]
    modes, conditional = [], []
    for level in range(codes.max() + 1):
        rows = codes == level
        modes.append(Psi @ Z[rows].T @ Vr[rows])
        ZV = np.linalg.solve(V[np.ix_(rows, rows)], Z[rows] @ Psi)
        conditional.append(Psi - Psi @ Z[rows].T @ ZV)
    return DenseSolution(
        float(value),
        beta,
        np.linalg.inv(information),
        float(r2 / nu),
        np.array(modes),
        np.array(conditional),
    )


def henderson_inverse(problem: Problem, factor: FloatArray) -> FloatArray:
    """Return the covariance of (beta_hat - beta, b_hat - b) relative to sigma^2.

    It is the inverse of Henderson's mixed-model equations (1975) in u, with b = factor u: a
    singular covariance is no exception then.
    """
    full = problem.written_out()
    n, k = full.Z.shape
    n_levels = full.n_levels
    p = full.X.shape[1]
    spread = np.zeros((n, n_levels * k))
    for row, code in enumerate(full.codes):
        spread[row, code * k : (code + 1) * k] = full.Z[row] @ factor
    columns = np.hstack([full.X, spread])
    weights = np.ones(n) if full.weights is None else full.weights
    matrix = columns.T @ (weights[:, None] * columns)
    matrix[p:, p:] += np.eye(n_levels * k)
    back = np.eye(p + n_levels * k)
    back[p:, p:] = np.kron(np.eye(n_levels), factor)
    return back @ np.linalg.inv(matrix) @ back.T
