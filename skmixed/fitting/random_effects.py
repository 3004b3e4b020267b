"""The random effects of a finished fit, one grouping factor at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesdd

from skmixed.covariance import DirectSum, NaturalParameter
from skmixed.covariance.effect_parameters import SINGULAR
from skmixed.design.coordinates import RandomCoordinates
from skmixed.design.design import TermLayout
from skmixed.design.groups import Levels
from skmixed.likelihood.batched import cholesky_over_groups
from skmixed.likelihood.errors import ConditionalErrors
from skmixed.saving.fields import FieldState

__all__ = ["SINGULAR", "FactorDescription", "RandomEffects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FactorDescription:
    """Hold what a fit knows of one grouping factor before anything is estimated."""

    levels: Levels
    terms: tuple[TermLayout, ...]
    covariance: DirectSum
    coordinates: RandomCoordinates
    sizes: NDArray[np.intp]  # Rows of each level.
    precision: FloatArray  # Sum of the weights of each level's rows.
    mean_square: FloatArray  # Mean of z z' over the rows, standardised columns.
    position: int | None  # Among the estimable factors; None where it is not.

    @property
    def name(self) -> str:
        """Name the grouping factor."""
        return self.levels.name

    @property
    def effect_names(self) -> tuple[str, ...]:
        """Name the effects of one level."""
        return tuple(name for term in self.terms for name in term.effect_names)

    @property
    def estimable(self) -> bool:
        """Tell whether the rows say anything of the variances."""
        return self.position is not None

    def with_estimates(self, **estimates: Any) -> RandomEffects:
        """Add what a fit estimates of the factor."""
        known = {field.name: getattr(self, field.name) for field in fields(FactorDescription)}
        return RandomEffects(**known, **estimates)


@dataclass(frozen=True, eq=False)
class RandomEffects(FieldState, FactorDescription):
    """Hold the random effects of one grouping factor.

    The arrays named ``standardised_*`` are in standardised columns and units of the working
    response; the properties carry them over to the user's units.
    """

    sigma: float  # Of a residual at weight 1, in units of y.
    response_scale: float
    weight_scale: float
    standardised_factor: FloatArray  # Lambda
    standardised_modes: FloatArray  # (n_levels, k)
    standardised_scores: FloatArray  # (rank, k, n_levels): Z'V^-1 X of each level.
    errors: ConditionalErrors  # Of all estimable factors.

    @property
    def working_sigma(self) -> float:
        """Return the residual standard deviation at mean weight, which Lambda is relative to."""
        return self.sigma / math.sqrt(self.weight_scale)

    @property
    def relative_matrix(self) -> FloatArray:
        """Return what makes the relative factor of a standardised one, shape (k, k)."""
        return self.coordinates.matrix / math.sqrt(self.weight_scale)

    @cached_property
    def natural_parameters(self) -> list[tuple[NaturalParameter, ...]]:
        """Return those of each term as functions of its theta, in standardised columns."""
        return self.covariance.natural_parameters(self.relative_matrix)

    @cached_property
    def relative_factor(self) -> FloatArray:
        """Return a root of Psi, the covariance of the effects relative to sigma^2, shape (k, k)."""
        return self.relative_matrix @ self.standardised_factor

    @cached_property
    def theta(self) -> FloatArray:
        """Return the parameters of the relative covariance factor, in lme4's order."""
        return self.covariance.parameters(self.relative_factor)

    @cached_property
    def effect_covariance(self) -> FloatArray:
        """Return the covariance of the effects of one level, shape (k, k)."""
        root = self.sigma * self.relative_factor
        return root @ root.T

    @cached_property
    def modes(self) -> FloatArray:
        """Return the conditional modes (BLUPs), shape (n_levels, k)."""
        return self.response_scale * self.standardised_modes @ self.coordinates.matrix.T

    @cached_property
    def standardised_cross(self) -> FloatArray:
        """Return c = D Z'WX = Psi Z'V^-1 X of each level, shape (n_levels, k, rank).

        Where beta_hat errs by d, the modes err by -c d.
        """
        Psi = self.standardised_factor @ self.standardised_factor.T
        return np.einsum("qr,irg->gqi", Psi, self.standardised_scores)

    @cached_property
    def conditional_covariance(self) -> FloatArray:
        """Return each level's covariance of the effects given the data, shape (n_levels, k, k).

        It is made from a root: far from the origin of a column the parts of a variance almost
        cancel, and rounding must not leave less than nothing.
        """
        k = len(self.standardised_factor)
        if self.position is None:
            return np.zeros((len(self.levels), k, k))
        D = np.moveaxis(self.errors.covariances()[self.position], 0, -1)
        root = np.moveaxis(cholesky_over_groups(D, semidefinite=True), -1, 0)
        root = self.working_sigma * self.coordinates.matrix @ root
        return np.asarray(root @ root.swapaxes(1, 2))

    @property
    def mean_variance(self) -> float:
        """Return the variance that the effects give y, mean of the rows (Johnson 2014)."""
        spread = self.standardised_factor.T @ self.mean_square @ self.standardised_factor
        return float(np.trace(spread)) * self.working_sigma**2

    @property
    def boundary(self) -> bool:
        """Tell whether the covariance of some term has less than full rank."""
        parts = (self.standardised_factor[effects] for effects in self.covariance.effect_slices)
        return any(dgesdd(part, compute_uv=0)[1][-1] < SINGULAR for part in parts)
