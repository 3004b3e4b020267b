"""Likelihood-ratio tests of nested models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from skmixed.inference.comparison.bootstrap_test import Resampling, bootstrap_p_value
from skmixed.inference.comparison.boundary_mixture import boundary_mixture
from skmixed.inference.comparison.column_spaces import fixed_columns, spans
from skmixed.inference.comparison.compared_families import added_by_family
from skmixed.inference.comparison.compared_models import (
    ComparedModel,
    compared_models,
    refitted,
    require_same_rows,
)
from skmixed.residual.structure import contains

__all__ = [
    "NO_TEST",
    "anova_models",
    "likelihood_ratio",
    "likelihood_ratio_test",
    "without_rounding",
]

# A likelihood ratio that is smaller is rounding.
ZERO = 1e-8
# What a table says where there is no test.
NO_TEST: dict[str, Any] = {
    **dict.fromkeys(("statistic", "df", "p_value"), np.nan),
    "reference": None,
    "p_value_mixture": np.nan,
}


def likelihood_ratio_test(
    small: Any,
    large: Any,
    *,
    refit: str | None = None,
    bootstrap: int | Literal["auto"] = "auto",
    random_state: Any = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Test a model against a larger one that contains it.

    The statistic is twice the difference of the log-likelihoods. A hypothesis that a variance is 0
    lies on the boundary of the parameters: its chi-squared p-value is too large, and the mixture of
    chi-squares that holds instead is given beside it (Self and Liang 1987; Stram and Lee 1994).
    Where that is not known, the smaller model is simulated; with few groups ``bootstrap`` asks for
    the same.

    Parameters
    ----------
    small, large : MixedLMResults or MixedGLMResults
        Fitted by mixedlm or mixedglm to the same rows.
    refit : {None, "ml", "reml"}, optional
        Criterion to compare by. By default REML is kept where both are REML fits of the same fixed
        effects, and both are compared by ML otherwise; the column refitted tells.
    bootstrap : int or "auto", default="auto"
        Number of responses to simulate from the smaller model, and to fit both models to; 0 for
        none. By default 1000 where no mixture is known, unless that would take long: then a warning
        says so.
    random_state : int, numpy.random.Generator or None, default=None
        Of the bootstrap: the same seed gives the same p-value.
    n_jobs : int, optional
        Processes of the bootstrap, for models of several grouping factors.

    Returns
    -------
    DataFrame
        One row for each model: model, method, refitted, n_parameters, aic, bic, log_likelihood,
        deviance (-2 log_likelihood), statistic, df, p_value (chi-squared, conservative on the
        boundary), reference (the mixture of chi-squares, missing where it is not known) and
        p_value_mixture. Where there was a bootstrap also p_value_bootstrap and
        p_value_bootstrap_se, its Monte-Carlo standard error.

    Raises
    ------
    ValueError
        If the models have different rows, or the fixed effects, the family or the residuals of
        small are not a case of those of large.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import likelihood_ratio_test
    >>> sleepstudy = load_sleepstudy()
    >>> small = mixedlm("Reaction ~ Days + (1 | Subject)", sleepstudy)
    >>> large = mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy)
    >>> test = likelihood_ratio_test(small, large).iloc[1]
    >>> print(f"{test['method']} statistic {test['statistic']:.3f}, df {test['df']:.0f}")
    REML statistic 42.837, df 2
    >>> print(f"{test['p_value']:.1e}; by {test['reference']}: {test['p_value_mixture']:.1e}")
    5.0e-10; by 1/2 chi2(1) + 1/2 chi2(2): 2.8e-10
    """
    return anova_models(
        small, large, refit=refit, bootstrap=bootstrap, random_state=random_state, n_jobs=n_jobs
    )


def anova_models(
    *models: Any,
    names: Sequence[str] | None = None,
    refit: str | None = None,
    bootstrap: int | Literal["auto"] = "auto",
    random_state: Any = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Test each of several nested models against the next larger one.

    Parameters
    ----------
    *models : MixedLMResults, or one mapping of names to them
        In any order: they are sorted by their number of parameters.
    names : sequence of str, optional
        By default the formulas, or the positions where these are equal.
    refit, bootstrap, random_state, n_jobs
        As in likelihood_ratio_test.

    Returns
    -------
    DataFrame
        As likelihood_ratio_test.

    Raises
    ------
    ValueError
        If there are fewer than two models, they have different rows, the fixed effects of one
        are not among those of the next, or bootstrap is negative.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_pastes
    >>> from skmixed.inference import anova_models
    >>> pastes = load_pastes()
    >>> samples = mixedlm("strength ~ 1 + (1 | sample)", pastes)
    >>> both = mixedlm("strength ~ 1 + (1 | batch) + (1 | sample)", pastes)
    >>> table = anova_models({"samples": samples, "both": both}, refit="ml")
    >>> table[["model", "refitted", "statistic", "df", "p_value", "p_value_mixture"]].round(4)
         model  refitted  statistic   df  p_value  p_value_mixture
    0  samples      True        NaN  NaN      NaN              NaN
    1     both      True     0.4072  1.0   0.5234           0.2617
    """
    given = models[0] if len(models) == 1 and isinstance(models[0], Mapping) else models
    if names is not None:
        given = dict(zip(names, given, strict=True))
    compared = compared_models(given)
    if len(compared) < 2:
        raise ValueError(
            f"A likelihood-ratio test compares models: expected at least 2, got {len(compared)}."
        )
    require_same_rows(compared)
    resampling = Resampling(bootstrap, np.random.default_rng(random_state), n_jobs)
    compared = refitted(sorted(compared, key=lambda one: one.fit.n_parameters), refit)
    rows = [_row(one) | NO_TEST for one in compared]
    for i, (small, large) in enumerate(pairwise(compared), 1):
        _require_nested(small, large)
        rows[i] |= likelihood_ratio(small, large, resampling)
    return pd.DataFrame(rows)


def _row(one: ComparedModel) -> dict[str, Any]:
    """Return what a table says of one model."""
    return {
        "model": one.name,
        "method": one.method,
        "refitted": one.refitted,
        "n_parameters": one.fit.n_parameters,
        "aic": one.fit.aic,
        "bic": one.fit.bic,
        "log_likelihood": one.fit.log_likelihood,
        "deviance": one.fit.criterion,
    }


def likelihood_ratio(
    small: ComparedModel, large: ComparedModel, resampling: Resampling
) -> dict[str, Any]:
    """Test one model against a larger one, both fitted by one criterion.

    Where ``df`` is not positive there is no p-value, and one by simulation only where asked for.
    """
    statistic = without_rounding(small.fit.criterion - large.fit.criterion)
    df = large.fit.n_parameters - small.fit.n_parameters
    if df <= 0:
        return {"statistic": statistic, "df": df}
    mixture = boundary_mixture(small.model, large.model, df)
    n = resampling.replicates(large, known=mixture is not None or statistic == 0.0)
    return {
        "statistic": statistic,
        "df": df,
        "p_value": float(stats.chi2.sf(statistic, df)),
        "reference": None if mixture is None else str(mixture),
        "p_value_mixture": np.nan if mixture is None else mixture.p_value(statistic),
        **(bootstrap_p_value(small, large, n, resampling, rounding=ZERO) if n else {}),
    }


def without_rounding(ratio: float) -> float:
    """Return a likelihood ratio, 0 where it is rounding: a variance is then estimated as 0."""
    return ratio if ratio > ZERO else 0.0


def _require_nested(small: ComparedModel, large: ComparedModel) -> None:
    """Raise ValueError unless fixed effects, family and residuals are cases of the other's."""
    designs = large.model.design, small.model.design
    X_large, X_small = map(fixed_columns, designs)
    offsets = [0.0 if one.offset is None else one.offset for one in designs]
    known_difference = np.zeros(len(X_small)) + offsets[1] - offsets[0]
    inner, outer = (
        None if one.residual is None else one.residual.learned.structure
        for one in (small.fit, large.fit)
    )
    known = ""
    if not spans(X_large, np.column_stack([X_small, known_difference])):
        problem = (
            "some of its fixed effects are not among theirs, so that there is no likelihood-ratio "
            "test"
        )
    elif added_by_family(small.model, large.model) is None:
        problem = "its family, link, dispersion and zero inflation are not a special case of theirs"
    elif not contains(outer, inner):
        known = "known to be "
        problem = f"its residuals have the structure {inner!r}, theirs {outer!r}"
    else:
        return
    raise ValueError(
        f"{small.name!r} is not {known}nested in {large.name!r}: {problem}. Use compare, which "
        "ranks models by information criteria."
    )
