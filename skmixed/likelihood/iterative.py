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
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.iterative_errors import IterativeErrors
from skmixed.likelihood.joined import alone
from skmixed.likelihood.kernel import ScoreTensors
from skmixed.likelihood.schur import CrossedColumns, SchurSystem, times_blocks
from skmixed.likelihood.single_factor import SingleFactorKernel, Whitened
from skmixed.likelihood.stochastic import (
    ERROR_REPLICATES,
    EXACT_TOLERANCE,
    PROBE_TOLERANCE,
    InverseEstimate,
    Probes,
    estimate_inverse,
    every_direction,
    random_probes,
)

__all__ = ["IterativeKernel", "IterativeWhitened"]

FloatArray = NDArray[np.float64]

# Smallest singular value of a relative covariance factor: a variance of its square moves nothing,
# and lets the score of a variance of 0 be found as that of any other.
LEAST = 1e-7
# A factor of larger condition number is turned to its principal axes.
WELL_CONDITIONED = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class IterativeWhitened:
    """Hold one evaluation of the kernel.

    Attributes
    ----------
    log_determinant : float
        log|V| + log|W|, estimated.
    log_determinant_error : float
        Its Monte-Carlo standard error.
    reduced : ndarray of shape (n_columns, n_columns)
        [X y]'V^-1 [X y].
    first : Whitened
        The evaluation of factor 1, with the columns [X y].
    system : SchurSystem
    right_hand_side, solution : ndarray of shape (n_other, n_columns)
        U'V_1^-1 [X y], and K times it.
    inverse : InverseEstimate
    """

    log_determinant: float
    log_determinant_error: float
    reduced: FloatArray
    first: Whitened
    system: SchurSystem
    right_hand_side: FloatArray
    solution: FloatArray
    inverse: InverseEstimate


class IterativeKernel:
    """Evaluate log|V| and [X y]'V^-1 [X y], and their derivatives, for two or more factors.

    Parameters
    ----------
    products : CrossProducts
        With the largest factor first.
    probes : Probes, optional
        Drawn with a fixed seed by default.
    """

    def __init__(self, products: CrossProducts, probes: Probes | None = None) -> None:
        self._single = [
            SingleFactorKernel(alone(products, j)) for j in range(len(products.factors))
        ]
        self._first = self._single[0]
        self._columns = CrossedColumns(products)
        self._probes = random_probes(self._columns.shapes) if probes is None else probes
        n_columns = len(products.AtWA)
        self._first_A = products.factors[0].ZtWA.transpose(1, 2, 0)
        self._other_A = np.concatenate(
            [factor.ZtWA.reshape(n_columns, -1).T for factor in products.factors[1:]]
        )
        self._first_ZtWZ = products.factors[0].ZtWZ

    @property
    def varies(self) -> list[NDArray[np.bool_]]:
        """Tell for each factor which effects vary within any of its levels."""
        return [varies for kernel in self._single for varies in kernel.varies]

    def refine(
        self, Z: Sequence[FloatArray], A: FloatArray, codes: Sequence[NDArray[np.intp]]
    ) -> None:
        """Leave the sums as they are: with several factors no part of V is free of theta."""

    @property
    def within_levels(self) -> tuple[float, float]:
        """Return the variation of y within the largest factor's levels, and its degrees."""
        return self._first.within_levels

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return the moments of each factor as if it were the only one."""
        return [moments for kernel in self._single for moments in kernel.second_moments(sigma2)]

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
        taken = times_blocks(self._shrinking(at.system), carried)
        return [
            of_first - taken.transpose(2, 0, 1),
            *(
                of_others[part].T.reshape(len(columns), k, n_levels)
                for part, (k, n_levels) in self._layout
            ),
        ]

    @property
    def _layout(self) -> list[tuple[slice, tuple[int, int]]]:
        """Return where each of the other factors stands in a vector, and its shape."""
        return list(zip(self._columns.parts, self._columns.shapes, strict=True))

    def _shrinking(self, system: SchurSystem) -> FloatArray:
        """Return I - Z_1'WZ_1 T of each level: it turns Z_1'WU into Z_1'V_1^-1 U."""
        taken = np.einsum("abg,bcg->acg", self._first_ZtWZ, system.T)
        return np.eye(len(taken))[:, :, None] - taken

    def score_tensors(
        self, at: IterativeWhitened, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return the gradient in each Psi, and the average information as curvature.

        The traces are estimated; the replicates of the gradient tell how well. The curvature is
        that of Gilmour, Thompson and Cullis (1995, equation 5), with sigma^2 profiled.
        """
        T = self.projected(at, mixing)
        weight = np.full(len(mixing), float(reml))
        weight[-1] = precision
        gradients, replicates = [], []
        for (spread, of_replicates), t in zip(self._spreads(at), T, strict=True):
            explained = np.einsum("iqg,irg->qr", weight[:, None, None] * t, t)
            gradients.append(spread - explained)
            replicates.append(of_replicates - explained)
        residuals = [t[-1] for t in T]
        hessian = self._average_information(at, mixing, residuals, nu=nu, precision=precision)
        return ScoreTensors(gradients, hessian, replicates, at.log_determinant_error)

    def _spreads(self, at: IterativeWhitened) -> list[tuple[FloatArray, FloatArray]]:
        """Return sum Z'V^-1 Z over the levels of each factor, and of each replicate.

        For factor 1 it is sum(Z_1'V_1^-1 Z_1 - E K E') with E = Z_1'V_1^-1 U of each level; for the
        others the sum of the blocks of S - S K S = S Lambda M^-1 Lambda^-1.
        """
        system, inverse = at.system, at.inverse
        effects = system.outward(inverse.left)
        carried = self._columns.to_first(effects)
        left = times_blocks(shrinking := self._shrinking(system), carried)
        right = times_blocks(shrinking, self._columns.to_first(system.outward(inverse.right)))
        own = np.einsum("qlg,rlg->qr", at.first.root, at.first.root)
        own -= np.einsum(
            "abg,bcg,dcg->ad", shrinking, self._carried_diagonal(system), shrinking, optimize=True
        )
        mean, replicates = inverse.replicated(_outer_sums(left, right))
        spreads = [(_symmetric(own - mean), _symmetric(own - replicates))]
        moved = system.schur_of(effects, carried)
        paired = system.unscaled(inverse.right)
        for j, (part, shape) in enumerate(self._layout):
            sums = _outer_sums(moved[part].reshape(*shape, -1), paired[part].reshape(*shape, -1))
            controlled = np.einsum(
                "abg,bcg,dcg->ad",
                system.diagonal[j],
                system.scaled[j],
                system.inverse_roots[j],
                optimize=True,
            )
            mean, replicates = inverse.replicated(sums)
            inverse_factor = np.linalg.solve(system.factors[j], np.eye(shape[0]))
            spreads.append(
                (
                    _symmetric((controlled + mean) @ inverse_factor),
                    _symmetric((controlled + replicates) @ inverse_factor),
                )
            )
        return spreads

    def _carried_diagonal(self, system: SchurSystem) -> FloatArray:
        """Return the blocks of Z_1'WU Lambda_U D^-1 Lambda_U'U'WZ_1 on the diagonal."""
        blocks = [np.einsum("acg,bcg->abg", scaled, scaled) for scaled in system.scaled]
        return self._columns.blocks_to_first(blocks)

    def _average_information(
        self,
        at: IterativeWhitened,
        mixing: FloatArray,
        residuals: list[FloatArray],
        *,
        nu: float,
        precision: float,
    ) -> FloatArray:
        """Return precision f_E'P f_F, less what profiling sigma takes, with f_E = Z E t."""
        system = at.system
        first, others = _entrywise(residuals[0]), self._other_directions(residuals[1:])
        n_first = first.shape[-1]
        of_first = times_blocks(self._shrinking(system).swapaxes(0, 1), first)
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
        information = gram - 0.5 * (taken + taken.T) - explained @ explained.T
        squares = np.concatenate([(t @ t.T).ravel() for t in residuals])
        return precision * information - precision**2 / nu * np.multiply.outer(squares, squares)

    def _other_directions(self, residuals: list[FloatArray]) -> FloatArray:
        """Return E t for each entry E of each Psi but the first, as columns."""
        counts = [k * k for k, _ in self._columns.shapes]
        directions = np.zeros((self._columns.length, sum(counts)))
        column = 0
        for part, t, count in zip(self._columns.parts, residuals, counts, strict=True):
            directions[part, column : column + count] = _entrywise(t).reshape(-1, count)
            column += count
        return directions

    def _error_probes(self) -> Probes:
        """Return the probes of the errors: every direction, if there are not more."""
        if self._columns.length <= ERROR_REPLICATES:
            return every_direction(self._columns.length)
        return random_probes(self._columns.shapes, ERROR_REPLICATES)

    def errors(self, at: IterativeWhitened, factors: Sequence[FloatArray]) -> IterativeErrors:
        """Estimate the covariance of the effects given the data and beta."""
        system = at.system
        inverse = estimate_inverse(system, self._error_probes())
        Psi = factors[0] @ factors[0].T
        mixer = np.einsum("ab,bcg->acg", Psi, self._shrinking(system))
        left, right = (
            times_blocks(mixer, self._columns.to_first(system.outward(side)))
            for side in (inverse.left, inverse.right)
        )
        diagonal = np.einsum(
            "abg,bcg,dcg->adg", mixer, self._carried_diagonal(system), mixer, optimize=True
        )
        first = _level_blocks(inverse, diagonal, left, right)
        blocks = [system.T.transpose(2, 0, 1) + _semidefinite(first)]
        low_rank = inverse.low_rank
        shared = [-times_blocks(mixer, self._columns.to_first(system.outward(low_rank)))]
        effects = [system.outward(side) for side in (inverse.left, inverse.right)]
        common = system.outward(low_rank)
        for j, (part, shape) in enumerate(self._layout):
            diagonal = np.einsum("acg,bcg->abg", system.scaled[j], system.scaled[j])
            left, right = (side[part].reshape(*shape, -1) for side in effects)
            varying = _range_of(factors[j + 1])
            own = _semidefinite(_level_blocks(inverse, diagonal, left, right))
            blocks.append(varying @ own @ varying)
            shared.append(np.tensordot(varying, common[part].reshape(*shape, -1), 1))
        return IterativeErrors(tuple(blocks), tuple(shared))


def _regular(Lambda: FloatArray) -> FloatArray:
    """Return a regular root of the same Psi, but for singular values below the least."""
    left, values, _ = np.linalg.svd(Lambda)
    if values[-1] * WELL_CONDITIONED >= values[0] and values[-1] >= LEAST:
        return Lambda
    return left * np.maximum(values, LEAST)


def _range_of(Lambda: FloatArray) -> FloatArray:
    """Return the projection on the effects that vary: the others got the least variance."""
    left, values, _ = np.linalg.svd(Lambda)
    return (left * (values > LEAST)) @ left.T


def _outer_sums(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the sums over the levels of the outer products of each pair of vectors: (m, k, k)."""
    if len(left) == 1:
        return np.einsum("gm,gm->m", left[0], right[0])[:, None, None]
    return np.einsum("agm,bgm->mab", left, right)


def _symmetric(matrices: FloatArray) -> FloatArray:
    """Return the symmetric parts over the last two axes."""
    return 0.5 * (matrices + matrices.swapaxes(-1, -2))


def _level_blocks(
    inverse: InverseEstimate, diagonal: FloatArray, left: FloatArray, right: FloatArray
) -> FloatArray:
    """Return the estimated blocks of each level without the shared directions: (n_levels, k, k)."""
    weights = inverse.weights.copy()
    n_probes = inverse.probes.columns.shape[1]
    weights[n_probes : n_probes + inverse.n_shifts] = 0.0
    blocks = diagonal + np.einsum("agm,bgm,m->abg", left, right, weights, optimize=True)
    return blocks.transpose(2, 0, 1)


def _semidefinite(blocks: FloatArray) -> FloatArray:
    """Return the nearest symmetric matrices without negative eigenvalues."""
    values, vectors = np.linalg.eigh(0.5 * (blocks + blocks.swapaxes(1, 2)))
    return (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(1, 2)


def _entrywise(t: FloatArray) -> FloatArray:
    """Return E_ab t for each entry (a, b), shape (k, n_levels, k * k): t_b in the place of a."""
    k, n_levels = t.shape
    entries = np.zeros((k, n_levels, k, k))
    for a in range(k):
        entries[a, :, a] = t.T
    return entries.reshape(k, n_levels, k * k)
