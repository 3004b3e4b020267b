"""The rows of a fitted model in the coordinates of its fit, as diagnostics read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.assemble import conditional_residuals
from skmixed.fitting.fitted_covariate import settled_residual
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.random_effects import RandomEffects
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.standardise import standardised_rows
from skmixed.inference.diagnostics.error_covariance import ErrorCovariance
from skmixed.inference.diagnostics.labelled_rows import LabelledRows, subtract_effects
from skmixed.likelihood.blocked import BlockedKernel
from skmixed.likelihood.choose import direct_cost
from skmixed.likelihood.iterative_errors import IterativeErrors
from skmixed.likelihood.memory import require_memory
from skmixed.residual.model import residual_groups

__all__ = ["ActiveBlock", "TrainingRows"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ActiveBlock:
    """Hold the white standardised columns Z (k, n) of a factor whose variances are estimated."""

    effects: RandomEffects
    Z: FloatArray
    codes: Codes

    @property
    def n_effects(self) -> int:
        """Count the effects of all levels."""
        return len(self.effects.levels) * len(self.Z)

    @property
    def scaled(self) -> FloatArray:
        """Return Lambda'Z', shape (k, n)."""
        return self.effects.standardised_factor.T @ self.Z


@dataclass(frozen=True, eq=False)
class TrainingRows(LabelledRows):
    """Hold a fit with the rows it was fitted to.

    The arrays are in standardised columns and units of the working response, and white: times the
    root of the relative weights, and after T of a residual structure, T R T' = I. So V = I + Z Psi
    Z'. Those that are called weighted are not after T, and have R + Z Psi Z'. X L_C are columns
    for which X'V^-1 X = I.
    """

    fit: LMMFit
    model: LMMModel

    @property
    def repeated(self) -> bool:
        """Tell whether a row stands for several."""
        return bool((self.copies != 1.0).any())

    @property
    def copies(self) -> FloatArray:
        """Return how often each row counts within its group, (n,)."""
        repetitions = self.design.weights.repetitions
        return np.ones(self.design.n_rows) if repetitions is None else repetitions

    @property
    def group_counts(self) -> FloatArray:
        """Return how often each row's group counts, (n,)."""
        counts = self.design.weights.group_counts
        return np.ones(self.design.n_rows) if counts is None else counts

    @cached_property
    def weighted(self) -> WhitenedRows:
        """Return the rows in the coordinates of the fit, times the root of the weights."""
        return standardised_rows(self.design, self.fit.coordinates).whitened()

    @cached_property
    def error_covariance(self) -> ErrorCovariance:
        """Return R of the weighted rows."""
        residual, fitted = settled_residual(self.model, self.fit), self.fit.residual
        at = None if residual is None or fitted is None else residual.at(fitted.rho, None)
        return ErrorCovariance(self.design.n_rows, at)

    @cached_property
    def whitened(self) -> WhitenedRows:
        """Return the white rows in the coordinates of the fit."""
        at = self.error_covariance.at
        return self.weighted if at is None else self.weighted.whitened(at)

    @cached_property
    def relative_precision(self) -> FloatArray:
        """Return the weight of each row over the mean weight in Var(e_i), shape (n,)."""
        if self.root is None or self.design.weights.precision is None:
            return np.ones(self.design.n_rows)
        return self.root**2

    @property
    def root(self) -> FloatArray | None:
        """Return the root of the relative weights, None where all are 1."""
        return self.weighted.plain.weighting.root

    @cached_property
    def deviations(self) -> FloatArray:
        """Return the standard deviation of each row's error, in units of y, (n,)."""
        relative = self.error_covariance.variances / self.relative_precision
        return np.asarray(self.fit.working_sigma * np.sqrt(relative))

    @property
    def fixed(self) -> FloatArray:
        """Return the fixed-effects columns, shape (p, n)."""
        return self.whitened.A[:-1]

    @cached_property
    def orthonormal(self) -> FloatArray:
        """Return L_C with L_C L_C' = (X'V^-1 X)^-1: columns X L_C are orthonormal in V^-1."""
        C = self.fit.fixed.unscaled_covariance
        return np.asarray(np.linalg.cholesky(C), dtype=np.float64)

    @cached_property
    def blocks(self) -> list[ActiveBlock]:
        """Return the factors whose variances are estimated."""
        return [
            ActiveBlock(effects, Z, factor.codes)
            for effects, Z, factor in zip(
                self.fit.random, self.whitened.Z, self.design.factors, strict=True
            )
            if effects.estimable
        ]

    @property
    def correlated(self) -> list[Codes]:
        """Return the levels of active factors, and the groups of correlated errors."""
        return [*(block.codes for block in self.blocks), self.error_covariance.groups]

    @cached_property
    def marginal(self) -> FloatArray:
        """Return y - X beta, shape (n,)."""
        return self.whitened.A[-1] - self.fit.fixed.standardised @ self.fixed

    @cached_property
    def conditional(self) -> FloatArray:
        """Return V^-1 (y - X beta) = y - X beta - Z b, shape (n,)."""
        return conditional_residuals(self.fit, self.whitened)

    @cached_property
    def conditional_fixed(self) -> FloatArray:
        """Return V^-1 X L_C, where V^-1 X = X - Z Psi Z'V^-1 X, shape (p, n)."""
        columns = self.fixed.copy()
        for block in self.blocks:
            subtract_effects(columns, block.effects, block.Z, block.codes)
        return self.orthonormal.T @ columns

    @cached_property
    def exact_fit(self) -> LMMFit:
        """Return the fit with the exact covariance of effects, which iterative fits estimate."""
        if not isinstance(self.fit.errors, IterativeErrors):
            return self.fit
        kept = [i for i, effects in enumerate(self.fit.random) if effects.estimable]
        products = self.whitened.products().of_factors(kept)
        names = [self.fit.random[i].name for i in kept]
        require_memory(
            direct_cost(products).n_bytes,
            f"The joint covariance of the effects of {names}, which this needs,",
            "Look at the conditional residuals instead.",
        )
        kernel = BlockedKernel(products)
        factors = [self.fit.random[i].standardised_factor for i in kept]
        return replace(self.fit, errors=kernel.errors(kernel.whiten(factors), factors))

    @property
    def sigma(self) -> float:
        """Return the residual standard deviation in units of the working response."""
        return self.fit.standardised_sigma

    @cached_property
    def precise_conditional(self) -> FloatArray:
        """Return V^-1 (y - X beta) of the weighted rows, shape (n,)."""
        return self.error_covariance.precise(self.conditional[None])[0]

    @cached_property
    def precise_fixed(self) -> FloatArray:
        """Return V^-1 X L_C of the weighted rows, shape (p, n)."""
        return self.error_covariance.precise(self.conditional_fixed)

    @cached_property
    def precise_effects(self) -> list[FloatArray]:
        """Return R^-1 Z of the weighted rows for each of the factors, (k, n)."""
        return [self.error_covariance.precise(block.Z) for block in self.blocks]

    @cached_property
    def weighted_marginal(self) -> FloatArray:
        """Return y - X beta of the weighted rows, shape (n,)."""
        return self.error_covariance.colour(self.marginal[None])[0]

    @cached_property
    def weighted_fixed(self) -> FloatArray:
        """Return X L_C of the weighted rows, shape (p, n)."""
        return self.error_covariance.colour(self.orthonormal.T @ self.fixed)

    @cached_property
    def weighted_effects(self) -> list[FloatArray]:
        """Return Lambda'Z' of the weighted rows for each of the factors, (k, n)."""
        return [self.error_covariance.colour(block.scaled) for block in self.blocks]

    @property
    def effect_variances(self) -> FloatArray:
        """Return the diagonal of Z Psi Z' of the weighted rows, (n,)."""
        parts = (np.sum(one**2, axis=0) for one in self.weighted_effects)
        return np.sum([np.zeros(self.design.n_rows), *parts], axis=0)

    def in_units_of_y(self, residuals: FloatArray) -> FloatArray:
        """Return weighted residuals as the user sees them: without weights, in units of y."""
        scaled = self.fit.coordinates.response_scale * residuals
        return scaled if self.root is None else scaled / self.root

    @property
    def factors(self) -> list[GroupingFactor]:
        """Return the grouping factors; without any, the groups whose errors are correlated."""
        residual = self.model.residual
        groups = None
        if not self.design.factors and residual is not None:
            groups = residual_groups(residual.learned.structure, self.design)
        return super().factors if groups is None else [groups]
