"""Tests of linear hypotheses on the fixed effects, as users write them: singly, and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import FixedEffects
from skmixed.formula.algebra import linear_hypotheses
from skmixed.inference.coefficients.degrees_of_freedom import rule_for
from skmixed.inference.coefficients.wald import f_test, t_tests
from skmixed.inference.inputs import fitted_model_of

__all__ = ["t_test", "wald_test"]

FloatArray = NDArray[np.float64]

# Values that differ from what other hypotheses imply by more than this part contradict them.
CONTRADICTION = 1e-8


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
    contrasts, values, labels = _read(hypotheses, found.fit.fixed)
    tests = t_tests(found.fit, contrasts, rule_for(found, df_method), null=values)
    return tests.table(labels, conf_level)


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
    contrasts, values, labels = _read(hypotheses, fit.fixed)
    solution = np.linalg.lstsq(contrasts, values, rcond=None)[0]
    scale = np.abs(contrasts) @ np.abs(solution) + np.abs(values)
    if (np.abs(contrasts @ solution - values) > CONTRADICTION * scale).any():
        raise ValueError(
            f"The hypotheses contradict each other: {', '.join(labels)}. Expected "
            "equations that can hold together."
        )
    test = f_test(fit, contrasts, rule_for(found, df_method).at(fit), null=values)
    return pd.DataFrame(
        {
            "term": [", ".join(labels)],
            "df_num": int(test.df_num),
            "df_denom": test.df_denom,
            "statistic": test.statistic,
            "p_value": test.p_value,
        }
    )


def _read(hypotheses: Any, fixed: FixedEffects) -> tuple[FloatArray, FloatArray, list[str]]:
    """Return contrasts (n, p) and values (n,), however they were written, and them as equations."""
    names = list(fixed.names)
    texts = isinstance(hypotheses, list | tuple) and any(isinstance(h, str) for h in hypotheses)
    if texts or isinstance(hypotheses, str | Mapping):
        contrasts, values = linear_hypotheses(hypotheses, names)
    else:
        matrix, against = hypotheses if isinstance(hypotheses, tuple) else (hypotheses, 0.0)
        contrasts, values = _arrays(matrix, against, names)
    _require_estimates(contrasts, fixed)
    labels = [_label(row, value, names) for row, value in zip(contrasts, values, strict=True)]
    return contrasts, values, labels


def _arrays(contrasts: Any, values: Any, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return contrasts of shape (n, p) and values of shape (n,)."""
    if isinstance(contrasts, pd.Series):
        contrasts = contrasts.to_frame().T
    if isinstance(contrasts, pd.DataFrame):
        unknown = [column for column in contrasts.columns if column not in names]
        if unknown:
            raise ValueError(
                f"The contrasts name {unknown}, which are no coefficients of the model: expected "
                f"some of {list(names)}."
            )
        contrasts = contrasts.reindex(columns=list(names), fill_value=0.0)
    matrix = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not np.isfinite(matrix).all():
        raise ValueError(
            f"Contrasts are finite numbers of shape (n, {len(names)}), one column for each of "
            f"{list(names)}; got shape {np.shape(contrasts)}."
        )
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(flat) not in (1, len(matrix)) or not np.isfinite(flat).all():
        raise ValueError(
            f"Expected one finite value for each of the {len(matrix)} contrasts, got {values!r}."
        )
    return matrix, np.broadcast_to(flat, len(matrix))


def _require_estimates(contrasts: FloatArray, fixed: FixedEffects) -> None:
    """Raise ValueError unless every contrast is one of coefficients that have estimates."""
    if not contrasts.size or not contrasts.any(axis=1).all():
        raise ValueError(
            "A hypothesis has no coefficient in it: expected an equation such as 'x1 = x2', or a "
            "contrast that is not 0."
        )
    used = contrasts.any(axis=0)
    aliased = [name for name, bad in zip(fixed.names, used & fixed.aliased, strict=True) if bad]
    if aliased:
        raise ValueError(
            f"The hypothesis uses {aliased}, aliased with columns before them, so that they have "
            "no estimates. Leave them out of the hypothesis, or drop columns from the model."
        )


def _label(contrast: FloatArray, value: float, names: Sequence[str]) -> str:
    """Write a hypothesis as an equation."""
    text = ""
    for j in np.flatnonzero(contrast).tolist():
        size = abs(contrast[j])
        sign = ("- " if contrast[j] < 0 else "+ ") if text else ("-" if contrast[j] < 0 else "")
        text += f"{' ' if text else ''}{sign}{'' if size == 1.0 else f'{size:.6g} * '}{names[j]}"
    return f"{text} = {value + 0.0:.6g}"
