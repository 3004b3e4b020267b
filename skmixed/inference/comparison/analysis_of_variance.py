"""One function for both tables that R calls anova."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from skmixed.inference.coefficients.term_tests import anova_terms
from skmixed.inference.comparison.likelihood_ratio import anova_models
from skmixed.inference.comparison.term_ratios import drop_terms

__all__ = ["anova"]

TESTS = {"wald": anova_terms, "lr": drop_terms}


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
        if test not in TESTS:
            raise ValueError(f"test must be one of {list(TESTS)}, got {test!r}.")
        return TESTS[test](models[0], **options)
    return anova_models(*models, **options)
