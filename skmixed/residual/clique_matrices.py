"""The correlations of cliques at given parameters: their inverses, with two derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.cliques import Cliques
from skmixed.residual.learned import LearnedResidual

__all__ = ["CliqueMatrices", "CorrelationsAt"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationsAt:
    """Hold the natural parameters of the correlations at one rho, arm by arm.

    Attributes
    ----------
    naturals : list of ndarray of shape (n_natural,)
    chains : list of ndarray of shape (n_natural, n_parameters)
        Their derivatives in rho.
    """

    learned: LearnedResidual
    naturals: list[FloatArray]
    chains: list[FloatArray]

    @classmethod
    def of(cls, learned: LearnedResidual, rho: FloatArray) -> CorrelationsAt:
        """Compute the natural parameters; there are none without correlations."""
        correlation, axis = learned.correlation, learned.axis
        if correlation is None:
            return cls(learned, [], [])
        of_arms, _ = learned.split(rho)
        return cls(
            learned,
            [correlation.natural(one, axis) for one in of_arms],
            [correlation.natural_derivative(one, axis) for one in of_arms],
        )

    def matrices(self, cliques: Cliques) -> FloatArray:
        """Return the correlations of each pattern, (n_patterns, n_rows, n_rows)."""
        assert self.learned.correlation is not None
        found = np.empty((cliques.n_patterns, *2 * cliques.rows.shape[1:]))
        for arm, natural in enumerate(self.naturals):
            own = self._patterns(cliques, arm)
            found[own] = self.learned.correlation.correlations(natural, cliques.positions[own])
        return found

    def derivatives(self, cliques: Cliques) -> FloatArray:
        """Return their derivatives in rho, (n_rho, n_patterns, n_rows, n_rows)."""
        shape = cliques.n_patterns, *2 * cliques.rows.shape[1:]
        found = np.zeros((len(self.chains), self.chains[0].shape[1], *shape))
        for arm, chain in enumerate(self.chains):
            in_natural = self._natural_derivatives(cliques, arm)
            own = self._patterns(cliques, arm)
            found[arm][:, own] = np.tensordot(chain.T, in_natural, axes=1)
        return found.reshape(found.shape[0] * found.shape[1], *shape)

    def contracted(
        self, matrices: Sequence[CliqueMatrices], nets: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """Return the sums of tr(net dC) over the patterns in the natural parameters of each arm."""
        sums = [np.zeros(len(chain)) for chain in self.chains]
        for one, net in zip(matrices, nets, strict=True):
            for arm in range(len(sums)):
                slopes = self._natural_derivatives(one.cliques, arm)
                own = net[self._patterns(one.cliques, arm)]
                sums[arm] += slopes.reshape(len(slopes), own.size) @ own.ravel()
        return sums

    def _natural_derivatives(self, cliques: Cliques, arm: int) -> FloatArray:
        """Return the derivatives of the correlations of one arm in its natural parameters."""
        assert self.learned.correlation is not None
        positions = cliques.positions[self._patterns(cliques, arm)]
        return self.learned.correlation.correlation_derivative(self.naturals[arm], positions)

    def _patterns(self, cliques: Cliques, arm: int) -> slice | NDArray[np.bool_]:
        """Return which patterns are of one arm."""
        return slice(None) if len(self.naturals) == 1 else cliques.arms == arm


@dataclass(frozen=True, slots=True, eq=False)
class CliqueMatrices:
    """Hold K of the patterns of cliques of several rows, as if all variances were 1.

    Attributes
    ----------
    counts : ndarray of shape (n_patterns,)
        How many cliques there are of each.
    inverse : ndarray of shape (n_patterns, n_rows, n_rows)
        C^-1, C the correlations.
    moved : ndarray of shape (n_correlations, n_patterns, n_rows, n_rows)
        C^-1 dC.
    log_determinant : float
        Of all C.
    """

    cliques: Cliques
    counts: FloatArray
    inverse: FloatArray
    moved: FloatArray
    log_determinant: float

    @classmethod
    def of(
        cls, correlations: CorrelationsAt, cliques: Cliques, counts: FloatArray
    ) -> CliqueMatrices:
        """Compute the inverses."""
        C = correlations.matrices(cliques)
        root = np.linalg.cholesky(C)
        half = np.linalg.solve(root, np.broadcast_to(np.eye(C.shape[1]), C.shape))
        inverse = half.swapaxes(1, 2) @ half
        pivots = np.log(np.einsum("ptt->pt", root)).sum(axis=1)
        moved = inverse @ correlations.derivatives(cliques)
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
        """Return the derivatives of sum weights K + log|C| in C, (n_patterns, n_rows, n_rows).

        Parameters
        ----------
        weights : ndarray of shape (n_classes,)
            Of the lower triangles.
        """
        return self.counts[:, None, None] * self.inverse - self._inner(weights) @ self.inverse

    def gradient(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of sum weights K + log|C| in the correlations.

        Parameters
        ----------
        weights : ndarray of shape (n_classes,)
            Of the lower triangles.
        """
        own = self._counted_unit() - self._inner(weights)
        return np.asarray(self._flat() @ own.swapaxes(1, 2).ravel())

    def hessian(self, weights: FloatArray) -> FloatArray:
        """Return the second derivatives of sum weights K + log|C|, as if C were linear.

        Parameters
        ----------
        weights : ndarray of shape (n_classes,)
            Of the lower triangles.
        """
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
