"""Fits of many responses to one design with one grouping factor, all in lock-step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.covariance.many import parameters_of_many
from skmixed.fitting.convergence import SAME, boundary_roots, is_near_boundary
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.lockstep_newton import ManyOptima, newton_in_lockstep
from skmixed.fitting.many_fits import ManyFits, working_responses
from skmixed.fitting.model import LMMModel
from skmixed.fitting.other_starts import (
    N_CORNERS,
    N_STARTS,
    corners,
    has_corners,
    is_lopsided,
    lattice,
)
from skmixed.fitting.standardise import standardised
from skmixed.fitting.start import starts_of_many
from skmixed.likelihood.batched import (
    LevelKinds,
    repeated,
    solve_lower_over_groups,
    solve_lower_transposed_over_groups,
)
from skmixed.likelihood.many_responses import ManyResponses, Moments
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = ["LockstepModel", "can_step_together"]

FloatArray = NDArray[np.float64]

# Numbers that the largest array of a batch may have.
ROOM = 2**20
# Kinds of levels, times what a kind costs, up to which many responses are faster than each alone.
MOST = 5_000


def can_step_together(fit: LMMFit) -> bool:
    """Tell whether further responses to the design of a fit can be fitted in lock-step."""
    if not fit.is_linear:
        return False
    return len(fit.estimable) == 1 and not fit.coordinates.exact and fit.residual is None


class LockstepModel:
    """Fit many responses to the design of a fitted model with one estimable grouping factor."""

    def __init__(self, model: LMMModel, fit: LMMFit) -> None:
        self._model = model
        self._coordinates, self._rows = standardised(model.design, model.covariance)
        position = next(i for i, one in enumerate(fit.random) if one.position is not None)
        self._products = self._rows.products().of_factors([position])
        self._covariance: DirectSum = model.covariance.factors[position]
        self._factor = self._products.factors[0]
        self._kernel = SingleFactorKernel(self._products)
        self._R = self._kernel.R
        self._kinds = LevelKinds(self._factor.ZtWZ, self._factor.multiplicity)
        self._codes = model.design.factors[position].codes
        self._X, self._Z = self._rows.A[:-1], self._rows.Z[position]
        self._sums = _sums_over_levels(self._Z, self._codes, self._R.shape[-1])
        self._between_X = self._between(self._level_sums(self._X))
        self._within_X = self._within(self._X, self._between_X)

    @property
    def pays(self) -> bool:
        """Tell whether the levels are of so few kinds that single fits would take longer."""
        return len(self._R) ** 4 * len(self._kinds.counts) <= MOST

    @property
    def batch(self) -> int:
        """Return how many responses may be fitted together without filling the memory."""
        k, _, n_levels = self._R.shape
        by_kind = max(k**4, k * k * (len(self._X) + 1)) * len(self._kinds.counts)
        by_level = k * k * (len(self._X) + 1) * n_levels
        return max(1, ROOM // max(len(self._codes), by_kind, by_level))

    def fit(self, responses: FloatArray) -> ManyFits:
        """Fit the model to each response, (m, n)."""
        # A response that X explains exactly is NaN all through, and left to an ordinary fit.
        with np.errstate(invalid="ignore"):
            working = working_responses(self._rows, responses)
            moments, scores = self._moments(working.y)
            objective = ManyResponses(moments, self._covariance, reml=self._model.reml)
            optima = self._search(objective, starts_of_many(objective, self._kernel, scores))
            for other in self._other_starts(objective, optima.at.theta):
                found = self._search(objective, other)
                worse = optima.at.value > found.at.value + SAME
                better = found.converged & (worse | ~optima.converged)
                optima[better] = found[better]
            at = optima.at
            sigma, factors = np.sqrt(at.r2 / objective.nu), [objective.factors(at.theta)]
            fits = ManyFits(at.beta, sigma, -0.5 * at.value, factors, optima.converged)
            return working.in_units(fits, self._coordinates, nu=objective.nu, reml=self._model.reml)

    def _search(self, objective: ManyResponses, start: FloatArray) -> ManyOptima:
        """Search for the optimum of each response from a start of its own."""
        optima = newton_in_lockstep(
            objective, start, tol=self._model.tol, max_iter=self._model.max_iter
        )
        _snap_to_boundary(objective, optima)
        return optima

    def _other_starts(self, objective: ManyResponses, theta: FloatArray) -> Iterator[FloatArray]:
        """Yield where else to start if several optima are likely, as for a single fit."""
        joint, products = JointCovariance((self._covariance,)), [self._factor]
        if is_lopsided(products):
            points = np.array(lattice(joint, products))
            everywhere = np.broadcast_to(points[:, None], (len(points), *theta.shape))
            yield from _lowest(objective, everywhere, N_STARTS)
        if has_corners(joint, products):
            points = np.array([corners(joint, one) for one in theta])
            yield from _lowest(objective, points.swapaxes(0, 1), N_CORNERS)

    def _level_sums(self, columns: FloatArray) -> FloatArray:
        """Return Z'W of some columns, (m, n), of each level: (m, k, n_levels)."""
        k, _, n_levels = self._R.shape
        summed = np.asarray(self._sums @ columns.T).reshape(k, n_levels, -1)
        return np.ascontiguousarray(summed.transpose(2, 0, 1))

    def _between(self, level_sums: FloatArray) -> FloatArray:
        """Return c = Q'W^(1/2) of some columns from their Z'W, of the same shape."""
        return solve_lower_over_groups(self._R, level_sums.copy(), semidefinite=True)

    def _within(self, columns: FloatArray, between: FloatArray) -> FloatArray:
        """Return what the random effects cannot change of some columns, (m, n)."""
        coefficients = solve_lower_transposed_over_groups(self._R, between.copy())
        left = columns.copy()
        for Z_j, by_level in zip(self._Z, coefficients.swapaxes(0, 1), strict=True):
            left -= by_level[:, self._codes] * Z_j
        return left

    def _moments(self, responses: FloatArray) -> tuple[Moments, FloatArray]:
        """Return what the likelihoods need of working responses, and their Z'Wy."""
        scores = self._level_sums(responses)
        X, y = self._between_X, self._between(scores)
        left_X, left_y = self._within_X, self._within(responses, y)
        counts = self._model.design.weights.group_counts
        counted = repeated(left_X, counts)
        m, p, sums = len(y), len(X), self._kinds.sums
        n_cells = len(self._R) ** 2 * len(self._kinds.counts)
        XX = sums(X[:, None, :, None] * X[None, :, None, :]).reshape(p, p, n_cells)
        Xy = sums(X[None, :, :, None] * y[:, None, None]).reshape(m, p, n_cells)
        moments = Moments(
            R=self._R[:, :, self._kinds.first],
            counts=self._kinds.counts,
            n_rows=self._products.n_rows,
            sum_log_weights=self._products.sum_log_weights,
            within_XX=counted @ left_X.T,
            within_Xy=left_y @ counted.T,
            within_yy=repeated(left_y**2, counts).sum(axis=1),
            XX=np.ascontiguousarray(XX.transpose(2, 0, 1)),
            Xy=np.ascontiguousarray(Xy.swapaxes(1, 2)),
            yy=sums(y[:, :, None] * y[:, None]).reshape(m, n_cells),
        )
        return moments, scores


def _sums_over_levels(Z: FloatArray, codes: NDArray[np.intp], n_levels: int) -> sparse.csr_array:
    """Return the matrix Z' of all levels, effect by effect: (k n_levels, n)."""
    k, n = Z.shape
    rows = np.add.outer(n_levels * np.arange(k), codes).ravel()
    columns = np.tile(np.arange(n), k)
    return sparse.csr_array((Z.ravel(), (rows, columns)), shape=(k * n_levels, n))


def _lowest(objective: ManyResponses, points: FloatArray, n_points: int) -> FloatArray:
    """Return the best of several points of each response, (n_points, m, n_parameters)."""
    values = np.array([objective.values(point) for point in points])
    values[~np.isfinite(values)] = np.inf
    best = np.argsort(values, axis=0, kind="stable")[:n_points]
    return np.asarray(np.take_along_axis(points, best[:, :, None], axis=0))


def _snap_to_boundary(objective: ManyResponses, optima: ManyOptima) -> None:
    """Set vanishing standard deviations to exactly 0, as for a single fit."""
    covariance, Lambda = objective.covariance, objective.factors(optima.at.theta)
    which = np.flatnonzero(is_near_boundary(covariance, Lambda) & optima.converged)
    if not len(which):
        return
    theta = parameters_of_many(covariance, boundary_roots(covariance, Lambda[which]))
    at = objective(theta, which)
    kept = at.value <= optima.at.value[which] + SAME
    optima.at[which[kept]] = at[kept]
