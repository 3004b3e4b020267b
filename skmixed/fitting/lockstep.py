"""Fits of many responses to one design with one grouping factor, all in lock-step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.covariance import DirectSum
from skmixed.fitting.convergence import NEAR, SAME
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.lockstep_newton import ManyOptima, newton_in_lockstep
from skmixed.fitting.model import LMMModel
from skmixed.fitting.standardise import EXACT, standardised_products
from skmixed.fitting.start import starting_points
from skmixed.likelihood.batched import (
    cholesky_over_groups,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.level_kinds import LevelKinds
from skmixed.likelihood.many_responses import ManyResponses, Moments

__all__ = ["LockstepModel", "ManyFits", "steps_in_lockstep"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ManyFits:
    """Hold the estimates of m responses, in the user's units but for the relative factors.

    Attributes
    ----------
    coefficients : ndarray of shape (m, n_coefficients)
    sigma : ndarray of shape (m,)
    log_likelihood : ndarray of shape (m,)
    standardised_factors : ndarray of shape (m, k, k)
        Lambda of the estimable factor, in standardised columns.
    converged : ndarray of shape (m,)
        Where it is False, the response has to be fitted by itself.
    """

    coefficients: FloatArray
    sigma: FloatArray
    log_likelihood: FloatArray
    standardised_factors: FloatArray
    converged: NDArray[np.bool_]


def steps_in_lockstep(fit: LMMFit) -> bool:
    """Tell whether further responses to the design of a fit can be fitted in lock-step.

    Parameters
    ----------
    fit : LMMFit
    """
    return len(fit.estimable) == 1 and not fit.coordinates.exact


class LockstepModel:
    """Fit many responses to the design of a model with one estimable grouping factor.

    Parameters
    ----------
    model : LMMModel
    fit : LMMFit
        Of the model's own response.
    """

    def __init__(self, model: LMMModel, fit: LMMFit) -> None:
        design = self._design = model.design
        self._model = model
        self._coordinates, rows, products = standardised_products(design, model.covariance)
        position = next(i for i, one in enumerate(fit.random) if one.position is not None)
        self._covariance: DirectSum = model.covariance.factors[position]
        factor = products.factors[position]
        self._ZtWZ, self._multiplicity = factor.ZtWZ, factor.multiplicity
        self._R = cholesky_over_groups(factor.ZtWZ, semidefinite=True)
        self._kinds = LevelKinds(factor.ZtWZ, factor.multiplicity)
        self._codes = design.factors[position].codes
        self._root = None
        if design.weights is not None:
            self._root = np.sqrt(design.weights / self._coordinates.weight_scale)
        self._n_rows, self._sum_log_weights = products.n_rows, products.sum_log_weights
        self._X, self._Z = rows.A[:-1], rows.Z[position]
        counts = design.group_counts
        self._counted = self._X if counts is None else self._X * counts
        self._row_counts = counts
        self._spread = _sums_over_levels(self._Z, self._codes, self._ZtWZ.shape[-1])
        self._between_X = self._between(self._X)
        self._within_X = self._within(self._X, self._between_X)

    @property
    def batch(self) -> int:
        """Return how many responses may be fitted together without filling the memory."""
        k, p, n_levels = len(self._R), len(self._X) + 1, self._R.shape[-1]
        n_kinds = len(self._kinds.counts)
        size = max(self._design.n_rows, k * k * n_levels * p, k**4 * n_kinds)
        return max(1, 2**23 // size)

    def fit(self, responses: FloatArray) -> ManyFits:
        """Fit the model to each response.

        Parameters
        ----------
        responses : ndarray of shape (m, n)
        """
        shift, scale, working = self._working_responses(responses)
        moments, scores = self._moments(working)
        objective = ManyResponses(moments, self._covariance, reml=self._model.reml)
        start = self._start(objective, scores)
        optima = newton_in_lockstep(
            objective, start, tol=self._model.tol, max_iter=self._model.max_iter
        )
        optima = _snapped(objective, optima)
        return self._in_units(objective, optima, shift, scale)

    def _working_responses(self, responses: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return least-squares coefficients, size and residual of each response."""
        offset = self._design.offset
        working = responses.copy() if offset is None else responses - offset
        if self._root is not None:
            working *= self._root
        size = np.sqrt(np.mean(working**2, axis=1))
        gram = self._counted @ self._X.T
        shift = np.linalg.solve(gram, self._counted @ working.T).T if len(gram) else working[:, :0]
        working -= shift @ self._X
        scale = np.sqrt(np.mean(working**2, axis=1))
        # A response that X explains exactly is left to an ordinary fit.
        scale[scale <= EXACT * size] = np.nan
        return shift, scale, working / scale[:, None]

    def _between(self, columns: FloatArray) -> FloatArray:
        """Return c = Q'W^(1/2) of some columns, (m, n), of each level: (m, k, n_levels)."""
        return solve_lower_over_groups(self._R, self._level_sums(columns), semidefinite=True)

    def _level_sums(self, columns: FloatArray) -> FloatArray:
        """Return Z'W of some columns, (m, n), of each level: (m, k, n_levels)."""
        summed = np.asarray(self._spread @ columns.T)
        k, n_levels = len(self._R), self._R.shape[-1]
        return np.ascontiguousarray(summed.reshape(k, n_levels, -1).transpose(2, 0, 1))

    def _within(self, columns: FloatArray, between: FloatArray) -> FloatArray:
        """Return what the random effects cannot change of some columns, (m, n)."""
        coefficients = solve_lower_transposed_over_groups(self._R, between.copy())
        left = columns.copy()
        for Z_j, by_level in zip(self._Z, coefficients.swapaxes(0, 1), strict=True):
            left -= by_level[:, self._codes] * Z_j
        return left

    def _moments(self, working: FloatArray) -> tuple[Moments, FloatArray]:
        """Return what the likelihoods need of the responses, and their Z'Wy."""
        k, p, m = len(self._R), len(self._X), len(working)
        sums = self._kinds.sums
        scores = self._level_sums(working)
        y = solve_lower_over_groups(self._R, scores.copy(), semidefinite=True)
        X = self._between_X
        left_y, left_X = self._within(working, y), self._within_X
        counted = left_X if self._row_counts is None else left_X * self._row_counts
        squares = left_y**2
        XX = sums(X[:, None, :, None] * X[None, :, None, :])
        Xy = sums(X[None, :, :, None] * y[:, None, None])
        yy = sums(y[:, :, None] * y[:, None])
        moments = Moments(
            R=self._R[:, :, self._kinds.first],
            counts=self._kinds.counts,
            n_rows=self._n_rows,
            sum_log_weights=self._sum_log_weights,
            within_XX=counted @ left_X.T,
            within_Xy=left_y @ counted.T,
            within_yy=squares.sum(axis=1) if self._row_counts is None else squares @ self._row_counts,
            XX=XX.reshape(p, p, -1).transpose(2, 0, 1).copy(),
            Xy=Xy.reshape(m, p, -1).swapaxes(1, 2).copy(),
            yy=yy.reshape(m, -1),
        )
        return moments, scores

    def _start(self, objective: ManyResponses, scores: FloatArray) -> FloatArray:
        """Return where each search starts, as for a response alone."""
        moments = objective.moments
        directions = (np.einsum("jjg->jg", self._R) > 0).sum(axis=0)
        counts = np.ones(len(directions)) if self._multiplicity is None else self._multiplicity
        degrees = moments.n_rows - directions @ counts
        sigma2 = np.ones(len(scores))
        if degrees > 0:
            told = moments.within_yy > 0
            sigma2[told] = moments.within_yy[told] / degrees
        A, k = self._ZtWZ, len(self._R)
        summed = A @ counts
        flat = A.reshape(k * k, -1)
        pairs = ((flat * counts) @ flat.T).reshape(k, k, k, k).swapaxes(1, 2).reshape(k * k, k * k)
        squares = np.einsum("rqg,rsg->rqs", scores * counts, scores)
        choices = np.array(
            [
                starting_points(self._covariance, net, pairs, summed / A.shape[-1])
                for net in squares / sigma2[:, None, None] - summed
            ]
        )
        if choices.shape[1] == 1:
            return choices[:, 0]
        values = [objective.values(choices[:, i]) for i in range(choices.shape[1])]
        best = np.where(np.isnan(values), np.inf, values).argmin(axis=0)
        return choices[np.arange(len(choices)), best]

    def _in_units(
        self, objective: ManyResponses, optima: ManyOptima, shift: FloatArray, scale: FloatArray
    ) -> ManyFits:
        """Carry the estimates over to the user's units."""
        coordinates, at = self._coordinates, optima.at
        constant = -self._model.reml * coordinates.fixed.log_volume
        standardised = shift + scale[:, None] * at.beta
        return ManyFits(
            coefficients=standardised @ coordinates.fixed.matrix.T,
            sigma=np.sqrt(at.r2 / objective.nu * coordinates.weight_scale) * scale,
            log_likelihood=-0.5 * at.value - objective.nu * np.log(scale) - constant,
            standardised_factors=objective.factors(at.theta),
            converged=optima.converged & np.isfinite(scale),
        )


def _sums_over_levels(
    Z: FloatArray, codes: NDArray[np.intp], n_levels: int
) -> sparse.csr_array:
    """Return the matrix Z' of all levels, effect by effect: (k n_levels, n)."""
    k, n = Z.shape
    rows = np.add.outer(n_levels * np.arange(k), codes).ravel()
    columns = np.tile(np.arange(n), k)
    return sparse.csr_array((Z.ravel(), (rows, columns)), shape=(k * n_levels, n))


def _snapped(objective: ManyResponses, optima: ManyOptima) -> ManyOptima:
    """Set vanishing standard deviations to exactly 0, as ``snap_to_boundary`` does."""
    Lambda = objective.factors(optima.at.theta)
    roots = np.zeros_like(Lambda)
    small = np.zeros(len(Lambda), dtype=bool)
    for effects in objective.covariance.effect_slices:
        left, parts, _ = np.linalg.svd(Lambda[:, effects, effects])
        small |= (parts[:, -1] > 0.0) & (parts[:, -1] < NEAR)
        roots[:, effects, effects] = left * np.where(parts < NEAR, 0.0, parts)[:, None]
    which = np.flatnonzero(small & optima.converged)
    if not len(which):
        return optima
    theta = np.array([objective.covariance.parameters(roots[i]) for i in which])
    at = objective(theta, which)
    kept = at.value <= optima.at.value[which] + SAME
    places = which[kept]
    moved = {}
    for name in ("theta", "value", "gradient", "hessian", "beta", "r2", "spread"):
        moved[name] = getattr(optima.at, name).copy()
        moved[name][places] = getattr(at, name)[kept]
    return replace(optima, at=replace(optima.at, **moved))
