"""The kernel of several grouping factors: the largest level by level, the others densely.

Let factor 1 be the largest, U the columns of Z of all others, and V_1 = W^-1 + Z_1 Psi_1 Z_1'. The
kernel of one factor gives log|V_1| and, with U as further columns, [U X y]'V_1^-1 [U X y]. With
S = U'V_1^-1 U and M_U = Lambda_U'S Lambda_U + I = L_U L_U', and K = Lambda_U M_U^-1 Lambda_U',

    V^-1 = V_1^-1 - V_1^-1 U K U'V_1^-1,    log|V| = log|V_1| + log|M_U|

(Bates, Maechler, Bolker and Walker 2015, equations 17 to 20, factor by factor).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg.lapack import dpotrf, dtrtri

from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.errors import BlockedErrors, SingleFactorErrors
from skmixed.likelihood.joined import alone, with_other_columns
from skmixed.likelihood.kernel import ScoreTensors
from skmixed.likelihood.single_factor import SingleFactorKernel, Whitened

__all__ = ["BlockedKernel", "BlockedWhitened"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BlockedWhitened:
    """Hold one evaluation of the kernel.

    Attributes
    ----------
    log_determinant : float
        log|V| + log|W|.
    reduced : ndarray of shape (n_columns, n_columns)
        [X y]'V^-1 [X y].
    first : Whitened
        The evaluation of factor 1, with the columns [U X y].
    root : ndarray of shape (n_other, n_other)
        C = L_U^-1 Lambda_U', so that K = C'C.
    columns : ndarray of shape (n_other, n_columns)
        C U'V_1^-1 [X y].
    """

    log_determinant: float
    reduced: FloatArray
    first: Whitened
    root: FloatArray
    columns: FloatArray


class BlockedKernel:
    """Evaluate log|V| and [X y]'V^-1 [X y], and their derivatives, for two or more factors.

    Parameters
    ----------
    products : CrossProducts
        With the largest factor first.
    """

    def __init__(self, products: CrossProducts) -> None:
        others = products.factors[1:]
        self._shapes = [(len(f.ZtWZ), f.ZtWZ.shape[-1]) for f in others]
        self._n_other = sum(k * n_levels for k, n_levels in self._shapes)
        self._first = SingleFactorKernel(with_other_columns(products))
        self._single = [SingleFactorKernel(alone(products, j)) for j in range(len(others) + 1)]

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
        return self._single[0].within_levels

    def second_moments(self, sigma2: float) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Return the moments of each factor as if it were the only one."""
        return [moments for kernel in self._single for moments in kernel.second_moments(sigma2)]

    def whiten(self, factors: Sequence[FloatArray]) -> BlockedWhitened:
        """Evaluate the kernel at the relative covariance factors, one for each grouping factor."""
        q = self._n_other
        first = self._first.whiten(factors[:1])
        S_Lambda = self._times_factors(first.reduced[:q, :q], factors[1:])
        M = self._times_factors(S_Lambda.T, factors[1:])
        M[np.diag_indices(q)] += 1.0
        L, first_bad = dpotrf(M, lower=1)
        if first_bad:
            raise np.linalg.LinAlgError(f"M_U is indefinite within rounding at row {first_bad}.")
        root = self._times_factors(dtrtri(L, lower=1)[0], factors[1:], transposed=True)
        columns = root @ first.reduced[:q, q:]
        return BlockedWhitened(
            log_determinant=first.log_determinant + 2.0 * float(np.log(L.diagonal()).sum()),
            reduced=first.reduced[q:, q:] - columns.T @ columns,
            first=first,
            root=root,
            columns=columns,
        )

    def projected(self, at: BlockedWhitened, columns: FloatArray) -> list[FloatArray]:
        """Return Z'V^-1 [X y] columns' of each factor, each of shape (n_mixed, k, n_levels).

        Since V^-1 A = V_1^-1 (A - U K U'V_1^-1 A), these are combinations of the columns [U X y].
        """
        combined = np.concatenate([-columns @ (at.columns.T @ at.root), columns], axis=1)
        (of_first,) = self._first.projected(at.first, combined)
        of_others = combined @ at.first.reduced[:, : self._n_other]
        return [of_first, *self._split(of_others)]

    def errors(self, at: BlockedWhitened, factors: Sequence[FloatArray]) -> BlockedErrors:
        """Return the covariance of the effects given the data and beta."""
        q = self._n_other
        Psi = factors[0] @ factors[0].T
        E = self._first.projected_columns(at.first)[:q]
        moved = np.einsum("qr,arg->qga", Psi, E).reshape(-1, q)
        return BlockedErrors(
            SingleFactorErrors(self._first.R, factors[0]),
            sparse.csr_array(moved),
            at.root,
            tuple(self._shapes),
        )

    def score_tensors(
        self, at: BlockedWhitened, mixing: FloatArray, *, reml: int, nu: float, precision: float
    ) -> ScoreTensors:
        """Return the gradient in each Psi, and the average information as curvature.

        The gradient is exact. The curvature is that of Gilmour, Thompson and Cullis (1995,
        equation 5): of y'P V_E P V_F P y, with sigma^2 profiled.
        """
        T = self.projected(at, mixing)
        weight = np.full(len(mixing), float(reml))
        weight[-1] = precision
        gradients = []
        for spread, t in zip(self._spreads(at), T, strict=True):
            explained = np.einsum("iqg,irg->qr", weight[:, None, None] * t, t)
            gradients.append(spread.sum(axis=-1) - explained)
        hessian = self._average_information(at, mixing, T, nu=nu, precision=precision)
        return ScoreTensors(gradients, hessian)

    def _spreads(self, at: BlockedWhitened) -> list[FloatArray]:
        """Return the blocks of Z'V^-1 Z on the diagonal, for each factor (k, k, n_levels)."""
        q = self._n_other
        padded = np.concatenate([at.root, np.zeros((q, len(at.reduced)))], axis=1)
        (E,) = self._first.projected(at.first, padded)
        spreads = [
            np.einsum("qlg,rlg->qrg", at.first.root, at.first.root)
            - np.einsum("aqg,arg->qrg", E, E)
        ]
        S = at.first.reduced[:q, :q]
        CS = at.root @ S
        start = 0
        for k, n_levels in self._shapes:
            part = slice(start, start + k * n_levels)
            own = np.einsum("qgrg->qrg", S[part, part].reshape(k, n_levels, k, n_levels))
            taken = CS[:, part].reshape(q, k, n_levels)
            spreads.append(own - np.einsum("aqg,arg->qrg", taken, taken))
            start = part.stop
        return spreads

    def _average_information(
        self,
        at: BlockedWhitened,
        mixing: FloatArray,
        T: list[FloatArray],
        *,
        nu: float,
        precision: float,
    ) -> FloatArray:
        """Return precision f_E'P f_F, less what profiling sigma takes, with f_E = Z E t."""
        q = self._n_other
        residuals = [t[-1] for t in T]
        first = _entrywise(residuals[0])
        n_first = len(first)
        E = self._first.projected_columns(at.first)
        other = self._other_directions(residuals[1:])
        h = np.concatenate(
            [first.reshape(n_first, -1) @ E.reshape(len(E), -1).T, other @ at.first.reduced[:q]]
        )
        own = np.einsum("qlg,rlg->qrg", at.first.root, at.first.root)
        gram = np.empty((len(h), len(h)))
        moved = np.einsum("qrg,arg->aqg", own, first).reshape(n_first, -1)
        gram[:n_first, :n_first] = moved @ first.reshape(n_first, -1).T
        gram[:, n_first:] = h[:, :q] @ other.T
        gram[n_first:, :n_first] = gram[:n_first, n_first:].T
        removed = h[:, :q] @ at.root.T
        explained = (h[:, q:] - removed @ at.columns) @ mixing[:-1].T
        information = gram - removed @ removed.T - explained @ explained.T
        squares = np.concatenate([(t @ t.T).ravel() for t in residuals])
        return precision * information - precision**2 / nu * np.multiply.outer(squares, squares)

    def _other_directions(self, residuals: list[FloatArray]) -> FloatArray:
        """Return E t for each entry E of each Psi but the first, in the coordinates of U."""
        n_entries = sum(k * k for k, _ in self._shapes)
        directions = np.zeros((n_entries, self._n_other))
        row = column = 0
        for t in residuals:
            entries = _entrywise(t)
            directions[row : row + len(entries), column : column + t.size] = entries.reshape(
                len(entries), t.size
            )
            row, column = row + len(entries), column + t.size
        return directions

    def _times_factors(
        self, matrix: FloatArray, factors: Sequence[FloatArray], *, transposed: bool = False
    ) -> FloatArray:
        """Return matrix Lambda_U, or matrix Lambda_U'."""
        parts = []
        start = 0
        for Lambda, (k, n_levels) in zip(factors, self._shapes, strict=True):
            part = matrix[:, start : start + k * n_levels].reshape(-1, k, n_levels)
            mixer = Lambda if transposed else Lambda.T
            parts.append(np.matmul(mixer, part).reshape(-1, k * n_levels))
            start += k * n_levels
        return np.concatenate(parts, axis=1)

    def _split(self, columns: FloatArray) -> list[FloatArray]:
        """Split the coordinates of U by factor: (n, n_other) to (n, k, n_levels) each."""
        ends = np.cumsum([k * n_levels for k, n_levels in self._shapes])[:-1]
        return [
            part.reshape(len(columns), k, n_levels)
            for part, (k, n_levels) in zip(
                np.split(columns, ends, axis=1), self._shapes, strict=True
            )
        ]


def _entrywise(t: FloatArray) -> FloatArray:
    """Return E_ab t for each entry (a, b), shape (k * k, k, n_levels): t_b in the place of a."""
    k = len(t)
    entries = np.zeros((k, k, k, t.shape[-1]))
    for a in range(k):
        entries[a, :, a] = t
    return entries.reshape(k * k, k, t.shape[-1])
