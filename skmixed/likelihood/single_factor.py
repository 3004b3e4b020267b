"""The kernel of one grouping factor: V is block-diagonal, one small block for each level.

For one level let Z'WZ = R'R (R upper triangular) and Q = W^(1/2) Z R^-1, an orthonormal basis of
what varies between the coefficients of that level. Then, with B = I + R Psi R' and Psi = Lambda
Lambda',

    W^(-1/2) V^-1 W^(-1/2) = (I - Q Q') + Q B^-1 Q',    log|V| = log|B| - log|W|.

The first part does not depend on theta: it is the variation within levels. The second is a sum of
squares, so that nothing cancels however large the variance of the random effects is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.likelihood.batched import (
    cholesky_over_groups,
    repeated,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
    sum_of_outer_products,
    triangle_beside_identity,
)
from skmixed.likelihood.crossproducts import CrossProducts, FactorProducts
from skmixed.likelihood.errors import SingleFactorErrors
from skmixed.likelihood.kernel import ScoreTensors

__all__ = ["SingleFactorKernel", "Whitened", "sum_log_diagonal", "whitening_factor"]

FloatArray = NDArray[np.float64]

# Where the variation of y within levels is a smaller part of the whole, it is computed from the
# rows.
CANCELLATION = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Whitened:
    """Hold one evaluation of the kernel at a relative covariance Psi."""

    log_determinant: float  # log|V| + log|W|
    reduced: FloatArray  # [X y]' V^-1 [X y]
    root: FloatArray  # (k, k, n_levels): L_B^-1 R, whose Gram matrix is S = Z'V^-1 Z.
    columns: FloatArray  # (n_columns, k, n_levels): L_B^-1 Q'W^(1/2) [X y]
    lower: FloatArray  # L_B, with L_B L_B' = B

    @property
    def gram(self) -> FloatArray:
        """Return S = Z'V^-1 Z of each level, of shape (k, k, n_levels)."""
        return np.einsum("qlg,rlg->qrg", self.root, self.root)


class SingleFactorKernel:
    """Evaluate log|V| and [X y]'V^-1[X y], and their derivatives, from cross-products.

    The upper triangles R are indexed by column, row and level.
    """

    def __init__(self, products: CrossProducts) -> None:
        n_columns = len(products.AtWA)
        nothing = FactorProducts(np.empty((0, 0, 0)), np.empty((n_columns, 0, 0)))
        factor = products.factors[0] if products.factors else nothing
        self.multiplicity = factor.multiplicity
        self.n_effects = len(factor.ZtWZ)
        # In the layout (column, effect, level) the columns of R are the rows of L with L L' = Z'WZ.
        self.R = cholesky_over_groups(factor.ZtWZ, semidefinite=True)
        between = solve_lower_over_groups(self.R, factor.ZtWA.copy(), semidefinite=True)
        self._total = products.AtWA
        explained = sum_of_outer_products(between, between, self.multiplicity)
        self._within = products.AtWA - explained if products.within is None else products.within
        self._stacked = np.concatenate([self.R, between])
        self._ZtWZ, self._ZtWy = factor.ZtWZ, factor.ZtWA[-1]
        self._n_rows = products.n_rows

    def refine(
        self, Z: Sequence[FloatArray], A: FloatArray, codes: Sequence[NDArray[np.intp]]
    ) -> FloatArray | None:
        """Compute the variation of [X y] within levels from the rows, if the difference is spoilt.

        A and Z are times the root of the weights.
        """
        if not Z or not self.cancels:
            return None
        between = self._stacked[self.n_effects :].copy()
        coefficients = solve_lower_transposed_over_groups(self.R, between)
        residuals = A.copy()
        for Z_j, by_level in zip(Z[0], coefficients.swapaxes(0, 1), strict=True):
            residuals -= by_level[:, codes[0]] * Z_j
        counts = None if self.multiplicity is None else self.multiplicity[codes[0]]
        self._within = repeated(residuals, counts) @ residuals.T
        return self._within

    @property
    def cancels(self) -> bool:
        """Tell whether the variation of y within levels has lost its digits in a difference."""
        return bool(self._within[-1, -1] < CANCELLATION * self._total[-1, -1])

    def whiten(self, factors: Sequence[FloatArray]) -> Whitened:
        """Evaluate the kernel at a relative covariance factor of shape (k, k), the only one."""
        k = self.n_effects
        L_B = whitening_factor(self.R, factors[0]) if factors else self.R
        stacked = solve_lower_over_groups(L_B, self._stacked.copy())
        columns = stacked[k:]
        return Whitened(
            log_determinant=2.0 * sum_log_diagonal(L_B, self.multiplicity),
            reduced=self._within + sum_of_outer_products(columns, columns, self.multiplicity),
            root=stacked[:k],
            columns=columns,
            lower=L_B,
        )

    @property
    def varies(self) -> list[NDArray[np.bool_]]:
        """Tell for each effect whether it varies, given those before it, within any level."""
        return [(np.einsum("jjg->jg", self.R) > 0).any(axis=-1)]

    @property
    def n_spanned_levels(self) -> list[int]:
        """Count the levels in which all effects vary."""
        return [int((np.einsum("jjg->jg", self.R) > 0).all(axis=0).sum())]

    @property
    def within_levels(self) -> tuple[float, float]:
        """Return the variation of y within levels, and its degrees of freedom."""
        directions = (np.einsum("jjg->jg", self.R) > 0).sum(axis=0)
        taken = repeated(directions, self.multiplicity).sum()
        return float(self._within[-1, -1]), float(self._n_rows - taken)

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return sum(t t' / sigma2 - A), sum(A x A), mean(A) with A = Z'WZ, t = Z'Wy of a level."""
        k = self.n_effects
        A, t = self._ZtWZ, self._ZtWy
        summed = repeated(A, self.multiplicity).sum(axis=-1)
        flat = A.reshape(k * k, A.shape[-1])
        pairs = sum_of_outer_products(flat, flat, self.multiplicity).reshape(k, k, k, k)
        moments = sum_of_outer_products(t, t, self.multiplicity) / sigma2 - summed
        return [(moments, pairs.swapaxes(1, 2).reshape(k * k, k * k), summed / A.shape[-1])]

    def projected(self, at: Whitened, columns: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 [X y] columns' of each level, of shape (n_mixed, k, n_levels)."""
        return [np.einsum("ilg,qlg->iqg", self._mixed(at, columns), at.root)]

    def projected_columns(self, at: Whitened) -> FloatArray:
        """Return Z'V^-1 [X y] of each level, of shape (n_columns, k, n_levels)."""
        return np.einsum("ilg,qlg->iqg", at.columns, at.root)

    def _mixed(self, at: Whitened, columns: FloatArray) -> FloatArray:
        """Return the combinations of the whitened columns of [X y]."""
        k, n_levels = self.n_effects, at.root.shape[-1]
        mixed = columns @ at.columns.reshape(columns.shape[1], k * n_levels)
        return mixed.reshape(len(columns), k, n_levels)

    def errors(self, at: Whitened, factors: Sequence[FloatArray]) -> SingleFactorErrors:
        """Return the covariance of the effects given the data and beta."""
        return SingleFactorErrors(self.R, factors[0] if factors else np.empty((0, 0)))

    def score_tensors(
        self, at: Whitened, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return gradient and Hessian of the profiled objective in Psi.

        With S = Z'V^-1 Z, T = Z'V^-1 X R_X^-1 and t = Z'V^-1 (y - X beta) of each level, and Y =
        reml T T' + (nu / r2) t t',

            G       = sum(S - Y)
            H(E, F) = -sum tr(S E S F) + 2 sum tr(S E Y F) - reml tr(Q_E Q_F)
                      - (nu / r2^2) q_E q_F - 2 (nu / r2) v_E' v_F,

        where Q_E = sum T'E T, v_E = sum T'E t and q_E = sum t'E t. ``mixing`` maps the columns [X
        y] to [X R_X^-1, y - X beta], and ``precision`` is nu / r2, the inverse of sigma^2.
        """
        k, n_levels = self.n_effects, at.root.shape[-1]
        n_columns = len(mixing)
        stacked = np.concatenate([at.root, self._mixed(at, mixing)])
        S_T = np.einsum("ilg,qlg->iqg", stacked, at.root)
        S, T = S_T[:k], S_T[k:]
        weight = np.full(n_columns, float(reml))
        weight[-1] = precision
        Y = np.einsum("iqg,irg->qrg", weight[:, None, None] * T, T)
        multiplicity = self.multiplicity
        gradient = repeated(S - Y, multiplicity).sum(axis=-1)
        flat_S = S.reshape(k * k, n_levels)
        curvature = sum_of_outer_products(
            flat_S, 2.0 * Y.reshape(k * k, n_levels) - flat_S, multiplicity
        ).reshape(k, k, k, k)
        # tr(S E Y F) = S_pq E_qr Y_rs F_sp
        hessian = curvature.transpose(1, 2, 3, 0).reshape(k * k, k * k)
        flat_T = T.reshape(n_columns * k, n_levels)
        pairs = sum_of_outer_products(flat_T, flat_T, multiplicity)
        pairs = pairs.reshape(n_columns, k, n_columns, k).transpose(1, 3, 0, 2)
        pairs = pairs.reshape(k * k, n_columns, n_columns)
        loss = _profiling(pairs, reml=reml, nu=nu, precision=precision)
        return ScoreTensors([gradient], hessian - loss)


def whitening_factor(R: FloatArray, Lambda: FloatArray) -> FloatArray:
    """Return L_B of each level, with L_B L_B' = I + R Lambda Lambda'R'."""
    RLambda = (Lambda.T @ R.reshape(len(R), len(R) * R.shape[-1])).reshape(R.shape)
    return triangle_beside_identity(RLambda.swapaxes(0, 1))


def sum_log_diagonal(lower: FloatArray, multiplicity: FloatArray | None) -> float:
    """Return the sum of the logarithms of all pivots, each as often as its level counts."""
    return float(repeated(np.log(np.einsum("jjg->jg", lower)), multiplicity).sum())


def _profiling(pairs: FloatArray, *, reml: int, nu: float, precision: float) -> FloatArray:
    """Return what estimating beta and sigma takes from the curvature: ``pairs`` has T_i'E T_j."""
    mixed = pairs[:, :-1, -1]
    squares = pairs[:, -1, -1]
    loss = (2.0 * precision) * (mixed @ mixed.T)
    loss += np.multiply.outer(precision**2 / nu * squares, squares)
    if reml:
        fixed = pairs[:, :-1, :-1].reshape(len(pairs), -1)
        loss += fixed @ fixed.T
    return loss
