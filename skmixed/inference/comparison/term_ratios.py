"""Likelihood-ratio tests of the terms of one model, and the tables that R calls anova."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.inference.coefficients.term_space import TermSpace
from skmixed.inference.coefficients.term_tests import (
    anova_terms,
    marginal,
    space_of,
    type_number,
)
from skmixed.inference.comparison.bootstrap_test import Resampling
from skmixed.inference.comparison.compared_models import ComparedModel, compared_model
from skmixed.inference.comparison.likelihood_ratio import (
    NO_TEST,
    anova_models,
    likelihood_ratio,
    without_rounding,
)
from skmixed.inference.comparison.random_terms import named_terms, reductions
from skmixed.inference.inputs import fitted_model_of

__all__ = ["anova", "drop_terms", "ranova"]

FloatArray = NDArray[np.float64]

# A singular value below this part of the largest is 0.
NONE = 1e-9


def anova(*models: Any, **options: Any) -> pd.DataFrame:
    """Test the terms of one model, or compare several models.

    Parameters
    ----------
    *models : MixedLMResults
        One model, several in any order, or one mapping of names to models.
    **options
        For one model ``test``: ``"wald"`` (the default), with the options of ``anova_terms``
        (``type``, ``df_method``), or ``"lr"``, with that of ``drop_terms`` (``type``). For several
        those of ``anova_models`` (``names``, ``refit``, ``bootstrap``).

    Returns
    -------
    DataFrame

    Raises
    ------
    TypeError
        If no model is given, or an option does not apply.
    ValueError
        If there is no such test.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import anova
    >>> data = load_sleepstudy()
    >>> slopes = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    >>> anova(slopes)[["term", "df_num", "df_denom", "statistic"]].round(2)
       term  df_num  df_denom  statistic
    0  Days       1      17.0      45.85
    >>> common = mixedlm("Reaction ~ Days + (1 | Subject)", data)
    >>> anova(common, slopes)[["n_parameters", "statistic", "df"]].round(2)
       n_parameters  statistic  df
    0             4        NaN NaN
    1             6      42.84 2.0
    """
    if not models:
        raise TypeError("anova() needs a fitted model, or several to compare.")
    if len(models) == 1 and not isinstance(models[0], Mapping):
        test = options.pop("test", "wald")
        tests = {"wald": anova_terms, "lr": drop_terms}
        if test not in tests:
            raise ValueError(f"test must be one of {list(tests)}, got {test!r}.")
        return tests[test](models[0], **options)
    return anova_models(*models, **options)


def drop_terms(fitted: Any, *, type: int | str = 2) -> pd.DataFrame:
    """Test each fixed term of a model by the likelihood ratio, as R's ``drop1``.

    Models are compared by maximum likelihood, with all random effects.

    Parameters
    ----------
    fitted : MixedLMResults or MixedGLMResults
        Of ``mixedlm`` or ``mixedglm``, which keep the formula and the rows. A fit by REML is fitted
        again by ML.
    type : {2, 1, 3, "II", "I", "III"}, default=2
        What a term is dropped from: all terms that do not contain it (type II), those before it
        (type I), or all terms (type III), where the hypothesis is that of ``anova_terms``.

    Returns
    -------
    DataFrame
        First the model itself, ``"<none>"`` dropped, then one row for each term, in the order of
        the formula: term, n_parameters, log_likelihood and aic of the model without the term, then
        statistic, df and p_value.

    Raises
    ------
    ValueError
        If there is no such type, or there are more fixed effects than rows.
    TypeError
        If there are no terms, or no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import drop_terms
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> drop_terms(results)[["term", "n_parameters", "aic", "statistic", "df"]].round(2)
         term  n_parameters      aic  statistic   df
    0  <none>             6  1763.94        NaN  NaN
    1    Days             5  1785.48      23.54  1.0
    """
    kind = type_number(type)
    whole = compared_model("<none>", fitted).by_criterion(reml=False)
    found = fitted_model_of(fitted)
    rows = [whole.row() | {"statistic": np.nan, "df": np.nan, "p_value": np.nan}]
    if not found.fit.fixed.names:
        return pd.DataFrame(rows)
    space = space_of(found, fitted)
    rank = len(space.coded.matrix)
    for term, (large, small) in zip(space.tested(), _pairs(space, kind), strict=True):
        df = large.shape[1] - small.shape[1]
        above = whole if large.shape[1] == rank else _with_columns(whole, space, large, "")
        below = _with_columns(whole, space, small, space.names[term]) if df else above
        statistic = without_rounding(below.fit.criterion - above.fit.criterion)
        p_value = float(stats.chi2.sf(statistic, df)) if df else np.nan
        tested = {"statistic": statistic if df else np.nan, "df": df, "p_value": p_value}
        rows.append(replace(below, name=space.names[term]).row() | tested)
    return pd.DataFrame(rows)


def ranova(
    fitted: Any,
    *,
    reduce_terms: bool = True,
    bootstrap: int | Literal["auto"] = "auto",
    random_state: Any = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Test each random term of a model by fitting the model without it.

    The criterion of the fit is kept: REML tests of a REML fit. A term of several effects loses each
    of them in turn but for its intercept, as in lmerTest: ``(1 + x | g)`` becomes ``(1 | g)``. Of
    ``(0 + f | g)`` with a categorical f, whose columns add up to 1, ``(1 | g)`` is left;
    ``(0 + x | g)`` with a number x is dropped as a whole, for ``(1 | g)`` is not nested in it.

    Parameters
    ----------
    fitted : MixedLMResults or LMMModel
        Fitted by mixedlm; or the training_model of an estimator.
    reduce_terms : bool, default=True
        Whether to drop effects one by one, rather than whole terms.
    bootstrap, random_state, n_jobs
        As in likelihood_ratio_test.

    Returns
    -------
    DataFrame
        First the model itself, ``"<none>"`` dropped, then one row for each term: term,
        n_parameters, log_likelihood, aic, statistic, df, p_value (chi-squared, conservative),
        reference and p_value_mixture, as in likelihood_ratio_test, which tests each of them.

    Raises
    ------
    TypeError
        If the rows of the data are not kept.
    ValueError
        If the model has no random term.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_pastes
    >>> from skmixed.inference import ranova
    >>> table = ranova(mixedlm("strength ~ 1 + (1 | batch/cask)", load_pastes()))
    >>> table[["term", "statistic", "df", "p_value", "p_value_mixture"]].round(4)
                     term  statistic   df  p_value  p_value_mixture
    0              <none>        NaN  NaN      NaN              NaN
    1  (1 | batch:cask)    54.6047  1.0   0.0000           0.0000
    2         (1 | batch)     0.6577  1.0   0.4174           0.2087
    """
    whole = compared_model("<none>", fitted)
    terms = named_terms(whole.model.design.blocks, whole.fitted_model.recipe)
    if not terms:
        raise ValueError("ranova drops random terms, and this model has none.")
    rows = [whole.row() | NO_TEST]
    resampling = Resampling(bootstrap, np.random.default_rng(random_state), n_jobs)
    for label, model in reductions(whole.model, terms, reduce=reduce_terms):
        smaller = compared_model(label, model)
        rows.append(smaller.row() | NO_TEST | likelihood_ratio(smaller, whole, resampling))
    return pd.DataFrame(rows)


def _pairs(space: TermSpace, kind: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return for each term the columns of a larger and of a smaller model that are compared.

    Both are combinations of the standardised columns.
    """
    tested, every = space.tested(), range(len(space.names))
    if kind == 3:
        whole = space.coded.matrix
        return [(whole, _null_space(rows)) for rows in marginal(space)]
    pairs = []
    for term in tested:
        own = [i for i in every if (i <= term if kind == 1 else i not in space.containing[term])]
        smaller = [i for i in own if i != term]
        large, small = (space.coded.matrix[:, space.coded.of(one)] for one in (own, smaller))
        pairs.append((large, small))
    return pairs


def _null_space(rows: FloatArray) -> FloatArray:
    """Return a basis of the coefficients of which some combinations are 0."""
    _, values, axes = np.linalg.svd(rows)
    rank = int((values > NONE * values.max(initial=0.0)).sum())
    return np.asarray(axes[rank:].T)


def _with_columns(
    whole: ComparedModel, space: TermSpace, columns: FloatArray, name: str
) -> ComparedModel:
    """Fit the model of some columns, which are combinations of the standardised ones."""
    design, first = whole.model.design, int(space.design.intercept)
    # Beside the intercept, which all of them contain, only what is orthogonal to it counts.
    axes, values, _ = np.linalg.svd(columns[first:], full_matrices=False)
    basis = axes[:, values > NONE * np.linalg.norm(columns)]
    fixed = space.coordinates.transform(design.fixed)[first:].T @ basis
    names = tuple(f"column {i}" for i in range(fixed.shape[1]))
    return compared_model(
        name, replace(whole.model, design=replace(design, fixed=fixed, fixed_names=names))
    )
