"""Wald tests and limits of the fixed effects, for any rule of degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmixed.fitting.lmm_fit import LMMFit

__all__ = [
    "DF_METHODS",
    "CoefficientTests",
    "DegreesOfFreedom",
    "NormalApproximation",
    "coefficient_tests",
]

FloatArray = NDArray[np.float64]


class DegreesOfFreedom(Protocol):
    """Give the degrees of freedom of the t distribution of each coefficient.

    Attributes
    ----------
    description : str
        The reference distribution, as a summary names it.
    """

    description: ClassVar[str]

    def of_coefficients(self, fit: LMMFit) -> FloatArray:
        """Return the degrees of freedom, shape (p,)."""
        ...


class NormalApproximation:
    """Take the estimates as normally distributed: infinitely many degrees of freedom."""

    description: ClassVar[str] = "normal distribution"

    def of_coefficients(self, fit: LMMFit) -> FloatArray:
        """Return infinity for every coefficient."""
        return np.full(len(fit.fixed.names), np.inf)


DF_METHODS: Mapping[str, DegreesOfFreedom] = {"normal": NormalApproximation()}


@dataclass(frozen=True, slots=True, eq=False)
class CoefficientTests:
    """Hold each coefficient's estimate and its test against 0; NaN where it is aliased.

    Attributes
    ----------
    estimates, standard_errors, df, statistics, p_values : ndarray of shape (p,)
    """

    estimates: FloatArray
    standard_errors: FloatArray
    df: FloatArray
    statistics: FloatArray
    p_values: FloatArray

    def limits(self, level: float) -> FloatArray:
        """Return the limits of the two-sided confidence intervals, shape (p, 2).

        Raises
        ------
        ValueError
            If level is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise ValueError(
                f"The confidence level must be between 0 and 1, got {level!r}. "
                "Use 0.95 for limits of 95 %."
            )
        reach = stats.t.isf(0.5 * (1.0 - level), self.df) * self.standard_errors
        return np.column_stack([self.estimates - reach, self.estimates + reach])


def coefficient_tests(fit: LMMFit, method: DegreesOfFreedom) -> CoefficientTests:
    """Test each coefficient against 0 with the t distribution (two-sided).

    Parameters
    ----------
    fit : LMMFit
    method : DegreesOfFreedom
    """
    estimates = fit.fixed.coefficients
    standard_errors = np.sqrt(np.diagonal(fit.fixed.covariance))
    df = np.where(fit.fixed.aliased, np.nan, method.of_coefficients(fit))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = estimates / standard_errors
    p_values = np.asarray(2.0 * stats.t.sf(np.abs(statistics), df))
    return CoefficientTests(estimates, standard_errors, df, statistics, p_values)
