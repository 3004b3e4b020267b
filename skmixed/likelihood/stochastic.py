"""The inverse and the log-determinant of the preconditioned system, estimated from random probes.

Let Q be an orthonormal basis of directions that are solved exactly, and R what is left of M~^-1
when W W' = M~^-1 Q (Q'M~^-1 Q)^-1 Q'M~^-1 is taken from it, so that R vanishes on Q. For a random z
with E[z z'] = I and P = I - Q Q',

    M~^-1 = I - Q Q' + W W' + E[(R z - P z) (P z)'],    R = P (P M~ P)^+ P,

where only the last term is estimated. M~ has the identity as its blocks on the diagonal, so that R
is close to P: I is the control variate, and Q holds what it cannot control. A trace of M~^-1 with
any matrix is the sum of that matrix over these pairs of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from skmixed.likelihood.conjugate_gradients import conjugate_gradients
from skmixed.likelihood.threads import one_thread

__all__ = [
    "InverseEstimate",
    "Preconditioned",
    "Probes",
    "error_probes",
    "estimate_inverse",
    "every_direction",
    "random_probes",
]

FloatArray = NDArray[np.float64]

# Every fit draws the same probes: its results can be repeated.
SEED = 20240229
# The Monte-Carlo error of theta is below its standard error over the root of their number.
REPLICATES = 16
# More of them for the errors of the modes, level by level, where less is averaged.
ERROR_REPLICATES = 64
# Of the solutions for the probes; far below their Monte-Carlo error.
PROBE_TOLERANCE = 1e-5
# Of the solutions that are not averaged.
EXACT_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Hold random vectors with E[z z'] = I, in independent replicates.

    The vectors of one replicate stand side by side; the mean of their z z' has the expectation I.
    """

    columns: FloatArray
    n_replicates: int

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the mean of values of all vectors over each replicate: first axis."""
        return values.reshape(self.n_replicates, -1, *values.shape[1:]).mean(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class InverseEstimate:
    """Hold M~^-1 as I + sum of weight left right' over pairs of vectors, and log|M~|.

    The pairs, in columns, are those of the probes, then W twice, then Q twice.
    """

    left: FloatArray
    right: FloatArray
    probes: Probes
    n_exact: int  # Number of columns of Q.
    log_determinants: FloatArray  # Independent unbiased estimates of log|M~|.

    @property
    def low_rank(self) -> FloatArray:
        """Return W."""
        n_probes = self.probes.columns.shape[1]
        return self.left[:, n_probes : n_probes + self.n_exact]

    @property
    def weights(self) -> FloatArray:
        """Return the weight of each pair."""
        n_probes = self.probes.columns.shape[1]
        r = self.n_exact
        return np.concatenate([np.full(n_probes, 1.0 / n_probes), np.ones(r), -np.ones(r)])

    def replicated(self, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the estimate of a trace from its sums over the pairs, and of each replicate."""
        n_probes = self.probes.columns.shape[1]
        exact = np.tensordot(self.weights[n_probes:], sums[n_probes:], 1)
        replicates = exact + self.probes.mean(sums[:n_probes])
        return replicates.mean(axis=0), replicates


def every_direction(length: int) -> Probes:
    """Return vectors whose mean z z' is I itself: what is estimated from them is exact."""
    return Probes(np.sqrt(length) * np.eye(length), length)


def random_probes(shapes: list[tuple[int, int]], n_replicates: int = REPLICATES) -> Probes:
    """Draw vectors of random signs, each in one effect of one factor only.

    Where the variance of one effect tends to 0, what it shares with the others would drown its own
    part. The shapes are the effects and levels of the factors.
    """
    n_sets = sum(k for k, _ in shapes)
    generator = np.random.default_rng(SEED)
    parts = []
    first = 0
    for k, n_levels in shapes:
        signs = generator.integers(0, 2, size=(k, n_levels, n_replicates)) * 2.0 - 1.0
        part = np.zeros((k, n_levels, n_replicates, n_sets))
        effects = np.arange(k)
        part[effects, :, :, first + effects] = np.sqrt(n_sets) * signs
        parts.append(part.reshape(k * n_levels, n_replicates * n_sets))
        first += k
    return Probes(np.concatenate(parts), n_replicates)


def error_probes(shapes: list[tuple[int, int]]) -> Probes:
    """Return the probes for errors of single levels: every direction, if there are not more."""
    length = sum(k * n_levels for k, n_levels in shapes)
    if length <= ERROR_REPLICATES:
        return every_direction(length)
    return random_probes(shapes, ERROR_REPLICATES)


class Preconditioned(Protocol):
    """The system M~, whose blocks on the diagonal are identities."""

    def multiply(self, x: FloatArray) -> FloatArray:
        """Return M~ x for x of shape (n, m)."""
        ...

    def exact_directions(self) -> FloatArray:
        """Return Q, of shape (n, r)."""
        ...


def estimate_inverse(system: Preconditioned, probes: Probes) -> InverseEstimate:
    """Solve for the probes and the exact directions."""
    Q = system.exact_directions()
    of_exact = conjugate_gradients(system.multiply, Q, tolerance=EXACT_TOLERANCE)
    with one_thread():
        L, W = _low_rank(Q, of_exact.X)
        projected = _without(Q, probes.columns)
        of_probes = conjugate_gradients(
            lambda X: _without(Q, system.multiply(X)), projected, tolerance=PROBE_TOLERANCE
        )
    rest = of_probes.X - projected
    # log|M~| = log|P M~ P| on what is orthogonal to Q, less log|Q'M~^-1 Q|. The first-order term
    # of log(I + N) = N - N^2 / 2 + ... is known: N = M~ - I has the trace 0.
    exact = -2.0 * np.log(L.diagonal()).sum() - (of_exact.forms() - 1.0).sum()
    uncontrolled = of_probes.log_forms() - (of_probes.forms() - of_probes.squared_norms)
    return InverseEstimate(
        np.concatenate([rest, W, Q], axis=1),
        np.concatenate([projected, W, Q], axis=1),
        probes,
        Q.shape[1],
        exact + probes.mean(uncontrolled),
    )


def _without(Q: FloatArray, X: FloatArray) -> FloatArray:
    """Return (I - Q Q') X."""
    return X - Q @ (Q.T @ X)


def _low_rank(Q: FloatArray, solved: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return L and W, with L L' = Q'H and W W' = H (Q'H)^-1 H', H = M~^-1 Q."""
    middle = Q.T @ solved
    L: FloatArray = cholesky(0.5 * (middle + middle.T), lower=True)
    return L, np.ascontiguousarray(solve_triangular(L, solved.T, lower=True).T)
