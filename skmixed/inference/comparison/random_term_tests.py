"""Tests of the random terms of one model, each dropped in turn."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from skmixed.inference.comparison.bootstrap_test import Resampling
from skmixed.inference.comparison.compared_models import compared_model
from skmixed.inference.comparison.likelihood_ratio import likelihood_ratio, no_test
from skmixed.inference.comparison.random_terms import named_terms
from skmixed.inference.comparison.reduced_models import reductions

__all__ = ["ranova"]


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
    rows = [whole.row() | no_test()]
    resampling = Resampling(bootstrap, np.random.default_rng(random_state), n_jobs)
    for one in reductions(whole.model, terms, reduce=reduce_terms):
        smaller = compared_model(one.label, one.model)
        rows.append(smaller.row() | no_test() | likelihood_ratio(smaller, whole, resampling))
    return pd.DataFrame(rows)
