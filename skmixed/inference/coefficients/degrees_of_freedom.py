"""Rules for the reference distributions of tests of the fixed effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import FixedEffects, LMMFit
from skmixed.fitting.variance_parameters import (
    covariance_derivatives,
    parameter_covariance,
)
from skmixed.inference.coefficients.kenward_roger import KenwardRoger, kenward_roger
from skmixed.inference.coefficients.quadratic_forms import quadratic_forms

__all__ = ["DF_METHODS", "DegreesOfFreedom", "FixedEffectsTheory", "default_df_method"]

FloatArray = NDArray[np.float64]

# lmerTest's figure: degrees of freedom that differ by less count as equal.
EQUAL = 1e-8


class FixedEffectsTheory(Protocol):
    """What one rule says of the coefficients of one fit."""

    @property
    def covariance(self) -> FloatArray:
        """Return the covariance of the coefficients, shape (p, p); 0 for aliased ones."""
        ...

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the t test of each row of contrasts, (n, p)."""
        ...

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return denominator degrees and scale of the F statistic of independent contrasts."""
        ...


class DegreesOfFreedom(Protocol):
    """A rule for the reference distribution.

    Attributes
    ----------
    description : str
        The reference distribution, as a summary names it.
    """

    description: ClassVar[str]

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Constant:
    """The same degrees of freedom for every test."""

    covariance: FloatArray
    df: float

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom for each row."""
        return np.full(len(contrasts), self.df)

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return the degrees of freedom; the statistic is not scaled."""
        return self.df, 1.0


class Normal:
    """Take the estimates as normally distributed: infinitely many degrees of freedom."""

    description: ClassVar[str] = "normal distribution"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        return _Constant(_estimated(fit.fixed), np.inf)


class Residual:
    """Count the rows, less the coefficients, as if there were no groups."""

    description: ClassVar[str] = "t distribution, residual degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        df = fit.n_rows - len(fit.fixed.standardised)
        return _Constant(_estimated(fit.fixed), df)


class SampledGroups:
    """Count the sampled groups less one, beside the sandwich covariance of a weighted sample."""

    description: ClassVar[str] = "t distribution, groups less one, sandwich standard errors"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit.

        Raises
        ------
        ValueError
            If its weights are not those of a sample.
        """
        if fit.n_sampled is None:
            raise ValueError(
                "df_method='design' is for weight_type='sampling'. Use 'satterthwaite', or "
                "inference.robust_covariance for the sandwich without such weights."
            )
        return _Constant(_estimated(fit.fixed), fit.n_sampled - 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Satterthwaite:
    """The covariance with its derivatives in the variance parameters, and their covariance."""

    covariance: FloatArray
    derivatives: FloatArray
    parameters: FloatArray

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return 2 (c'Cc)^2 / Var(c'Cc) for each row."""
        variances = quadratic_forms(contrasts, self.covariance)
        slopes = quadratic_forms(contrasts, self.derivatives).T
        with np.errstate(divide="ignore", invalid="ignore"):
            # Relative to the variances, whose squares may leave the range of floating point.
            relative = slopes / variances[:, None]
            return np.asarray(2.0 / np.einsum("nm,ml,nl->n", relative, self.parameters, relative))

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Match the mean of F to that of independent t tests (Fai and Cornelius 1996)."""
        _, axes = np.linalg.eigh(contrasts @ self.covariance @ contrasts.T)
        df = self.t_df(axes.T @ contrasts)
        q = len(df)
        if q == 1 or np.ptp(df) < EQUAL:
            return float(df.mean()), 1.0
        if (df <= 2.0).any():
            return 2.0, 1.0
        expected = float((df / (df - 2.0)).sum())
        return 2.0 * expected / (expected - q), 1.0


class Satterthwaite:
    """Match the variance of the estimated variance to that of a chi-squared variable.

        df = 2 (c'Cc)^2 / Var(c'Cc),    Var(c'Cc) = g'A g

    with C the covariance of the coefficients, g the gradient of c'Cc in the variance parameters and
    A the covariance of their estimates (Satterthwaite 1946; Giesbrecht and Burns 1985).
    """

    description: ClassVar[str] = "t distribution, Satterthwaite's degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit.

        Raises
        ------
        ValueError
            If the likelihood is a pseudo-likelihood.
        """
        fit.require_likelihood()
        return _Satterthwaite(
            _estimated(fit.fixed),
            covariance_derivatives(fit),
            parameter_covariance(fit),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _KenwardRoger:
    """The adjustment in standardised columns with sigma = 1, and the map to the user's."""

    adjustment: KenwardRoger
    matrix: FloatArray
    sigma: float

    @property
    def covariance(self) -> FloatArray:
        """Return the adjusted covariance."""
        root = self.sigma * self.matrix
        return root @ self.adjustment.covariance @ root.T

    def t_df(self, contrasts: FloatArray) -> FloatArray:
        """Return the degrees of freedom of the F test of each row alone."""
        return np.array([self.f_df(row[None])[0] for row in contrasts])

    def f_df(self, contrasts: FloatArray) -> tuple[float, float]:
        """Return denominator degrees and scale."""
        return self.adjustment.f_test(contrasts @ self.matrix)


class KenwardRogerRule:
    """Adjust the covariance for the variances being estimated, and match two moments of F.

    (Kenward and Roger 1997.)
    """

    description: ClassVar[str] = "t distribution, Kenward and Roger's degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit."""
        return _KenwardRoger(kenward_roger(fit), fit.coordinates.fixed.matrix, fit.working_sigma)


DF_METHODS: Mapping[str, DegreesOfFreedom] = {
    "satterthwaite": Satterthwaite(),
    "kenward-roger": KenwardRogerRule(),
    "residual": Residual(),
    "normal": Normal(),
    "design": SampledGroups(),
}


def _estimated(fixed: FixedEffects) -> FloatArray:
    """Return the covariance of the coefficients, 0 for those that are aliased."""
    out = fixed.aliased[:, None] | fixed.aliased
    return np.where(out, 0.0, fixed.covariance)


def default_df_method(fit: LMMFit) -> str:
    """Name the rule for a fit for which none is asked."""
    return "satterthwaite" if fit.n_sampled is None else "design"
