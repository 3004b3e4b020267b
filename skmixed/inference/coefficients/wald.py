"""Wald tests of linear combinations of the fixed effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.design.coordinates import aliased_rows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.covariance_solve import covariance_solve, quadratic_forms
from skmixed.inference.coefficients.df_rule import DegreesOfFreedom, FixedEffectsTheory

__all__ = ["FTest", "TTests", "check_level", "f_test", "t_tests", "t_tests_of"]

FloatArray = NDArray[np.float64]

# A row of contrasts whose part outside the span of the others is smaller adds nothing.
DEPENDENT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TTests:
    """Hold estimates and their tests, one by one; NaN where nothing can be estimated.

    A standard error of 0, of a model that explains y exactly, leaves no test either.
    """

    estimates: FloatArray
    standard_errors: FloatArray
    df: FloatArray
    statistics: FloatArray
    p_values: FloatArray

    @classmethod
    def of(
        cls,
        estimates: FloatArray,
        standard_errors: FloatArray,
        df: float | FloatArray = np.inf,
        null: float | FloatArray = 0.0,
    ) -> TTests:
        """Test estimates by the t distribution (two-sided)."""
        # Without an error to compare them with, estimates have no test.
        statistics = np.full(len(estimates), np.nan)
        np.divide(estimates - null, standard_errors, out=statistics, where=standard_errors > 0.0)
        df = np.broadcast_to(df, len(estimates))
        p_values = np.asarray(2.0 * stats.t.sf(np.abs(statistics), df))
        return cls(estimates, standard_errors, df, statistics, p_values)

    def limits(self, level: float) -> FloatArray:
        """Return the limits of the two-sided confidence intervals, shape (n, 2)."""
        reach = stats.t.isf(0.5 * (1.0 - check_level(level)), self.df) * self.standard_errors
        return np.column_stack([self.estimates - reach, self.estimates + reach])

    def numbers(self, limits: FloatArray, p_values: FloatArray | None = None) -> pd.DataFrame:
        """Return one row of numbers for each test, with given limits of shape (n, 2)."""
        return pd.DataFrame(
            {
                "estimate": self.estimates,
                "se": self.standard_errors,
                "df": self.df,
                "statistic": self.statistics,
                "p_value": self.p_values if p_values is None else p_values,
                "lower": limits[:, 0],
                "upper": limits[:, 1],
            }
        )

    def table(self, terms: Iterable[str], level: float) -> pd.DataFrame:
        """Return one row for each test, the names of the tests first."""
        table = self.numbers(self.limits(level))
        table.insert(0, "term", list(terms))
        return table


@dataclass(frozen=True, slots=True)
class FTest:
    """Hold a joint test, NaN without errors; ``unscaled`` is F before the rule scaled it."""

    statistic: float
    df_num: float
    df_denom: float
    p_value: float
    unscaled: float


def t_tests(
    fit: LMMFit, contrasts: FloatArray, method: DegreesOfFreedom, *, null: float | FloatArray = 0.0
) -> TTests:
    """Test linear combinations (n, p) of the coefficients against ``null``, each by a t test.

    A combination that uses an aliased coefficient has no estimate.
    """
    theory = method.at(fit)
    return t_tests_of(fit, contrasts, theory.covariance, theory.t_df, null=null)


def t_tests_of(
    fit: LMMFit,
    contrasts: FloatArray,
    covariance: FloatArray,
    t_df: Callable[[FloatArray], FloatArray],
    *,
    null: float | FloatArray = 0.0,
) -> TTests:
    """Test as `t_tests`, given a covariance, 0 for aliased coefficients, and degrees of freedom."""
    estimable = ~(contrasts[:, fit.fixed.aliased] != 0.0).any(axis=1)
    own = contrasts[estimable]
    variances, df = np.full((2, len(contrasts)), np.nan)
    variances[estimable] = quadratic_forms(own, covariance)
    df[estimable] = t_df(own)
    # An adjustment for small samples can leave less than nothing of a variance.
    standard_errors = np.sqrt(np.where(variances < 0.0, np.nan, variances))
    return TTests.of(contrasts @ fit.fixed.coefficients, standard_errors, df, null)


def f_test(
    fit: LMMFit,
    contrasts: FloatArray,
    theory: FixedEffectsTheory,
    *,
    null: float | FloatArray = 0.0,
) -> FTest:
    """Test linear combinations (n, p) of the coefficients together, by one rule."""
    if (contrasts[:, fit.fixed.aliased] != 0.0).any():
        raise ValueError(
            "A hypothesis uses a coefficient that is aliased with others, so that it has no "
            "estimate. Leave it out, or drop a column from the model."
        )
    rows = np.flatnonzero(~aliased_rows(contrasts, DEPENDENT))
    if not len(rows):
        raise ValueError("The hypothesis is empty: expected a contrast that is not 0.")
    chosen = contrasts[rows]
    distance = chosen @ fit.fixed.coefficients - np.broadcast_to(null, len(contrasts))[rows]
    covariance = chosen @ theory.covariance @ chosen.T
    q = float(len(chosen))
    df, scale = theory.f_df(chosen)
    unscaled = float(distance @ covariance_solve(covariance, distance[:, None])[:, 0]) / q
    statistic = scale * unscaled
    return FTest(statistic, q, df, _f_sf(statistic, q, df), unscaled)


def _f_sf(statistic: float, df_num: float, df_denom: float) -> float:
    """Return the upper tail of F; that of chi-squared / df_num for infinite df_denom."""
    if np.isinf(df_denom):
        return float(stats.chi2.sf(statistic * df_num, df_num))
    return float(stats.f.sf(statistic, df_num, df_denom))


def check_level(level: float) -> float:
    """Return a confidence level, or raise ValueError if it is none."""
    if not 0.0 < level < 1.0:
        raise ValueError(
            f"The confidence level must be between 0 and 1, got {level!r}. "
            "Use 0.95 for limits of 95 %."
        )
    return level
