"""The largest of several crossed factors, eliminated level by level.

Each of its levels meets few of the other factors' columns U, so that these are kept sparse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import inverse_lower_over_groups, solve_lower_over_groups
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.eliminated import Directions, Reduced
from skmixed.likelihood.errors import Stage, conditional_root, level_blocks
from skmixed.likelihood.gram import level_sums
from skmixed.likelihood.several import products_of_others, with_others
from skmixed.likelihood.single_factor import SingleFactorKernel, Whitened

__all__ = ["LargestFactor"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluation:
    """Hold the kernel of the factor and L_B^-1, (k, k, n_levels)."""

    own: Whitened
    root: FloatArray


class LargestFactor:
    """Eliminate the first factor of some cross-products.

    With Q'W^(1/2) U = c, sparse, and B of the kernel of one factor,

        U'V_c^-1 U = U'W^(1/2) (I - Q Q') W^(1/2) U + sum c_g'B_g^-1 c_g.
    """

    def __init__(self, products: CrossProducts) -> None:
        self._kernel = SingleFactorKernel(products.of_factors([0]))
        R = self._kernel.R
        self._k, self._n_levels = R.shape[1:]
        self._c = _between(R, with_others(products, 0, 1))
        self._sums = level_sums(self._c, self._k)
        no_variance = [np.zeros((self._k, self._k))]
        between = self._kernel.whiten(no_variance).columns
        UtWU, UtWA = products_of_others(products, 1)
        unit = np.broadcast_to(np.eye(self._k)[:, :, None], R.shape)
        self._within_UU = UtWU - self._sums.weighted(unit)
        self._within_UA = UtWA - self._c.T @ self._flat(between).T
        self._between = between

    def whiten(self, factors: Sequence[FloatArray]) -> Reduced:
        """Evaluate at the relative covariance factor of the first factor."""
        own = self._kernel.whiten(factors)
        root = inverse_lower_over_groups(own.lower)
        moved = np.einsum("lmg,alg->amg", root, own.columns)
        return Reduced(
            log_determinant=own.log_determinant,
            UU=self._within_UU + self._sums.weighted(root),
            UA=self._within_UA + self._c.T @ self._flat(moved).T,
            AA=own.reduced,
            at=_Evaluation(own, root),
        )

    def traces(self, at: _Evaluation, K: FloatArray) -> list[FloatArray]:
        """Return sum Z_g'(V_c^-1 - V_c^-1 U K U'V_c^-1) Z_g over the levels."""
        k = self._k
        own = at.own.root.reshape(k, -1)
        # Z'V_c^-1 U = R'B^-1 c, indexed by column and row of each level.
        taken = np.einsum("lmg,mpg,opg->log", at.root, self._sums.contracted(K), at.root)
        moved = np.einsum("log,rog->rlg", taken, at.own.root)
        return [own @ own.T - own @ moved.reshape(k, -1).T]

    def projected(self, at: _Evaluation, of_U: FloatArray, of_A: FloatArray) -> list[FloatArray]:
        """Return Z'V_c^-1 (U of_U' + A of_A') of each level, (n_mixed, k, n_levels)."""
        mixed = self._shaped((self._c @ of_U.T).T)
        mixed += self._shaped(of_A @ self._flat(self._between))
        whitened = np.einsum("lmg,img->ilg", at.root, mixed)
        return [np.einsum("ilg,qlg->iqg", whitened, at.own.root)]

    def directions(self, at: _Evaluation, effects: Sequence[FloatArray]) -> Directions:
        """Return the products of f = Z v with each other, with U and with A."""
        (v,) = effects
        whitened = np.einsum("qlg,iqg->ilg", at.own.root, v)
        moved = self._flat(np.einsum("lmg,ilg->img", at.root, whitened))
        flat = self._flat(whitened)
        return Directions(
            gram=flat @ flat.T,
            U=(self._c.T @ moved.T).T,
            A=flat @ self._flat(at.own.columns).T,
        )

    def stages(self, at: _Evaluation, factors: Sequence[FloatArray]) -> list[Stage]:
        """Return what the errors of the effects are made of."""
        Psi = factors[0] @ factors[0].T
        moving = np.einsum("qr,rlg,lmg->qmg", Psi, at.own.root, at.root)
        moved = sparse.csr_array(level_blocks(moving) @ self._c)
        return [Stage(conditional_root(self._kernel.R, factors[0]), {}, moved)]

    def _flat(self, columns: FloatArray) -> FloatArray:
        """Join effects and levels, in the order of the rows of c."""
        return columns.reshape(len(columns), self._k * self._n_levels)

    def _shaped(self, columns: FloatArray) -> FloatArray:
        """Split effects and levels."""
        return columns.reshape(len(columns), self._k, self._n_levels)


def _between(R: FloatArray, ZtWU: sparse.csr_array) -> sparse.csr_array:
    """Return Q'W^(1/2) U = R'^-1 Z'WU; every effect has the same entries."""
    k, _, n_levels = R.shape
    starts = ZtWU.indptr[: n_levels + 1]
    levels = np.repeat(np.arange(n_levels), np.diff(starts))
    columns = ZtWU.data.reshape(1, k, len(levels)).copy()
    c = solve_lower_over_groups(R[:, :, levels], columns, semidefinite=True)
    return sparse.csr_array((c.ravel(), ZtWU.indices, ZtWU.indptr), shape=ZtWU.shape)
