"""R^-1 as a sum of known matrices with coefficients that depend on rho."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.cliques import Cliques
from skmixed.residual.learned import LearnedResidual

__all__ = ["Precision", "PrecisionAt"]

FloatArray = NDArray[np.float64]

# Step of central differences of an exact gradient, relative to rho or to 1.
DIFFERENCE = float(np.finfo(float).eps) ** (1.0 / 3.0)


class Precision:
    """Map rho to the coefficients c of R^-1 = sum_m c_m B_m, and to log|R|.

    B_m sums over the cliques of one pattern: 1 at one entry of K, and at its mirror image.

    Parameters
    ----------
    learned : LearnedResidual
    cliques : sequence of Cliques
    counts : ndarray of shape (n,) or None
        How many times each row's group counts.
    """

    def __init__(
        self, learned: LearnedResidual, cliques: Sequence[Cliques], counts: FloatArray | None
    ) -> None:
        self.learned = learned
        self._blocks = [_Block.of(one, one.counts(counts)) for one in cliques]
        self.n_correlations = learned.n_arms * learned.n_correlations
        self._slopes = np.concatenate([one.slopes for one in self._blocks], axis=1)
        self._of_variances = 2.0 * sum(
            np.einsum("vpt,p->v", one.own_slopes, one.counts) for one in self._blocks
        )

    def at(self, rho: FloatArray) -> PrecisionAt:
        """Return the coefficients at one rho.

        Raises
        ------
        LinAlgError
            If R is not positive definite within rounding.
        """
        of_arms, _ = self.learned.split(rho)
        logs = rho[self.n_correlations :]
        matrices = [_Matrices.of(self.learned, one, of_arms, logs) for one in self._blocks]
        coefficients = [one.coefficients() for one in matrices]
        log_determinant = sum(one.log_determinant for one in matrices)
        return PrecisionAt(
            self,
            rho,
            matrices,
            np.concatenate(coefficients),
            float(log_determinant + self._of_variances @ logs),
        )

    def curvature(self, at: PrecisionAt, weights: FloatArray) -> FloatArray:
        """Return the second derivatives of sum_m weights_m c_m + log|R|, (n_rho, n_rho).

        They are exact in the standard deviations, and central differences of the exact gradient in
        the correlations.

        Parameters
        ----------
        at : PrecisionAt
        weights : ndarray of shape (n_classes,)
        """
        m, n = self.n_correlations, len(at.rho)
        hessian = np.zeros((n, n))
        hessian[m:, m:] = (self._slopes * (weights * at.coefficients)) @ self._slopes.T
        steps = DIFFERENCE * np.maximum(np.abs(at.rho[:m]), 1.0)
        for i, step in enumerate(np.diag(steps) if m else ()):
            move = np.append(step, np.zeros(n - m))
            above, below = (self.at(one).gradient(weights) for one in (at.rho + move, at.rho - move))
            hessian[i] = (above - below) / (2.0 * step[i])
        hessian[m:, :m] = hessian[:m, m:].T
        hessian[:m, :m] = 0.5 * (hessian[:m, :m] + hessian[:m, :m].T)
        return hessian


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionAt:
    """Hold the coefficients of R^-1 at one rho, and log|R|.

    Attributes
    ----------
    precision : Precision
    rho : ndarray of shape (n_rho,)
    matrices : list
        K of each pattern.
    coefficients : ndarray of shape (n_classes,)
    log_determinant : float
    """

    precision: Precision
    rho: FloatArray
    matrices: list[_Matrices]
    coefficients: FloatArray
    log_determinant: float

    def gradient(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of sum_m weights_m c_m + log|R| in rho.

        Parameters
        ----------
        weights : ndarray of shape (n_classes,)
        """
        own, m = self.precision, self.precision.n_correlations
        found = np.empty(len(self.rho))
        found[m:] = own._of_variances - own._slopes @ (weights * self.coefficients)
        if m:
            ends = np.cumsum([one.block.n_classes for one in self.matrices])[:-1]
            parts = np.split(weights, ends)
            found[:m] = sum(
                one.gradient(part) for one, part in zip(self.matrices, parts, strict=True)
            )
        return found

    def jacobian(self) -> FloatArray:
        """Return the derivatives of the coefficients, (n_rho, n_classes)."""
        found = np.empty((len(self.rho), len(self.coefficients)))
        m = self.precision.n_correlations
        np.multiply(self.precision._slopes, -self.coefficients, out=found[m:])
        if m:
            np.concatenate([one.jacobian() for one in self.matrices], axis=1, out=found[:m])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Hold cliques of one size: what of their coefficients does not depend on rho.

    ``slopes`` are the derivatives of -log c_m in the variance parameters, (n_parameters, n_classes),
    ``own_slopes`` those of the standard deviations of the rows that are not given.
    """

    cliques: Cliques
    counts: FloatArray
    slopes: FloatArray
    own_slopes: FloatArray
    doubled: FloatArray = field(repr=False)

    @classmethod
    def of(cls, cliques: Cliques, counts: FloatArray) -> _Block:
        """Add up the slopes of the two rows of each entry."""
        s, t = cliques.entries
        slopes = cliques.slopes[..., s] + cliques.slopes[..., t]
        first = 1 if cliques.conditional else 0
        # An entry beside the diagonal stands for two in the derivatives of K.
        doubled = np.where(s == t, 1.0, 0.5)
        flat = slopes.reshape(len(slopes), cliques.n_classes)
        return cls(cliques, counts, flat, cliques.slopes[..., first:], doubled)

    @property
    def n_classes(self) -> int:
        """Count the coefficients."""
        return self.cliques.n_classes


@dataclass(frozen=True, slots=True, eq=False)
class _Matrices:
    """Hold K of the patterns of one block: C^-1 of the correlations, between standard deviations.

    ``scale`` are the inverse products of the standard deviations of the two rows of each entry.
    """

    block: _Block
    learned: LearnedResidual
    naturals: list[FloatArray]
    of_arms: list[FloatArray]
    inverse: FloatArray
    log_determinant: float
    scale: FloatArray

    @classmethod
    def of(
        cls,
        learned: LearnedResidual,
        block: _Block,
        of_arms: list[FloatArray],
        logs: FloatArray,
    ) -> _Matrices:
        """Compute the inverses of the correlations."""
        cliques, naturals = block.cliques, []
        n_patterns, n_rows = cliques.slopes.shape[1:]
        scale = np.exp(-(logs @ block.slopes)).reshape(n_patterns, -1)
        inverse, log_determinant = np.ones((n_patterns, 1, 1)), 0.0
        if learned.correlation is not None and n_rows > 1:
            naturals = [learned.correlation.natural(rho, learned.axis) for rho in of_arms]
            C = np.empty((n_patterns, n_rows, n_rows))
            for arm, own in _of_arms(cliques.arms, len(naturals)):
                C[own] = learned.correlation.correlations(naturals[arm], cliques.positions[own])
            root = np.linalg.cholesky(C)
            unit = np.linalg.solve(root, np.broadcast_to(np.eye(n_rows), C.shape))
            inverse = unit.swapaxes(1, 2) @ unit
            pivots = np.log(np.einsum("ptt->pt", root)).sum(axis=1)
            log_determinant = 2.0 * float(block.counts @ pivots)
        return cls(block, learned, naturals, of_arms, inverse, log_determinant, scale)

    def coefficients(self) -> FloatArray:
        """Return the entries of K."""
        s, t = self.block.cliques.entries
        entries = self.inverse[:, s, t]
        if self.block.cliques.conditional:
            entries[:, 0] -= 1.0
        return (entries * self.scale).ravel()

    def gradient(self, weights: FloatArray) -> FloatArray:
        """Return the derivatives of the weighted coefficients and log|C| in the correlations."""
        found = np.zeros((len(self.of_arms), len(self.of_arms[0])))
        if self.naturals:
            s, t = self.block.cliques.entries
            inner = np.zeros_like(self.inverse)
            half = weights.reshape(self.scale.shape) * self.scale * self.block.doubled
            inner[:, s, t] = half
            inner[:, t, s] = half
            net = self.block.counts[:, None, None] * self.inverse
            net -= self.inverse @ inner @ self.inverse
            for arm, own, dC, chain in self._derivatives():
                found[arm] = np.einsum("kpst,pst->k", dC, net[own]) @ chain
        return found.ravel()

    def jacobian(self) -> FloatArray:
        """Return the derivatives of the coefficients in the correlations, (n_rho, n_classes)."""
        n_arms, k = len(self.of_arms), len(self.of_arms[0])
        s, t = self.block.cliques.entries
        found = np.zeros((n_arms, k, *self.scale.shape))
        for arm, own, dC, chain in self._derivatives():
            inverse = self.inverse[own]
            moved = (inverse @ dC @ inverse)[..., s, t]
            found[arm][:, own] = np.tensordot(chain.T, moved, axes=1) * -self.scale[own]
        return found.reshape(n_arms * k, self.block.n_classes)

    def _derivatives(self):  # type: ignore[no-untyped-def]
        """Yield arm, its patterns, derivatives of C in natural parameters, and these in rho."""
        correlation, cliques = self.learned.correlation, self.block.cliques
        assert correlation is not None
        for arm, own in _of_arms(cliques.arms, len(self.naturals)):
            dC = correlation.correlation_derivative(self.naturals[arm], cliques.positions[own])
            chain = correlation.natural_derivative(self.of_arms[arm], self.learned.axis)
            yield arm, own, dC, chain


def _of_arms(arms: NDArray[np.intp], n_arms: int):  # type: ignore[no-untyped-def]
    """Yield each arm with its patterns."""
    for arm in range(n_arms):
        yield arm, slice(None) if n_arms == 1 else arms == arm
