"""Many responses of one design with one grouping factor: their objectives, all at once.

V depends on a response through its own theta only, and it is the same for all levels with equal
Z'WZ. With c = Q'W^(1/2) [X y] of each level, as in the kernel of one factor, all that a response
needs of a kind of levels is the sum of c c' over them: no evaluation costs anything that grows with
the number of levels, only with the number of their kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import DirectSum
from skmixed.likelihood.batched import (
    cholesky_over_groups,
    inverse_lower_over_groups,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.profiled import pulled_back

__all__ = ["ManyResponses", "ManyValues", "Moments", "Stacked"]

FloatArray = NDArray[np.float64]


class Stacked:
    """A dataclass of arrays whose first axes run through the same responses."""

    def __getitem__(self, which: Any) -> Self:
        parts = {f.name: getattr(self, f.name)[which] for f in fields(self)}  # type: ignore[arg-type]
        return replace(self, **parts)  # type: ignore[type-var]

    def __setitem__(self, which: Any, other: Self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            getattr(self, field.name)[which] = getattr(other, field.name)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Hold what the likelihoods of m responses need of the rows; cell = (effect, effect, kind)."""

    R: FloatArray  # (k, k, n_kinds): R'R = Z'WZ
    counts: FloatArray
    n_rows: float
    sum_log_weights: float
    # Products of what the random effects cannot change: (p, p), (m, p), (m,).
    within_XX: FloatArray
    within_Xy: FloatArray
    within_yy: FloatArray
    # Sums of c c' over the levels of each kind: (n_cells, p, p), (m, n_cells, p), (m, n_cells).
    XX: FloatArray
    Xy: FloatArray
    yy: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ManyValues(Stacked):
    """Hold one evaluation of the objective for each response.

    Its value is NaN where X'V^-1 X is singular within rounding; ``largest`` is the largest entry of
    any B = I + R Psi R', and bounds its condition.
    """

    theta: FloatArray
    value: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    beta: FloatArray
    r2: FloatArray
    largest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Whitened:
    """Hold S = R'B^-1 R, A = R'B^-1 and K = B^-1, of shape (k, k, m, n_kinds)."""

    S: FloatArray
    A: FloatArray
    K: FloatArray
    log_determinant: FloatArray
    largest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Solutions:
    """Hold the coefficients, the inverse C of X'V^-1 X, and its log-determinant."""

    beta: FloatArray
    C: FloatArray
    log_volume: FloatArray
    r2: FloatArray


class ManyResponses:
    """Evaluate -2 log-likelihood, its gradient and its Hessian, each response at its own theta.

    The formulas are those of the kernel of one factor and of ``ProfiledObjective``.
    """

    def __init__(self, moments: Moments, covariance: DirectSum, *, reml: bool) -> None:
        self.moments = moments
        self.covariance = covariance
        self.reml = int(reml)
        self.n_coefficients = len(moments.within_XX)
        self.nu = moments.n_rows - self.reml * self.n_coefficients
        zero = np.zeros(covariance.n_parameters)
        self._linear = covariance.factor_second_derivative(zero) is None
        self._at_zero = covariance.factor(zero)
        self._slopes = covariance.factor_derivative(zero)

    def factors(self, theta: FloatArray) -> FloatArray:
        """Return Lambda of each response, shape (m, k, k)."""
        if self._linear:
            return self._at_zero + np.tensordot(theta, self._slopes, axes=1)
        return np.array([self.covariance.factor(one) for one in theta])

    def values(self, theta: FloatArray) -> FloatArray:
        """Return the objective alone, of all responses, shape (m,)."""
        every = np.arange(len(theta))
        with np.errstate(all="ignore"):
            at = self._whiten(self.factors(theta))
            return self._values(at, self._solve(at, every))

    def __call__(self, theta: FloatArray, which: NDArray[np.intp]) -> ManyValues:
        """Evaluate the objective of some responses."""
        Lambda = self.factors(theta)
        # An evaluation may fail for some responses; the others go on.
        with np.errstate(all="ignore"):
            at = self._whiten(Lambda)
            solutions = self._solve(at, which)
            value = self._values(at, solutions)
            G, H = self._score(at, solutions, which)
            gradient, hessian = self._pulled_back(theta, Lambda, G, H)
        return ManyValues(theta, value, gradient, hessian, solutions.beta, solutions.r2, at.largest)

    def _whiten(self, Lambda: FloatArray) -> _Whitened:
        """Factor B of each kind and response."""
        R = self.moments.R
        k, n_kinds, m = len(R), R.shape[-1], len(Lambda)
        RLambda = np.einsum("qlu,rqs->lsru", R, Lambda)
        B = np.einsum("lsru,tsru->ltru", RLambda, RLambda)
        B += np.eye(k)[:, :, None, None]
        L = cholesky_over_groups(B.reshape(k, k, m * n_kinds))
        half = np.repeat(R[:, :, None], m, axis=2).reshape(k, k, m * n_kinds)
        half = solve_lower_over_groups(L, half)
        root = inverse_lower_over_groups(L)
        S = np.einsum("qlg,slg->qsg", half, half)
        K = np.einsum("lag,lbg->abg", root, root)
        A = solve_lower_transposed_over_groups(L, half)
        cells = (k, k, m, n_kinds)
        logs = np.log(np.einsum("jjg->jg", L)).sum(axis=0).reshape(m, n_kinds)
        return _Whitened(
            S.reshape(cells),
            A.reshape(cells),
            K.reshape(cells),
            2.0 * logs @ self.moments.counts,
            np.einsum("jjru->jru", B).max(axis=(0, 2), initial=0.0),
        )

    def _solve(self, at: _Whitened, which: NDArray[np.intp]) -> _Solutions:
        """Solve the normal equations of each response."""
        moments, p = self.moments, self.n_coefficients
        m, n_cells = len(which), len(moments.XX)
        K = at.K.transpose(2, 0, 1, 3).reshape(m, n_cells)
        XX = moments.within_XX + (K @ moments.XX.reshape(n_cells, p * p)).reshape(m, p, p)
        Xy = moments.within_Xy[which] + (K[:, None] @ moments.Xy[which])[:, 0]
        yy = moments.within_yy[which] + np.einsum("rc,rc->r", K, moments.yy[which])
        lower = _cholesky(XX)
        regular = np.isfinite(lower).all(axis=(1, 2))
        XX[~regular] = np.eye(p)
        unit = np.broadcast_to(np.eye(p), (m, p, p))
        solved = np.linalg.solve(XX, np.concatenate([Xy[:, :, None], unit], axis=2))
        beta, C = solved[:, :, 0], solved[:, :, 1:]
        r2 = yy - np.einsum("rp,rp->r", beta, Xy)
        log_volume = 2.0 * np.log(np.einsum("rpp->rp", lower)).sum(axis=1)
        log_volume[~regular] = np.nan
        return _Solutions(beta, C, log_volume, r2)

    def _values(self, at: _Whitened, solutions: _Solutions) -> FloatArray:
        """Return -2 log-likelihood of each response."""
        sigma2 = solutions.r2 / self.nu
        return np.asarray(
            at.log_determinant
            # By ML too there is no value, but NaN, where X'V^-1 X is singular.
            + self.reml * solutions.log_volume
            + self.nu * (1.0 + np.log(2.0 * np.pi * sigma2))
            - self.moments.sum_log_weights
        )

    def _score(
        self, at: _Whitened, solutions: _Solutions, which: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray]:
        """Return gradient (m, k, k) and Hessian (m, k^2, k^2) of each objective in Psi."""
        moments, p = self.moments, self.n_coefficients
        k, _, m, n_kinds = at.S.shape
        n_cells = len(moments.XX)
        Xe, ee = self._residual_moments(solutions.beta, which)
        both = (self.nu / solutions.r2)[:, None] * ee
        if self.reml:
            both += solutions.C.reshape(m, p * p) @ moments.XX.reshape(n_cells, p * p).T
        both = both.reshape(m, k, k, n_kinds).transpose(1, 2, 0, 3)
        Y = np.einsum("qbru,sbru->qsru", np.einsum("qaru,abru->qbru", at.A, both), at.A)
        counted = moments.counts * at.S
        gradient = (counted - Y).sum(axis=-1).transpose(2, 0, 1)
        left = at.S.transpose(2, 0, 1, 3).reshape(m, k * k, n_kinds)
        right = (2.0 * Y - counted).transpose(2, 3, 0, 1).reshape(m, n_kinds, k * k)
        # tr(S E Y F) = S_pq E_qr Y_rs F_sp
        curvature = (left @ right).reshape(m, k, k, k, k).transpose(0, 2, 3, 4, 1)
        loss = self._profiling(at, solutions, Xe, ee)
        return gradient, curvature.reshape(m, k * k, k * k) - loss

    def _profiling(
        self, at: _Whitened, solutions: _Solutions, Xe: FloatArray, ee: FloatArray
    ) -> FloatArray:
        """Return what estimating beta and sigma takes from the curvature, (m, k^2, k^2)."""
        moments, p, C = self.moments, self.n_coefficients, solutions.C
        k, _, m, n_kinds = at.S.shape
        n_cells = k * k * n_kinds
        pairs = np.einsum("qaru,sbru->rqsabu", at.A, at.A).reshape(m, k * k, n_cells)
        squares = (pairs @ ee[:, :, None]) / solutions.r2[:, None, None]
        loss = self.nu * (squares @ squares.swapaxes(1, 2))
        mixed = pairs @ Xe
        precision = self.nu / solutions.r2
        loss += 2.0 * precision[:, None, None] * (mixed @ C @ mixed.swapaxes(1, 2))
        if self.reml:
            XX = moments.XX.reshape(n_cells, p * p)
            fixed = (pairs.reshape(m * k * k, n_cells) @ XX).reshape(m, k * k, p, p)
            moved = C[:, None] @ fixed
            turned = moved.swapaxes(2, 3).reshape(m, k * k, p * p)
            loss += moved.reshape(m, k * k, p * p) @ turned.swapaxes(1, 2)
        return loss

    def _residual_moments(
        self, beta: FloatArray, which: NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray]:
        """Return the sums of c c' for [X, y - X beta]: (m, n_cells, p) and (m, n_cells)."""
        moments = self.moments
        k, n_kinds = len(moments.R), moments.R.shape[-1]
        m, (n_cells, p, _) = len(which), moments.XX.shape
        Xy = moments.Xy[which]
        explained = (moments.XX.reshape(n_cells * p, p) @ beta.T).T.reshape(m, n_cells, p)
        Xe = Xy - explained
        yX = (Xy @ beta[:, :, None]).reshape(m, k, k, n_kinds).swapaxes(1, 2).reshape(m, n_cells)
        ee = moments.yy[which] - yX - (Xe @ beta[:, :, None])[:, :, 0]
        return Xe, ee

    def _pulled_back(
        self, theta: FloatArray, Lambda: FloatArray, G: FloatArray, H: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Carry the derivatives over to theta by dPsi = dLambda Lambda' + Lambda dLambda'."""
        if self._linear:
            parts = pulled_back(self._slopes[None], None, Lambda, G)
        else:
            slopes = np.array([self.covariance.factor_derivative(one) for one in theta])
            second = np.array([self.covariance.factor_second_derivative(one) for one in theta])
            parts = pulled_back(slopes, second, Lambda, G)
        dPsi, gradient, bend = parts
        return gradient, dPsi @ H @ dPsi.swapaxes(1, 2) + bend


def _cholesky(matrices: FloatArray) -> FloatArray:
    """Factor the matrices of a stack; NaN where one is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        return np.concatenate([_cholesky(one[None]) for one in matrices])
