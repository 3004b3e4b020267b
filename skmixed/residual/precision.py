"""R^-1 as a sum of known matrices with coefficients that depend on rho."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from skmixed.residual.clique_matrices import CliqueMatrices, CorrelationsAt
from skmixed.residual.cliques import Cliques
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
        self.deviation_gradient = 2.0 * sum(one.new_slopes.sum(axis=2) @ own for one, own in pairs)

    def at(self, rho: FloatArray) -> PrecisionAt:
        """Return the coefficients at one rho.

        Parameters
        ----------
        rho : ndarray of shape (n_rho,)

        Raises
        ------
        LinAlgError
            If R is not positive definite within rounding.
        """
        correlations = CorrelationsAt.of(self._learned, rho)
        matrices = [
            CliqueMatrices.of(correlations, one, counts) for one, counts in self._correlated
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
    rho : ndarray of shape (n_rho,)
    matrices : list of CliqueMatrices
        K without standard deviations.
    scale : ndarray of shape (n_classes,)
        The inverse products of the standard deviations of the two rows of each entry.
    coefficients : ndarray of shape (n_classes,)
    """

    precision: Precision
    rho: FloatArray
    correlations: CorrelationsAt
    matrices: list[CliqueMatrices]
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
        """Return the second derivatives of sum_m weights_m c_m + log|R|, (n_rho, n_rho).

        Parameters
        ----------
        jacobian : ndarray of shape (n_rho, n_classes)
            As returned above.
        """
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

    def _with_parts(self, weights: FloatArray) -> list[tuple[CliqueMatrices, FloatArray]]:
        """Return the matrices of each size with their weights, those of correlations alone."""
        places = self.precision.places
        return [
            (one, weights[place] * self.scale[place])
            for one, place in zip(self.matrices, places, strict=True)
        ]

    def _bend(self, nets: list[FloatArray]) -> FloatArray:
        """Return the second derivatives of sum tr(net C) in rho, the nets held.

        Unless C is linear in natural parameters, they are differences of the exact first ones.
        """
        m, learned = self.precision.n_correlations, self.correlations.learned
        if learned.correlation is not None and learned.correlation.linear:
            sums = self.correlations.contracted(self.matrices, nets)
            of_arms, _ = learned.split(self.rho)
            curvature = learned.correlation.natural_curvature
            parts = zip(sums, of_arms, strict=True)
            return np.asarray(block_diag(*(curvature(s, one, learned.axis) for s, one in parts)))

        def slopes(free: FloatArray) -> FloatArray:
            there = CorrelationsAt.of(learned, np.append(free, self.rho[m:]))
            own = zip(there.contracted(self.matrices, nets), there.chains, strict=True)
            return np.concatenate([s @ chain for s, chain in own])

        found = central_differences(slopes, self.rho[:m])
        return 0.5 * (found + found.T)
