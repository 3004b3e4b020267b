"""How far the modes are from the random effects: their covariance given the data and beta.

Relative to sigma^2 it is D = Lambda M^-1 Lambda' (Bates et al. 2015, equation 58). Rows of Z are
multiplied with a root of it, so that variances are sums of squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.likelihood.batched import cholesky_over_groups, solve_lower_over_groups

__all__ = ["BlockedErrors", "ConditionalErrors", "SingleFactorErrors", "conditional_root"]

FloatArray = NDArray[np.float64]
Part = tuple[FloatArray, NDArray[np.intp] | None]


class ConditionalErrors(Protocol):
    """The covariance of the random effects of all factors, given the data and beta."""

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        ...

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return roots of Z D Z' for some rows.

        Parameters
        ----------
        Z : sequence of ndarray of shape (k, n)
            For each factor; 0 where a row's level is not known.
        codes : sequence of ndarray of shape (n,)
            For each factor; any level where Z is 0.

        Returns
        -------
        list of (ndarray of shape (r, n), ndarray of shape (n,) or None)
            Z D Z' is the sum of root' root over the parts, between rows of the same code only
            where codes are given.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SingleFactorErrors:
    """Hold what D is made of for one grouping factor, or none.

    Attributes
    ----------
    R : ndarray of shape (k, k, n_levels)
        Triangles with R'R = Z'WZ; indexed by column, row and level.
    Lambda : ndarray of shape (k, k)
    """

    R: FloatArray
    Lambda: FloatArray

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, (n_levels, k, k); nothing without a factor."""
        root = conditional_root(self.R, self.Lambda)
        return [np.swapaxes(root, 1, 2) @ root] if len(self.R) else []

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return the root of each row within its level."""
        if not Z:
            return []
        used, positions = np.unique(codes[0], return_inverse=True)
        root = conditional_root(self.R[:, :, used], self.Lambda)[positions]
        return [(np.einsum("nlk,kn->ln", root, Z[0]), codes[0])]


@dataclass(frozen=True, slots=True, eq=False)
class BlockedErrors:
    """Hold what D is made of for several factors: the largest's given the others, and theirs.

    Attributes
    ----------
    first : SingleFactorErrors
        Of the largest factor, given the effects of the others.
    moved : sparse array of shape (k * n_levels, n_other)
        H = Psi_1 Z_1'V_1^-1 U: what the largest factor's effects owe to those of the others.
    root : ndarray of shape (n_other, n_other)
        C with C'C the covariance of the others' effects.
    shapes : tuple of (int, int)
        Effects and levels of the other factors.
    """

    first: SingleFactorErrors
    moved: sparse.csr_array
    root: FloatArray
    shapes: tuple[tuple[int, int], ...]

    def covariances(self) -> list[FloatArray]:
        """Return D of each level, for each factor: (n_levels, k, k)."""
        k = len(self.first.Lambda)
        (own,) = self.first.covariances()
        carried = (self.moved @ self.root.T).reshape(k, len(own), -1)
        covariances = [own + np.einsum("qga,rga->gqr", carried, carried)]
        start = 0
        for k_j, n_levels in self.shapes:
            part = self.root[:, start : start + k_j * n_levels].reshape(-1, k_j, n_levels)
            covariances.append(np.einsum("aqg,arg->gqr", part, part))
            start += k_j * n_levels
        return covariances

    def parts(self, Z: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]) -> list[Part]:
        """Return the largest factor's roots within its levels, and those of all others together."""
        n_levels = self.first.R.shape[-1]
        spread = _spread(Z[0], codes[0], n_levels)
        others = [
            _spread(Z_j, codes_j, n_levels_j)
            for Z_j, codes_j, (_, n_levels_j) in zip(Z[1:], codes[1:], self.shapes, strict=True)
        ]
        combined = sparse.hstack(others, format="csr") - spread @ self.moved
        return [*self.first.parts(Z[:1], codes[:1]), ((combined @ self.root.T).T, None)]


def conditional_root(R: FloatArray, Lambda: FloatArray) -> FloatArray:
    """Return C = L^-1 Lambda' of each level, with L L' = M = Lambda'Z'WZ Lambda + I.

    Parameters
    ----------
    R : ndarray of shape (k, k, n_levels)
        Triangles with R'R = Z'WZ; indexed by column, row and level.
    Lambda : ndarray of shape (k, k)

    Returns
    -------
    ndarray of shape (n_levels, k, k)
        C'C is the conditional covariance of one level's effects.
    """
    k, n_levels = R.shape[1:]
    RLambda = (Lambda.T @ R.reshape(k, k * n_levels)).reshape(R.shape)
    M = np.einsum("slg,tlg->stg", RLambda, RLambda) + np.eye(k)[:, :, None]
    columns = np.repeat(Lambda[:, :, None], n_levels, axis=2)
    return solve_lower_over_groups(cholesky_over_groups(M), columns).transpose(2, 1, 0)


def _spread(Z: FloatArray, codes: NDArray[np.intp], n_levels: int) -> sparse.csr_array:
    """Spread the columns of one factor over its levels: effect by effect, (n, k * n_levels)."""
    k, n = Z.shape
    columns = codes + n_levels * np.arange(k)[:, None]
    rows = np.broadcast_to(np.arange(n), (k, n))
    return sparse.csr_array((Z.ravel(), (rows.ravel(), columns.ravel())), shape=(n, k * n_levels))
