"""Mixed models of several grouping factors written out densely, to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance

from .dense import structures

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]

LAYOUTS = (
    "crossed",
    "nested",
    "partly crossed",
    "three crossed",
    "three nested",
    "nested and crossed",
)


@dataclass(frozen=True)
class CrossedProblem:
    """Hold the rows of a model: X (n, p), y, and for each factor Z (n, k) and codes (n,)."""

    X: FloatArray
    y: FloatArray
    Z: tuple[FloatArray, ...]
    codes: tuple[Codes, ...]
    weights: FloatArray | None = None

    @property
    def n_levels(self) -> list[int]:
        return [int(codes.max()) + 1 for codes in self.codes]

    @property
    def sizes(self) -> list[int]:
        return [Z.shape[1] for Z in self.Z]

    @property
    def precision(self) -> FloatArray:
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @cached_property
    def spread(self) -> list[FloatArray]:
        """Return Z of each factor, spread over its levels."""
        return list(map(spread, self.Z, self.codes, self.n_levels))

    def of_factors(self, positions: Sequence[int]) -> CrossedProblem:
        """Return the same rows with some of the factors, in that order."""
        return replace(
            self,
            Z=tuple(self.Z[j] for j in positions),
            codes=tuple(self.codes[j] for j in positions),
        )


class DenseEvaluation:
    """Evaluate the textbook formulas from V itself at one relative covariance Psi per factor."""

    def __init__(self, problem: CrossedProblem, Psi: Sequence[FloatArray], *, reml: bool) -> None:
        X, y = problem.X, problem.y
        n, p = X.shape
        self.problem = problem
        self.Psi = [np.kron(np.eye(g), P) for g, P in zip(problem.n_levels, Psi, strict=True)]
        V = np.diag(1.0 / problem.precision)
        for Z, P in zip(problem.spread, self.Psi, strict=True):
            V += Z @ P @ Z.T
        self.V_inverse = np.linalg.inv(V)
        self.unscaled_covariance = np.linalg.inv(X.T @ self.V_inverse @ X)
        self.beta = self.unscaled_covariance @ X.T @ self.V_inverse @ y
        VX = self.V_inverse @ X
        self.P = self.V_inverse - VX @ self.unscaled_covariance @ VX.T
        self.nu = n - p * reml
        self.sigma2 = float(y @ self.P @ y) / self.nu
        self.minus_two_log_likelihood = np.linalg.slogdet(V)[1] + self.nu * (
            1.0 + np.log(2.0 * np.pi * self.sigma2)
        )
        if reml:
            self.minus_two_log_likelihood -= np.linalg.slogdet(self.unscaled_covariance)[1]

    @property
    def modes(self) -> list[FloatArray]:
        """Return Psi Z'P y of each factor, (n_levels, k)."""
        scores = self.P @ self.problem.y
        return [
            (P @ Z.T @ scores).reshape(-1, k)
            for P, Z, k in zip(self.Psi, self.problem.spread, self.problem.sizes, strict=True)
        ]

    def conditional_covariance(self) -> FloatArray:
        """Return the covariance of all effects given y and beta, relative to sigma^2."""
        Psi = block_diagonal(self.Psi)
        ZPsi = np.hstack(self.problem.spread) @ Psi
        return Psi - ZPsi.T @ self.V_inverse @ ZPsi

    def average_information(self, changes: Sequence[FloatArray]) -> float:
        """Return y'P dV P dV P y less the part of sigma, for dPsi of each factor, over sigma^2."""
        dV = sum(
            Z @ np.kron(np.eye(g), d) @ Z.T
            for Z, g, d in zip(self.problem.spread, self.problem.n_levels, changes, strict=True)
        )
        Py = self.P @ self.problem.y
        moved = dV @ Py
        return float(moved @ self.P @ moved - (Py @ moved) ** 2 / (self.nu * self.sigma2)) / (
            self.sigma2
        )


def make_crossed(
    layout: str, n_effects: int | Sequence[int] = 1, *, weighted: bool = False, seed: int = 0
) -> CrossedProblem:
    """Simulate a model of two or three factors, the one of most levels first."""
    rng = np.random.default_rng(seed)
    n = 70
    codes = _codes(layout, n, rng)
    sizes = [n_effects] * len(codes) if isinstance(n_effects, int) else list(n_effects)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    Z = tuple(X[:, :k].copy() for k in sizes)
    y = X @ [1.0, 2.0, -1.0, 0.5] + rng.normal(size=n)
    for columns, code in zip(Z, codes, strict=True):
        effects = rng.normal(size=(code.max() + 1, columns.shape[1]))
        y += np.sum(columns * effects[code], axis=1)
    return CrossedProblem(X, y, Z, codes, rng.uniform(0.3, 3.0, n) if weighted else None)


def joint_structure(name: str, sizes: Sequence[int]) -> JointCovariance:
    """Return one structure for all factors, or ``"mixed"``: another one for each."""
    if name != "mixed":
        return JointCovariance(tuple(structures(k)[name] for k in sizes))
    names = ["unstructured", "diagonal", "identity"]
    return JointCovariance(tuple(structures(k)[names[j]] for j, k in enumerate(sizes)))


def some_theta(covariance: JointCovariance) -> FloatArray:
    return np.random.default_rng(7).uniform(0.3, 1.2, covariance.n_parameters)


def relative_covariances(covariance: JointCovariance, theta: FloatArray) -> list[FloatArray]:
    """Return Psi of each factor."""
    return [Lambda @ Lambda.T for Lambda in covariance.relative_factors(theta)]


def spread(Z: FloatArray, codes: Codes, n_levels: int) -> FloatArray:
    """Spread columns over levels, (n, n_levels * k); a code that is no level has zeros."""
    n, k = Z.shape
    whole = np.zeros((n, n_levels, k))
    known = np.flatnonzero(codes < n_levels)
    whole[known, codes[known]] = Z[known]
    return whole.reshape(n, n_levels * k)


def henderson_inverse(problem: CrossedProblem, factors: Sequence[FloatArray]) -> FloatArray:
    """Return the covariance of (beta_hat - beta, b_hat - b) of all factors over sigma^2.

    It is the inverse of Henderson's mixed-model equations (1975) in u, with b = Lambda u: a
    singular covariance is no exception then.
    """
    Lambda = block_diagonal(
        [np.kron(np.eye(g), factor) for g, factor in zip(problem.n_levels, factors, strict=True)]
    )
    p = problem.X.shape[1]
    columns = np.hstack([problem.X, np.hstack(problem.spread) @ Lambda])
    matrix = columns.T @ (problem.precision[:, None] * columns)
    matrix[p:, p:] += np.eye(len(Lambda))
    back = block_diagonal([np.eye(p), Lambda])
    return back @ np.linalg.inv(matrix) @ back.T


def block_diagonal(blocks: Sequence[FloatArray]) -> FloatArray:
    """Put blocks along the diagonal of a matrix of zeros."""
    whole = np.zeros((sum(map(len, blocks)),) * 2)
    start = 0
    for block in blocks:
        whole[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return whole


def _codes(layout: str, n: int, rng: np.random.Generator) -> tuple[Codes, ...]:
    """Return the levels of each row; every level occurs."""
    fine = _every_level(14, n, rng)
    if layout == "crossed":
        return fine, _every_level(5, n, rng)
    if layout == "nested":
        return fine, fine % 4
    if layout == "partly crossed":
        return fine, np.where(rng.uniform(size=n) < 0.2, _every_level(4, n, rng), fine % 4)
    if layout == "three crossed":
        return fine, _every_level(5, n, rng), _every_level(3, n, rng)
    if layout == "nested and crossed":
        return fine, _every_level(5, n, rng), fine % 4
    return fine, fine % 6, fine % 3


def _every_level(n_levels: int, n: int, rng: np.random.Generator) -> Codes:
    """Draw levels of unequal size, each at least once, the last one once only."""
    weights = np.linspace(1.0, 3.0, n_levels - 1)
    rest = rng.choice(n_levels - 1, size=n - n_levels, p=weights / weights.sum())
    return rng.permutation(np.concatenate([np.arange(n_levels), rest]))
