"""F tests of the fixed terms of one model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.coefficients.degrees_of_freedom import rule_for
from skmixed.inference.coefficients.term_space import TermSpace, term_space
from skmixed.inference.coefficients.wald import f_test
from skmixed.inference.inputs import fitted_model_of
from skmixed.prediction.fitted_model import FittedModel

__all__ = ["anova_terms", "marginal", "space_of", "type_number"]

FloatArray = NDArray[np.float64]

TYPES = {"1": 1, "2": 2, "3": 3, "I": 1, "II": 2, "III": 3}
COLUMNS = ["term", "sum_sq", "mean_sq", "df_num", "df_denom", "statistic", "p_value"]
# Without a residual variance there are no mean squares.
GENERALISED = ["term", "chi2", *COLUMNS[3:]]


def anova_terms(fitted: Any, *, type: int | str = 3, df_method: str | None = None) -> pd.DataFrame:
    """Test each fixed term of a model by an F test, or a Wald test; a factor is one term.

    Parameters
    ----------
    fitted : MixedLMResults or MixedGLMResults
        Of `mixedlm` or `mixedglm`, which keep the formula and the rows.
    type : {3, 2, 1, "III", "II", "I"}, default=3
        What is tested of a term. Type III: its effect averaged over the categories of the terms
        that contain it, each category counting the same; numbers are at 0, so that the main effect
        of a factor that interacts with a number is that where the number is 0. Type II: what the
        term adds to all terms that do not contain it. Type I: what it adds to the terms before it,
        where interactions come last.
    df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
            "residual", "normal"}, optional
        By default that of the results.

    Returns
    -------
    DataFrame
        One row for each term, in the order of the formula, with columns term, sum_sq, mean_sq,
        df_num, df_denom, statistic and p_value. ``mean_sq`` is the statistic times sigma^2 (for
        Kenward and Roger's method before it is scaled). A term whose columns are all explained by
        others has 0 ``df_num`` and no test. A generalised model has ``chi2``, Wald's statistic,
        instead of the squares; ``statistic`` is that over ``df_num``.

    Raises
    ------
    ValueError
        If there is no such type or method, or more fixed effects than rows.
    TypeError
        If there are no terms, or no rows, to find the hypotheses from.

    Notes
    -----
    With C the covariance of the coefficients and L the q x p matrix of a hypothesis,

        F = (L b)' (L C L')^-1 (L b) / q

    is compared with the F distribution of q and ``df_denom`` degrees of freedom (Fai and Cornelius
    1996; Kenward and Roger 1997). The hypotheses are those of SAS and lmerTest (Kuznetsova et al.
    2017); those of type III do not depend on the contrasts by which categories are coded. In a
    generalised model types I and II are those of ``car::Anova``: what a term adds is uncorrelated
    with the estimates of the terms left out, and an interaction with a number contains its terms.

    See Also
    --------
    drop_terms : Likelihood-ratio tests of the terms.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import anova_terms
    >>> results = mixedlm("Reaction ~ factor(Days) + (1 | Subject)", load_sleepstudy())
    >>> anova_terms(results).round(3)
               term      sum_sq    mean_sq  df_num  df_denom  statistic  p_value
    0  factor(Days)  166235.123  18470.569       9     153.0     18.703      0.0
    """
    hypotheses = HYPOTHESES[type_number(type)]
    found = fitted_model_of(fitted)
    fit, rule = found.fit, rule_for(found, df_method)
    if not fit.fixed.names:
        return pd.DataFrame(columns=COLUMNS)
    space = space_of(found, fitted)
    theory = rule.at(fit)
    rows: list[tuple[Any, ...]] = []
    for term, hypothesis in zip(space.tested(), hypotheses(space), strict=True):
        if not len(hypothesis):
            rows.append((space.names[term], np.nan, np.nan, 0, np.nan, np.nan, np.nan))
            continue
        test = f_test(fit, space.contrasts(hypothesis), theory)
        q, mean_sq = int(test.df_num), fit.sigma**2 * test.unscaled
        numbers = q * mean_sq, mean_sq, q, test.df_denom, test.statistic, test.p_value
        rows.append((space.names[term], *numbers))
    table = pd.DataFrame(rows, columns=COLUMNS)
    if fit.is_linear:
        return table
    return table.assign(chi2=table["statistic"] * table["df_num"])[GENERALISED]


def type_number(kind: int | str) -> int:
    """Return the type as a number."""
    if str(kind) not in TYPES:
        raise ValueError(
            f"type must be 1, 2 or 3 (or 'I', 'II', 'III'), got {kind!r}. Type 3 is the default."
        )
    return TYPES[str(kind)]


def space_of(found: FittedModel, fitted: Any) -> TermSpace:
    """Find the terms of a model that was fitted from a formula and has kept its rows."""
    recipe, rows = found.recipe, found.rows
    if recipe is None or rows is None or rows.data is None:
        raise TypeError(
            "Terms are those of a formula, and what a test says of them depends on the rows: "
            f"expected the results of mixedlm or mixedglm, got {fitted.__class__.__name__} without "
            "them. Fit with one of these, or test single coefficients by t_test and wald_test."
        )
    fit = found.fit
    covariance = None if fit.is_linear else fit.fixed.unscaled_covariance
    return term_space(recipe, rows.data, rows.model.design, fit.coordinates.fixed, covariance)


def sequential(space: TermSpace) -> list[FloatArray]:
    """Return type I: what each term adds to those before it."""
    rows = _triangular_rows(space.triangle(), space.coded.matrix)
    return [rows[space.coded.of([term])] for term in space.tested()]


def after_others(space: TermSpace) -> list[FloatArray]:
    """Return type II: what each term adds to all those that do not contain it."""
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients, R = space.coded.coefficients(), space.triangle()
    hypotheses = []
    for term in space.tested():
        if not space.containing[term]:
            hypotheses.append(coefficients[space.coded.of([term])])
            continue
        later = space.coded.of([term, *space.containing[term]])
        order = np.argsort(later, kind="stable")
        rows = _triangular_rows(R, space.coded.matrix[:, order])
        hypotheses.append(rows[space.coded.of([term])[order]])
    return hypotheses


def marginal(space: TermSpace) -> list[FloatArray]:
    """Return type III: the estimable functions of a term, orthogonal to those of what contains it.

    They do not depend on the coding; where no combination of categories is empty they are those of
    the coefficients under contrasts that sum to 0.
    """
    if len(space.tested()) < 2:
        return sequential(space)
    coefficients = space.complete.coefficients()
    hypotheses = []
    for term in space.tested():
        own = space.combinations[space.complete.of([term])]
        others = space.combinations[space.complete.of(space.containing[term])]
        if len(others):
            own = own - np.linalg.lstsq(others.T, own.T, rcond=None)[0].T @ others
        hypotheses.append(own[:, space.chosen] @ coefficients)
    return hypotheses


def _triangular_rows(R: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the rows of the unit triangular factor of the columns' cross-products."""
    Q, triangle = np.linalg.qr(R @ columns)
    return (Q.T @ R) / np.diagonal(triangle)[:, None]


HYPOTHESES: dict[int, Callable[[TermSpace], list[FloatArray]]] = {
    1: sequential,
    2: after_others,
    3: marginal,
}
"""For each type the hypotheses of the terms, on the standardised coefficients."""
