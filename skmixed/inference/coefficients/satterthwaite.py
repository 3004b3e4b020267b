"""Satterthwaite's degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.fitting.variance_parameters import covariance_derivatives, parameter_covariance
from skmixed.inference.coefficients.covariance_solve import quadratic_forms
from skmixed.inference.coefficients.df_rule import (
    DegreesOfFreedom,
    FixedEffectsTheory,
    estimated_covariance,
)
from skmixed.inference.coefficients.marginal_fit import marginal_model
from skmixed.inference.coefficients.marginal_information import Information, marginal_information

__all__ = ["Satterthwaite", "satterthwaite_of_marginal"]

FloatArray = NDArray[np.float64]

# lmerTest's figure: degrees of freedom that differ by less count as equal.
EQUAL = 1e-8
# Where an estimated variance varies by less, relative to itself and squared, it is known.
KNOWN = 1e-15


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
            variation = np.einsum("nm,ml,nl->n", relative, self.parameters, relative)
            return np.where(variation <= KNOWN, np.inf, 2.0 / variation)

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


class Satterthwaite(DegreesOfFreedom):
    """Match the variance of the estimated variance to that of a chi-squared variable.

        df = 2 (c'Cc)^2 / Var(c'Cc),    Var(c'Cc) = g'A g

    with C the covariance of the coefficients, g the gradient of c'Cc in the variance parameters and
    A the covariance of their estimates (Satterthwaite 1946; Giesbrecht and Burns 1985).
    """

    description: ClassVar[str] = "t distribution, Satterthwaite's degrees of freedom"

    def at(self, fit: LMMFit) -> FixedEffectsTheory:
        """Apply the rule to a fit, which needs its rows for the expected information."""
        fit.require_gaussian("Satterthwaite's method", "use df_method='normal'")
        fit.require_likelihood()
        if self.information == "expected":
            rows = self.rows("The expected information")
            return satterthwaite_of_marginal(fit, rows, "expected")
        return _Satterthwaite(
            estimated_covariance(fit.fixed),
            covariance_derivatives(fit),
            parameter_covariance(fit),
        )


def satterthwaite_of_marginal(
    fit: LMMFit, model: LMMModel, information: Information
) -> FixedEffectsTheory:
    """Apply Satterthwaite's rule, which depends on no parametrisation, in natural parameters."""
    marginal = marginal_model(fit, model)
    parts = marginal_information(marginal, reml=fit.reml)
    root = fit.working_sigma * fit.coordinates.fixed.matrix @ marginal.covariance
    return _Satterthwaite(
        estimated_covariance(fit.fixed),
        root @ parts.changes @ root.T,
        parts.parameter_covariance(information),
    )
