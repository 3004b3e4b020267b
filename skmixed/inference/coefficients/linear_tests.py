"""Tests of linear hypotheses on the fixed effects: one by one, and together."""

from __future__ import annotations

from typing import Any

import pandas as pd

from skmixed.inference.coefficients.linear_hypotheses import read_hypotheses
from skmixed.inference.coefficients.rules import rule_for
from skmixed.inference.coefficients.wald import f_test, t_tests
from skmixed.inference.inputs import fitted_model_of

__all__ = ["t_test", "wald_test"]


def t_test(
    fitted: Any, hypotheses: Any, *, df_method: str | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Test linear hypotheses on the fixed effects, each by a two-sided t test.

    Parameters
    ----------
    fitted : MixedLMResults, fitted estimator or LMMFit
    hypotheses : str, list of str, mapping, array-like or (array-like, array-like)
        Equations in the names of the coefficients, ``"x1 = x2, x3 = 0"``; a mapping of names to
        values; or contrasts of shape (n, p) or (p,), alone (against 0) or with their values under
        the hypothesis. The columns of a data frame of contrasts are names of coefficients.
    df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
            "residual", "normal"}, optional
        By default that of the results, or Satterthwaite's.
    conf_level : float, default=0.95
        Of the limits.

    Returns
    -------
    DataFrame
        One row for each hypothesis, with columns term (the equation), estimate (of its left side),
        se, df, statistic, p_value, lower and upper.

    Raises
    ------
    ValueError
        If a hypothesis cannot be read, names an unknown or aliased coefficient, or says nothing.

    See Also
    --------
    wald_test : Test several hypotheses together.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import t_test
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> tests = t_test(results, "Days = 10, Intercept + 9 * Days = 350")
    >>> tests[["term", "estimate", "se", "df", "p_value"]].round(3)
                             term  estimate      se    df  p_value
    0                   Days = 10    10.467   1.546  17.0    0.766
    1  Intercept + 9 * Days = 350   345.611  14.629  17.0    0.768
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    read = read_hypotheses(hypotheses, fit.fixed)
    tests = t_tests(fit, read.contrasts, rule_for(found, df_method), null=read.values)
    return tests.table(read.labels, conf_level)


def wald_test(fitted: Any, hypotheses: Any, *, df_method: str | None = None) -> pd.DataFrame:
    """Test linear hypotheses on the fixed effects together, by an F test.

    Parameters
    ----------
    fitted : MixedLMResults, fitted estimator or LMMFit
    hypotheses : str, list of str, mapping, array-like or (array-like, array-like)
        As for `t_test`; one that follows from the others adds nothing.
    df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
            "residual", "normal"}, optional
        By default that of the results, or Satterthwaite's. ``"normal"`` compares ``df_num`` times F
        with the chi-squared distribution.

    Returns
    -------
    DataFrame
        One row, with columns term (the equations), df_num, df_denom, statistic and p_value.

    Raises
    ------
    ValueError
        If a hypothesis cannot be read, names an unknown or aliased coefficient, or says nothing; or
        if they contradict each other.

    See Also
    --------
    t_test : Test each hypothesis alone.
    anova_terms : Test each term of a formula.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import wald_test
    >>> results = mixedlm("Reaction ~ Days + I(Days ** 2) + (Days | Subject)", load_sleepstudy())
    >>> wald_test(results, "Days = 0, I(Days ** 2) = 0").round(3)
                             term  df_num  df_denom  statistic  p_value
    0  Days = 0, I(Days ** 2) = 0       2    51.563     23.754      0.0
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    read = read_hypotheses(hypotheses, fit.fixed)
    read.require_consistency()
    test = f_test(fit, read.contrasts, rule_for(found, df_method), null=read.values)
    return pd.DataFrame(
        {
            "term": [", ".join(read.labels)],
            "df_num": int(test.df_num),
            "df_denom": test.df_denom,
            "statistic": test.statistic,
            "p_value": test.p_value,
        }
    )
