"""R^-1 as a sum of known matrices with coefficients that depend on rho."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmixed.residual.cliques import Cliques
from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.differentiation import central_differences
from skmixed.residual.learned import LearnedResidual

__all__ = ["Precision", "PrecisionAt"]

FloatArray = NDArray[np.float64]


class Precision:
    """Map rho to the coefficients c of R^-1 = sum_m c_m B_m, and to log|R|.

    B_m sums over the cliques of one pattern: 1 at one entry of K, and at its mirror image.

    Parameters
    ----------
    counts : ndarray of shape (n,) or None
        How many times each row counts.
    """

    def __init__(
        self, learned: LearnedResidual, cliques: Sequence[Cliques], counts: FloatArray | None
    ) -> None:
        self._learned = learned
        pairs = [(one, one.counts(counts)) for one in cliques]
        self.n_correlations = learned.n_arms * learned.n_correlations
        # A row alone has nothing to be correlated with: its K is 1, but for its variance.
        self._correlated = [(one, own) for one, own in pairs if one.rows.shape[1] > 1]
        ends = np.cumsum([one.n_classes for one in cliques])
        self.places = [
            slice(end - one.n_classes, end)
            for one, end in zip(cliques, ends, strict=True)
            if one.rows.shape[1] > 1
        ]
        # Derivatives of -log c_m, and of log|R|, in the parameters of the standard deviations.
        self.slopes = np.concatenate([one.entry_slopes for one in cliques], axis=1)
        # A conditional clique's first row is in an earlier one.
        new = [(one.slopes[..., int(one.conditional) :], own) for one, own in pairs]
        self.deviation_gradient = 2.0 * sum(slopes.sum(axis=2) @ own for slopes, own in new)

    def at(self, rho: FloatArray) -> PrecisionAt:
        """Return the coefficients at one rho."""
        correlations = CorrelationsAt(self._learned, rho)
        matrices = [
            _CliqueMatrices.of(correlations, one, counts) for one, counts in self._correlated
        ]
        logs = rho[self.n_correlations :]
        log_determinant = sum(one.log_determinant for one in matrices)
        log_determinant += float(self.deviation_gradient @ logs)
        scale = np.exp(-(logs @ self.slopes))
        coefficients = scale.copy()
        for one, own in zip(matrices, self.places, strict=True):
            coefficients[own] *= one.entries
        return PrecisionAt(self, rho, correlations, matrices, scale, coefficients, log_determinant)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionAt:
    """Hold the coefficients of R^-1 at one rho, and log|R|.

    Attributes
    ----------
    scale : ndarray of shape (n_classes,)
        The inverse products of the standard deviations of the two rows of each entry.
    """

    precision: Precision
    rho: FloatArray
    correlations: CorrelationsAt
    matrices: list[_CliqueMatrices]
    scale: FloatArray
    coefficients: FloatArray
    log_determinant: float

    def jacobian(self) -> FloatArray:
        """Return the derivatives of the coefficients, (n_rho, n_classes)."""
        own = self.precision
        found = np.zeros((len(self.rho), len(self.coefficients)))
        np.multiply(own.slopes, -self.coefficients, out=found[own.n_correlations :])
        for one, place in zip(self.matrices, own.places, strict=True):
            found[: own.n_correlations, place] = one.entry_derivatives() * self.scale[place]
        return found

    def gradient(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of sum_m weights_m c_m + log|R| in rho."""
        own = self.precision
        found = np.zeros(len(self.rho))
        found[own.n_correlations :] = own.deviation_gradient - own.slopes @ (
            weights * self.coefficients
        )
        for one, part in self._with_parts(weights):
            found[: own.n_correlations] += one.gradient(part)
        return found

    def hessian(self, weights: FloatArray, jacobian: FloatArray) -> FloatArray:
        """Return the second derivatives of sum_m weights_m c_m + log|R|, (n_rho, n_rho)."""
        m = self.precision.n_correlations
        found = np.zeros((len(self.rho), len(self.rho)))
        found[m:] = -(self.precision.slopes * weights) @ jacobian.T
        found[:m, m:] = found[m:, :m].T
        pairs = self._with_parts(weights)
        for one, part in pairs:
            found[:m, :m] += one.hessian(part)
        if pairs:
            found[:m, :m] += self._bend([one.net(part) for one, part in pairs])
        return found

    def _with_parts(self, weights: FloatArray) -> list[tuple[_CliqueMatrices, FloatArray]]:
        """Return the matrices of each size with their weights, those of correlations alone."""
        places = self.precision.places
        return [
            (one, weights[place] * self.scale[place])
            for one, place in zip(self.matrices, places, strict=True)
        ]

    def _bend(self, nets: list[FloatArray]) -> FloatArray:
        """Return the second derivatives of sum tr(net C) in rho, the nets constant.

        Unless C is linear in natural parameters, they are differences of the exact first ones.
        """
        m, learned = self.precision.n_correlations, self.correlations.learned
        if learned.correlation is not None and learned.correlation.linear:
            here = self.correlations
            curvature = learned.correlation.natural_curvature
            parts = zip(here.contracted(self._sloped(here, nets)), here.of_arms, strict=True)
            return np.asarray(block_diag(*(curvature(s, one, learned.axis) for s, one in parts)))

        def slopes(free: FloatArray) -> FloatArray:
            there = CorrelationsAt(learned, np.append(free, self.rho[m:]))
            return there.gradient(self._sloped(there, nets))

        found = central_differences(slopes, self.rho[:m])
        return 0.5 * (found + found.T)

    def _sloped(
        self, at: CorrelationsAt, nets: list[FloatArray]
    ) -> Iterator[tuple[NDArray[np.intp], FloatArray, FloatArray]]:
        """Yield what sums of tr(net dC) at some rho are made of."""
        for one, net in zip(self.matrices, nets, strict=True):
            arms = one.cliques.arms
            yield arms, at.slopes(one.cliques.positions, arms), net


@dataclass(frozen=True, slots=True, eq=False)
class _CliqueMatrices:
    """Hold K of the patterns of cliques of several rows, as if all variances were 1.

    The inverse is C^-1 of each pattern, C the correlations; moved, (n_correlations, n_patterns,
    n_rows, n_rows), is C^-1 dC. Weights, (n_classes,), are those of the lower triangles of K.
    """

    cliques: Cliques
    counts: FloatArray
    inverse: FloatArray
    moved: FloatArray
    log_determinant: float

    @classmethod
    def of(
        cls, correlations: CorrelationsAt, cliques: Cliques, counts: FloatArray
    ) -> _CliqueMatrices:
        """Compute the inverses."""
        at = cliques.positions, cliques.arms
        C = correlations.matrices(*at)
        root = np.linalg.cholesky(C)
        half = np.linalg.solve(root, np.eye(C.shape[1]))
        inverse = half.swapaxes(1, 2) @ half
        pivots = np.log(np.einsum("ptt->pt", root)).sum(axis=1)
        moved = inverse @ correlations.derivatives(*at)
        return cls(cliques, counts, inverse, moved, 2.0 * float(counts @ pivots))

    @property
    def entries(self) -> FloatArray:
        """Return the lower triangles of K, (n_patterns * n_entries,)."""
        s, t = self.cliques.entries
        entries = self.inverse[:, s, t]
        if self.cliques.conditional:
            entries[:, 0] -= 1.0
        return entries.ravel()

    def entry_derivatives(self) -> FloatArray:
        """Return the derivatives of the lower triangles, (n_correlations, n_classes)."""
        s, t = self.cliques.entries
        found = -(self.moved @ self.inverse)[..., s, t]
        return found.reshape(len(found), self.cliques.n_classes)

    def net(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of sum weights K + log|C| in C, (n_patterns, n_rows, n_rows)."""
        return self.counts[:, None, None] * self.inverse - self._inner(weights) @ self.inverse

    def gradient(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of sum weights K + log|C| in the correlations."""
        own = self._counted_unit() - self._inner(weights)
        return np.asarray(self._flat() @ own.swapaxes(1, 2).ravel())

    def hessian(self, weights: FloatArray) -> FloatArray:
        """Return the second derivatives of sum weights K + log|C|, as if C were linear."""
        half = 2.0 * self._inner(weights) - self._counted_unit()
        left = (self.moved @ half).swapaxes(2, 3)
        whole = left.reshape(len(left), -1) @ self._flat().T
        return np.asarray(0.5 * (whole + whole.T))

    def _counted_unit(self) -> FloatArray:
        """Return how many cliques have each pattern, times the unit matrix."""
        return self.counts[:, None, None] * np.eye(self.inverse.shape[1])

    def _flat(self) -> FloatArray:
        """Return C^-1 dC with all entries on one axis."""
        return self.moved.reshape(len(self.moved), -1)

    def _inner(self, weights: FloatArray) -> FloatArray:
        """Return C^-1 times the symmetric matrix of weights."""
        s, t = self.cliques.entries
        # An entry beside the diagonal stands for itself and its mirror image.
        half = weights.reshape(len(self.inverse), -1) * np.where(s == t, 1.0, 0.5)
        whole = np.empty_like(self.inverse)
        whole[:, s, t] = half
        whole[:, t, s] = half
        return np.asarray(self.inverse @ whole)
