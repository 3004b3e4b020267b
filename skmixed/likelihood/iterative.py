"""The kernel of crossed factors that are too large for a dense Schur complement.

As in the kernel of several factors, V^-1 = V_1^-1 - V_1^-1 U K U'V_1^-1 with
K = Lambda_U M^-1 Lambda_U'. But M is never formed: systems are solved by conjugate gradients, and
log|M| and the traces of the score are estimated from random probes. What depends on [X y] alone,
beta and the modes, is as exact as the solutions are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.conjugate_gradients import conjugate_gradients
from skmixed.likelihood.crossed_columns import CrossedColumns, times_blocks
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.iterative_errors import IterativeErrors, iterative_errors
from skmixed.likelihood.kernel import ScoreTensors
from skmixed.likelihood.schur import LEAST, SchurSystem
from skmixed.likelihood.several import (
    SeveralFactors,
    entrywise,
    explained_by,
    profiled_information,
)
from skmixed.likelihood.single_factor import Whitened
from skmixed.likelihood.stochastic import (
    EXACT_TOLERANCE,
    PROBE_TOLERANCE,
    REPLICATES,
    InverseEstimate,
    Probes,
    error_probes,
    estimate_inverse,
    random_probes,
)
from skmixed.likelihood.traces import first_trace, other_traces

__all__ = ["IterativeKernel", "IterativeWhitened"]

FloatArray = NDArray[np.float64]

# A factor of larger condition number is turned to its principal axes.
WELL_CONDITIONED = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class IterativeWhitened:
    """Hold one evaluation of the kernel, whose log-determinant is estimated."""

    log_determinant: float  # log|V| + log|W|
    log_determinant_error: float  # Monte-Carlo standard error.
    reduced: FloatArray  # [X y]'V^-1 [X y]
    first: Whitened  # Of factor 1, with the columns [X y].
    system: SchurSystem
    right_hand_side: FloatArray  # (n_other, n_columns): U'V_1^-1 [X y]
    solution: FloatArray  # K times it.
    inverse: InverseEstimate


class IterativeKernel(SeveralFactors):
    """Evaluate log|V| and [X y]'V^-1 [X y], and their derivatives, for two or more factors.

    The largest comes first; probes are drawn with a fixed seed, if they are not given.
    """

    def __init__(self, products: CrossProducts, probes: Probes | None = None) -> None:
        super().__init__(products)
        self._first = self._single[0]
        self._columns = CrossedColumns(products)
        self._probes = random_probes(self._columns.shapes) if probes is None else probes
        n_columns = len(products.AtWA)
        self._first_A = products.factors[0].ZtWA.transpose(1, 2, 0)
        self._other_A = np.concatenate(
            [factor.ZtWA.reshape(n_columns, -1).T for factor in products.factors[1:]]
        )

    def draw_probes(self, times: int) -> None:
        """Estimate from that many times as many probes from here on."""
        self._probes = random_probes(self._columns.shapes, times * REPLICATES)

    def whiten(self, factors: Sequence[FloatArray]) -> IterativeWhitened:
        """Evaluate the kernel at the relative covariance factors, one for each grouping factor."""
        first = self._first.whiten(factors[:1])
        system = SchurSystem.at(
            self._columns, self._first.R, [factors[0], *map(_regular, factors[1:])]
        )
        b = self._other_A - self._columns.from_first(times_blocks(system.T, self._first_A))
        solution = self._solve(system, b, EXACT_TOLERANCE)
        inverse = estimate_inverse(system, self._probes)
        logs = inverse.log_determinants
        explained = b.T @ solution
        return IterativeWhitened(
            log_determinant=first.log_determinant + system.log_determinant + float(logs.mean()),
            log_determinant_error=float(logs.std(ddof=1) / np.sqrt(len(logs))),
            reduced=first.reduced - 0.5 * (explained + explained.T),
            first=first,
            system=system,
            right_hand_side=b,
            solution=solution,
            inverse=inverse,
        )

    def _solve(self, system: SchurSystem, b: FloatArray, tolerance: float) -> FloatArray:
        """Return K b."""
        inward = system.inward(b)
        return system.outward(conjugate_gradients(system.multiply, inward, tolerance=tolerance).X)

    def projected(self, at: IterativeWhitened, columns: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 [X y] columns' of each factor, each of shape (n_mixed, k, n_levels).

        Since V^-1 A = V_1^-1 (A - U K U'V_1^-1 A), it is Z_1'V_1^-1 A less Z_1'V_1^-1 U times the
        solution for factor 1, and the residual of the solution for the others.
        """
        solution = at.solution @ columns.T
        carried = self._columns.to_first(solution)
        of_others = at.right_hand_side @ columns.T - at.system.schur_of(solution, carried)
        (of_first,) = self._first.projected(at.first, columns)
        taken = times_blocks(at.system.shrinking, carried)
        return [
            of_first - taken.transpose(2, 0, 1),
            *(part.transpose(2, 0, 1) for part in self._columns.split(of_others)),
        ]

    def score_tensors(
        self, at: IterativeWhitened, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return the gradient in each Psi, and the average information as curvature.

        The traces are estimated; the replicates of the gradient tell how well.
        """
        T = self.projected(at, mixing)
        traces = [
            first_trace(at.system, at.inverse, at.first.root),
            *other_traces(at.system, at.inverse),
        ]
        explained = explained_by(T, reml, precision)
        information = self._average_information(at, mixing, [t[-1] for t in T])
        return ScoreTensors(
            [trace.mean - own for trace, own in zip(traces, explained, strict=True)],
            profiled_information(information, T, nu, precision),
            [trace.replicates - own for trace, own in zip(traces, explained, strict=True)],
            at.log_determinant_error,
        )

    def _average_information(
        self, at: IterativeWhitened, mixing: FloatArray, residuals: list[FloatArray]
    ) -> FloatArray:
        """Return f_E'P f_F with f_E = Z E t, for the entries E of all Psi."""
        system = at.system
        first = entrywise(residuals[0]).transpose(1, 2, 0)
        others = self._other_directions(residuals[1:])
        n_first = first.shape[-1]
        of_first = times_blocks(system.shrinking.swapaxes(0, 1), first)
        moved = system.schur(others)
        h = np.concatenate([self._columns.from_first(of_first), moved], axis=1)
        root = at.first.root
        within = np.einsum("rlg,rgm->lgm", root, first).reshape(-1, n_first)
        gram = np.empty((h.shape[1],) * 2)
        gram[:n_first, :n_first] = within.T @ within
        gram[:, n_first:] = h.T @ others
        gram[n_first:, :n_first] = gram[:n_first, n_first:].T
        taken = h.T @ self._solve(system, h, PROBE_TOLERANCE)
        of_A = np.concatenate(
            [
                first.reshape(-1, n_first).T
                @ self._first.projected_columns(at.first).reshape(len(mixing), -1).T,
                others.T @ at.right_hand_side,
            ]
        )
        explained = (of_A - h.T @ at.solution) @ mixing[:-1].T
        return np.asarray(gram - 0.5 * (taken + taken.T) - explained @ explained.T)

    def _other_directions(self, residuals: list[FloatArray]) -> FloatArray:
        """Return E t for each entry E of each Psi but the first, as columns."""
        counts = [k * k for k, _ in self._columns.shapes]
        directions = np.zeros((self._columns.length, sum(counts)))
        column = 0
        for part, t, count in zip(self._columns.parts, residuals, counts, strict=True):
            directions[part, column : column + count] = entrywise(t).reshape(count, -1).T
            column += count
        return directions

    def errors(self, at: IterativeWhitened, factors: Sequence[FloatArray]) -> IterativeErrors:
        """Estimate the covariance of the effects given the data and beta."""
        inverse = estimate_inverse(at.system, error_probes(self._columns.shapes))
        return iterative_errors(at.system, inverse, factors)


def _regular(Lambda: FloatArray) -> FloatArray:
    """Return a regular root of the same Psi: the symmetric one, free of signs and rotations."""
    left, values, _ = np.linalg.svd(Lambda)
    if values[-1] * WELL_CONDITIONED >= values[0] and values[-1] >= LEAST:
        return Lambda
    return (left * np.maximum(values, LEAST)) @ left.T
