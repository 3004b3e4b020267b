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
from skmixed.inference.coefficients.covariance_solve import covariance_solve
from skmixed.inference.coefficients.degrees_of_freedom import DegreesOfFreedom, FixedEffectsTheory
from skmixed.inference.coefficients.quadratic_forms import quadratic_forms

__all__ = [
    "FTest",
    "TTests",
    "check_level",
    "f_test",
    "f_test_of",
    "independent_rows",
    "t_tests",
    "t_tests_of",
]

FloatArray = NDArray[np.float64]

# A row of contrasts whose part outside the span of the others is smaller adds nothing.
DEPENDENT = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TTests:
    """Hold estimates and their tests, one by one; NaN where nothing can be estimated.

    A standard error of 0, of a model that explains y exactly, leaves no test either.

    Attributes
    ----------
    estimates, standard_errors, df, statistics, p_values : ndarray of shape (n,)
    """

    estimates: FloatArray
    standard_errors: FloatArray
    df: FloatArray
    statistics: FloatArray
    p_values: FloatArray

    def limits(self, level: float) -> FloatArray:
        """Return the limits of the two-sided confidence intervals, shape (n, 2).

        Raises
        ------
        ValueError
            If level is not between 0 and 1.
        """
        reach = stats.t.isf(0.5 * (1.0 - check_level(level)), self.df) * self.standard_errors
        return np.column_stack([self.estimates - reach, self.estimates + reach])

    def table(self, terms: Iterable[str], level: float) -> pd.DataFrame:
        """Return one row for each test.

        Parameters
        ----------
        terms : iterable of str
            Names of the n tests.
        level : float
            Of the limits.

        Returns
        -------
        DataFrame
            With columns term, estimate, se, df, statistic, p_value, lower, upper.

        Raises
        ------
        ValueError
            If level is not between 0 and 1.
        """
        limits = self.limits(level)
        return pd.DataFrame(
            {
                "term": list(terms),
                "estimate": self.estimates,
                "se": self.standard_errors,
                "df": self.df,
                "statistic": self.statistics,
                "p_value": self.p_values,
                "lower": limits[:, 0],
                "upper": limits[:, 1],
            }
        )


@dataclass(frozen=True, slots=True)
class FTest:
    """Hold a joint test of several linear combinations; NaN where they have no errors.

    Attributes
    ----------
    statistic : float
        F, scaled where the rule scales it.
    unscaled : float
        F before the rule scaled it.
    """

    statistic: float
    df_num: float
    df_denom: float
    p_value: float
    unscaled: float


def t_tests(
    fit: LMMFit, contrasts: FloatArray, method: DegreesOfFreedom, *, null: float | FloatArray = 0.0
) -> TTests:
    """Test linear combinations of the coefficients, each with the t distribution (two-sided).

    Parameters
    ----------
    contrasts : ndarray of shape (n, p)
        A combination that uses an aliased coefficient has no estimate.
    null : float or ndarray of shape (n,), default=0
        Value of each combination under the hypothesis.
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
    """Test as `t_tests`, given a covariance of the coefficients and the degrees of freedom.

    Parameters
    ----------
    contrasts : ndarray of shape (n, p)
    covariance : ndarray of shape (p, p)
        0 for aliased coefficients.
    t_df : callable
        Returns the degrees of freedom of each row of contrasts.
    null : float or ndarray of shape (n,), default=0
    """
    told = ~(contrasts[:, fit.fixed.aliased] != 0.0).any(axis=1)
    own = contrasts[told]
    variances, df = np.full((2, len(contrasts)), np.nan)
    variances[told] = quadratic_forms(own, covariance)
    df[told] = t_df(own)
    # An adjustment for small samples can leave less than nothing of a variance.
    standard_errors = np.sqrt(np.where(variances < 0.0, np.nan, variances))
    estimates = contrasts @ fit.fixed.coefficients
    # Without an error to compare them with, estimates have no test.
    statistics = np.full(len(contrasts), np.nan)
    np.divide(estimates - null, standard_errors, out=statistics, where=standard_errors > 0.0)
    p_values = np.asarray(2.0 * stats.t.sf(np.abs(statistics), df))
    return TTests(estimates, standard_errors, df, statistics, p_values)


def f_test(
    fit: LMMFit, contrasts: FloatArray, method: DegreesOfFreedom, *, null: float | FloatArray = 0.0
) -> FTest:
    """Test several linear combinations of the coefficients together.

    Parameters
    ----------
    contrasts : ndarray of shape (n, p)
    null : float or ndarray of shape (n,), default=0
        Value of each combination under the hypothesis.

    Raises
    ------
    ValueError
        If no combination is left, or one uses an aliased coefficient.
    """
    return f_test_of(fit, contrasts, method.at(fit), null=null)


def f_test_of(
    fit: LMMFit,
    contrasts: FloatArray,
    theory: FixedEffectsTheory,
    *,
    null: float | FloatArray = 0.0,
) -> FTest:
    """Test as `f_test`, by a rule that was applied to the fit before."""
    if (contrasts[:, fit.fixed.aliased] != 0.0).any():
        raise ValueError(
            "A hypothesis uses a coefficient that is aliased with others, so that it has no "
            "estimate. Leave it out, or drop a column from the model."
        )
    rows = independent_rows(contrasts)
    if not len(rows):
        raise ValueError("The hypothesis is empty: expected a contrast that is not 0.")
    chosen = contrasts[rows]
    distance = chosen @ fit.fixed.coefficients - np.broadcast_to(null, len(contrasts))[rows]
    covariance = chosen @ theory.covariance @ chosen.T
    q = float(len(chosen))
    df, scale = theory.f_df(chosen)
    unscaled = float(distance @ covariance_solve(covariance, distance[:, None])[:, 0]) / q
    statistic = scale * unscaled
    return FTest(statistic, q, df, float(_f_sf(statistic, q, df)), unscaled)


def independent_rows(contrasts: FloatArray) -> NDArray[np.intp]:
    """Return the positions of the rows that are not combinations of those before them."""
    return np.flatnonzero(~aliased_rows(contrasts, DEPENDENT))


def _f_sf(statistic: float, df_num: float, df_denom: float) -> float:
    """Return the upper tail of F; that of chi-squared / df_num for infinite df_denom."""
    if np.isinf(df_denom):
        return float(stats.chi2.sf(statistic * df_num, df_num))
    return float(stats.f.sf(statistic, df_num, df_denom))


def check_level(level: float) -> float:
    """Return a confidence level that is one.

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
    return level
