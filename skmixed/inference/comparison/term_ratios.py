"""Likelihood-ratio tests of the fixed terms of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.inference.coefficients.term_space import TermSpace
from skmixed.inference.coefficients.term_tests import marginal, space_of, type_number
from skmixed.inference.comparison.compared_models import ComparedModel, compared_model
from skmixed.inference.comparison.likelihood_ratio import without_rounding
from skmixed.inference.inputs import fitted_model_of

__all__ = ["drop_terms"]

FloatArray = NDArray[np.float64]
# Columns of a larger and of a smaller model as combinations of the standardised ones.
_Pair = tuple[FloatArray, FloatArray]

# A singular value below this part of the largest is 0.
NONE = 1e-9


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


def _pairs(space: TermSpace, kind: int) -> list[_Pair]:
    """Return what is compared to test each term."""
    tested, every = space.tested(), range(len(space.names))
    if kind == 3:
        whole = space.coded.matrix
        return [(whole, _null_space(rows)) for rows in marginal(space)]
    kept: Sequence[list[int]] = [
        [i for i in every if (i <= term if kind == 1 else i not in space.containing[term])]
        for term in tested
    ]
    return [
        (_columns(space, own), _columns(space, [i for i in own if i != term]))
        for term, own in zip(tested, kept, strict=True)
    ]


def _columns(space: TermSpace, terms: Sequence[int]) -> FloatArray:
    """Return the columns of some terms."""
    return space.coded.matrix[:, space.coded.of(terms)]


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
