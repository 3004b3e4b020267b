"""Information on the parameters of a marginal model, and what small-sample corrections need.

With P = V^-1 - V^-1 X Phi X'V^-1 and Phi = (X'V^-1 X)^-1, the restricted likelihood has

    score     1/2 [r'V^-1 V_k V^-1 r - tr(P V_k)]
    expected  1/2 tr(P V_k P V_l)
    observed  1/2 tr(P V_kl) - 1/2 r'V^-1 V_kl V^-1 r + r'V^-1 V_k P V_l V^-1 r - expected

with V_k and V_kl the derivatives of V and r = y - X beta (Searle, Casella and McCulloch 1992).
The likelihood has V^-1 in the place of P in the traces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.coefficients.marginal_model import Batch, MarginalModel
from skmixed.residual.covariance_blocks import CovarianceBlocks

__all__ = [
    "Information",
    "MarginalInformation",
    "inverse_in_estimable_directions",
    "marginal_information",
    "weighted_products",
]

FloatArray = NDArray[np.float64]
Information = Literal["observed", "expected"]

# Information below this part of what there would be if the coefficients were known is rounding.
NOT_ESTIMABLE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class MarginalInformation:
    """Hold the information on K parameters of V.

    Attributes
    ----------
    known : ndarray of shape (K,)
        What is expected of each if all else is known.
    changes : ndarray of shape (K, p, p)
        X'V^-1 V_k V^-1 X.
    """

    score: FloatArray
    observed: FloatArray
    expected: FloatArray
    known: FloatArray
    changes: FloatArray

    def parameter_covariance(self, information: Information) -> FloatArray:
        """Return the inverse information on the parameters."""
        chosen = self.observed if information == "observed" else self.expected
        return inverse_in_estimable_directions(chosen, self.known)


def inverse_in_estimable_directions(information: FloatArray, known: FloatArray) -> FloatArray:
    """Invert the information on the variance parameters in the directions that the rows tell.

    Where the coefficients take all that there is if they are ``known``, what is left is rounding.
    """
    scale = np.sqrt(np.where(known > 0.0, known, 1.0))
    relative = information / np.multiply.outer(scale, scale)
    values, axes = np.linalg.eigh(0.5 * (relative + relative.T))
    estimable = values > NOT_ESTIMABLE
    inverse = (axes[:, estimable] / values[estimable]) @ axes[:, estimable].T
    return np.asarray(inverse / np.multiply.outer(scale, scale))


@dataclass(frozen=True, slots=True, eq=False)
class _White:
    """Hold a batch after V = LL' is taken out of it: T = L^-1.

    Attributes
    ----------
    T : ndarray of shape (n_patterns, m, m)
    columns : ndarray of shape (n_patterns, m, c, p + 1)
        T [X r].
    slopes : ndarray of shape (K, n_patterns, m, m)
        T V_k T'.
    second : ndarray of shape (K', K', n_patterns, m, m) or None
        V_kl of the last K' parameters.
    """

    T: FloatArray
    columns: FloatArray
    slopes: FloatArray
    second: FloatArray | None

    @classmethod
    def of(cls, model: MarginalModel, batch: Batch, blocks: CovarianceBlocks) -> _White:
        """Whiten the rows and the derivatives of V."""
        T = np.linalg.solve(np.linalg.cholesky(blocks.values), np.eye(blocks.values.shape[-1]))
        columns = np.concatenate([model.X[batch.rows], model.residuals[batch.rows][..., None]], -1)
        if model.counts is not None:
            columns *= np.sqrt(model.counts[batch.rows])[..., None]
        whole = columns.swapaxes(1, 2)
        white = (T @ whole.reshape(*T.shape[:2], -1)).reshape(whole.shape)
        return cls(T, white, T @ blocks.first @ T.swapaxes(1, 2), blocks.second)

    def moments(self, weights: FloatArray) -> FloatArray:
        """Return the sums of A M A' over clusters, A = T [X r]: (n_patterns, m, m)."""
        left = (self.columns @ weights).reshape(*self.T.shape[:2], -1)
        return left @ self.columns.reshape(left.shape).swapaxes(1, 2)

    def forms(self, matrices: FloatArray) -> FloatArray:
        """Return the sums of A'M A over clusters, M of shape (k, n_patterns, m, m)."""
        k = len(matrices)
        n_patterns, m, c, q = self.columns.shape
        if k * c * (m + q) <= m * q * (c + k):
            moved = (matrices @ self.columns.reshape(n_patterns, m, -1)).reshape(k, -1, q)
            return np.asarray(self.columns.reshape(-1, q).T @ moved)
        by_pattern = self.columns.swapaxes(1, 2).reshape(n_patterns, c, m * q)
        second = (by_pattern.swapaxes(1, 2) @ by_pattern).reshape(n_patterns, m, q, m, q)
        by_pair = second.transpose(0, 1, 3, 2, 4).reshape(-1, q * q)
        return np.asarray((matrices.reshape(k, -1) @ by_pair).reshape(k, q, q))

    def traces(self, weights: FloatArray) -> FloatArray:
        """Return tr(M T V_k V^-1 V_l T') for weights M of shape (n_patterns, m, m)."""
        K = len(self.slopes)
        return np.asarray((weights @ self.slopes).reshape(K, -1) @ self.slopes.reshape(K, -1).T)


def marginal_information(model: MarginalModel, *, reml: bool) -> MarginalInformation:
    """Sum score and information over the clusters."""
    K, p = model.n_parameters, model.X.shape[1]
    (trace, known), forms = np.zeros((2, K)), np.zeros((K, p + 1, p + 1))
    left, seen, bends = np.zeros((3, K, K))
    of_X, of_r = np.zeros((2, p + 1, p + 1))
    of_X[:p, :p], of_r[p, p] = model.covariance, 1.0
    for batch, blocks in model.evaluated():
        white = _White.of(model, batch, blocks)
        whole = batch.counts[:, None, None] * np.eye(batch.rows.shape[2])
        explained, squares = reml * white.moments(of_X), white.moments(of_r)
        trace += white.slopes.diagonal(axis1=2, axis2=3).sum(axis=2) @ batch.counts
        forms += white.forms(white.slopes)
        known += np.einsum("kpst,kpst,p->k", white.slopes, white.slopes, batch.counts)
        left += white.traces(whole - 2.0 * explained)
        seen += white.traces(squares)
        if white.second is not None:
            net = white.T.swapaxes(1, 2) @ (whole - explained - squares) @ white.T
            last = slice(K - len(white.second), None)
            bends[last, last] += np.tensordot(white.second, net, axes=([2, 3, 4], [0, 1, 2]))
    changes, crossed, quadratic = forms[:, :p, :p], forms[:, :p, p], forms[:, p, p]
    in_phi = changes @ model.covariance
    expected = 0.5 * (left + left.T) + reml * np.tensordot(in_phi, in_phi, ([1, 2], [2, 1]))
    seen -= crossed @ model.covariance @ crossed.T
    return MarginalInformation(
        score=0.5 * (quadratic - trace + reml * np.einsum("kaa->k", in_phi)),
        observed=0.5 * (bends - expected + seen + seen.T),
        expected=0.5 * expected,
        known=0.5 * known,
        changes=changes,
    )


def weighted_products(model: MarginalModel, W: FloatArray, *, second_order: bool) -> FloatArray:
    """Return the sum of W_kl (Q_kl - R_kl / 4) over the parameters, (p, p).

    Q_kl is X'V^-1 V_k V^-1 V_l V^-1 X and R_kl is X'V^-1 V_kl V^-1 X. Summed over k and l before
    they meet X, they cost a matrix of m x m for each pattern of clusters. R is taken along if
    ``second_order``.
    """
    p = model.X.shape[1]
    total = np.zeros((p + 1, p + 1))
    for batch, blocks in model.evaluated():
        white = _White.of(model, batch, blocks)
        inner = (np.tensordot(W, white.slopes, axes=1) @ white.slopes).sum(axis=0)
        if second_order and white.second is not None:
            last = slice(len(W) - len(white.second), None)
            bend = np.tensordot(W[last, last], white.second, axes=([0, 1], [0, 1]))
            inner -= 0.25 * (white.T @ bend @ white.T.swapaxes(1, 2))
        total += white.forms(inner[None])[0]
    return total[:p, :p]
