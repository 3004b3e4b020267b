"""The effects and the coefficients of each group, and how far they are from their estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects
from skmixed.prediction.predict import within_levels

__all__ = ["GroupSums", "group_coefficients", "group_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """Estimate sums B beta + C b for each level of one grouping factor, level by level.

    Given the variances, b_hat errs by -c d where beta_hat errs by d, with c = D Z'WX, and by what
    the data of the level leave open, with variance sigma^2 D (Henderson 1975, section 5). The sums
    err by (B - C c) d and C times the latter.

    Attributes
    ----------
    of_beta : ndarray of shape (m, p)
        B.
    of_effects : ndarray of shape (m, k)
        C.
    known_beta : ndarray of shape (rank,) or None
        Standardised coefficients, if they are to be taken as known. B is then 0.
    """

    names: tuple[str, ...]
    factor: int
    of_beta: FloatArray
    of_effects: FloatArray
    known_beta: FloatArray | None = None

    def mean_of(self, fit: LMMFit) -> FloatArray:
        """Return the estimates, shape (n_levels * m,)."""
        effects = fit.random[self.factor]
        modes = effects.modes
        if self.known_beta is not None:
            moved = effects.standardised_cross @ (fit.fixed.standardised - self.known_beta)
            modes = modes + effects.response_scale * moved @ effects.coordinates.matrix.T
        return (self.of_beta @ fit.fixed.coefficients + modes @ self.of_effects.T).ravel()

    def variance_of(self, fit: LMMFit) -> FloatArray:
        """Return the variances of their errors; NaN where a coefficient is aliased."""
        effects = fit.random[self.factor]
        variances = np.empty((len(effects.levels), len(self.names)))
        variances[:] = np.sum((self._fixed_part(fit) @ _root_of_beta(fit)) ** 2, axis=1)
        varying = np.flatnonzero(self.of_effects.any(axis=1))
        variances[:, varying] = self._given_beta(fit, varying).T
        if self.known_beta is None:
            errors = np.tensordot(_root_of_beta(fit), self._moved(fit, varying), axes=(0, 1))
            variances[:, varying] += np.einsum("img,img->gm", errors, errors)
        variances[:, self._aliased(fit)] = np.nan
        return variances.ravel()

    def covariance_of(self, fit: LMMFit) -> FloatArray:
        """Return the covariance of their errors; NaN where a coefficient is aliased."""
        effects = fit.random[self.factor]
        n_levels, m = len(effects.levels), len(self.names)
        covariance = np.zeros((n_levels * m, n_levels * m))
        if self.known_beta is None:
            moved = self._moved(fit, np.arange(m)).transpose(2, 0, 1).reshape(n_levels * m, -1)
            errors = moved @ _root_of_beta(fit)
            covariance += errors @ errors.T
        Z = np.tile((self.of_effects @ effects.coordinates.matrix).T, n_levels)
        columns = [
            Z if one is effects else np.zeros((len(one.standardised_factor), n_levels * m))
            for one, _ in fit.estimable
        ]
        own = np.repeat(np.arange(n_levels), m)
        codes = [own if one is effects else np.zeros_like(own) for one, _ in fit.estimable]
        for root, shared in fit.errors.parts(columns, codes):
            covariance += fit.working_sigma**2 * within_levels(root, shared)
        aliased = np.tile(self._aliased(fit), n_levels)
        covariance[aliased] = covariance[:, aliased] = np.nan
        return covariance

    def by_level(self, values: FloatArray) -> FloatArray:
        """Return something of all sums as an array of shape (n_levels, m)."""
        return values.reshape(-1, len(self.names))

    def _fixed_part(self, fit: LMMFit) -> FloatArray:
        """Return what multiplies the errors of the standardised coefficients in B beta."""
        return self.of_beta @ fit.coordinates.fixed.matrix

    def _moved(self, fit: LMMFit, chosen: NDArray[np.intp]) -> FloatArray:
        """Return B - C c of some sums, by which they err with beta: (chosen, rank, n_levels)."""
        effects = fit.random[self.factor]
        C = self.of_effects[chosen] @ effects.coordinates.matrix
        root = effects.standardised_factor
        moved = np.tensordot(C @ root @ root.T, effects.standardised_scores, axes=(1, 1))
        return self._fixed_part(fit)[chosen, :, None] - moved

    def _given_beta(self, fit: LMMFit, chosen: NDArray[np.intp]) -> FloatArray:
        """Return the variances of some sums where beta is known, (chosen, n_levels)."""
        effects = fit.random[self.factor]
        if effects.position is None:
            return np.zeros((len(chosen), len(effects.levels)))
        C = self.of_effects[chosen] @ effects.coordinates.matrix
        D = fit.errors.covariances()[effects.position]
        squares = np.einsum("mq,mr->mqr", C, C).reshape(len(C), -1)
        # Rounding can leave less than nothing where effects are combinations of each other.
        return np.maximum(fit.working_sigma**2 * squares @ D.reshape(len(D), -1).T, 0.0)

    def _aliased(self, fit: LMMFit) -> NDArray[np.bool_]:
        """Tell which sums have a part in a coefficient that others explain."""
        return np.asarray(self.of_beta[:, fit.fixed.aliased].any(axis=1))


def group_effects(fit: LMMFit, effects: RandomEffects, *, beta_known: bool = False) -> GroupSums:
    """Return the random effects of each level.

    Parameters
    ----------
    beta_known : bool, default=False
        Whether beta is taken to be what was estimated, as in lme4's conditional variances.
    """
    names = effects.effect_names
    return GroupSums(
        names,
        fit.random.index(effects),
        np.zeros((len(names), len(fit.fixed.names))),
        np.eye(len(names)),
        fit.fixed.standardised if beta_known else None,
    )


def group_coefficients(fit: LMMFit, effects: RandomEffects) -> GroupSums:
    """Return the coefficients of each level: fixed effects, each with the random ones of its name.

    The random effects that no fixed effect stands for come last. The variance of a sum is less
    than the sum of both variances, because the two errors compensate. A coefficient without a
    random effect is the same in all levels.
    """
    fixed = fit.fixed.names
    names = tuple(dict.fromkeys(fixed + effects.effect_names))
    return GroupSums(
        names,
        fit.random.index(effects),
        np.eye(len(names), len(fixed)),
        np.equal.outer(names, effects.effect_names).astype(float),
    )


def _root_of_beta(fit: LMMFit) -> FloatArray:
    """Return a root of the covariance of the standardised coefficients."""
    return fit.working_sigma * fit.fixed.error_root
