"""Formula and data frame to results, as in statsmodels.formula.api."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from skmixed.estimators.formula_arguments import (
    fitted_to_data,
    formula_and_data,
    values_or_column,
)
from skmixed.estimators.mixed_lm import MixedLM
from skmixed.estimators.residuals import residual_columns, residual_structure
from skmixed.formula import parse_formula
from skmixed.results.lmm_results import MixedLMResults

__all__ = ["mixedlm"]


def mixedlm(
    formula: str,
    data: Any,
    *,
    groups: Any = None,
    re_formula: str | None = None,
    residual: Any = None,
    method: str = "reml",
    weights: Any = None,
    weight_type: str = "precision",
    weight_scaling: str = "size",
    group_weights: Any = None,
    missing: str = "raise",
    environment: Mapping[str, Any] | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    solver: str = "auto",
    verbose: int = 0,
) -> MixedLMResults:
    """Fit a linear mixed model to a data frame.

    Parameters
    ----------
    formula : str
        lme4's language, ``"y ~ x + (1 + x | g)"``; or fixed effects alone, with ``groups``.
    data : DataFrame or mapping of columns
    groups : str or array-like of shape (n,), optional
        statsmodels' way to name the column of labels, or to give them.
    re_formula : str, optional
        The effects that vary between ``groups``, ``"~x"``; an intercept by default.
    residual : ResidualStructure or str, optional
        Correlations between the rows of a group, and unequal variances, as for ``MixedLM``:
        ``AR1(time="visit")``, or ``"us(visit | subject)"``.
    method : {"reml", "ml"}, default="reml"
    weights : str or array-like of shape (n,), optional
        Column of weights, or the weights.
    weight_type : {"precision", "frequency", "sampling"}, default="precision"
        Var(e) = sigma^2 / weight, the number of times a row counts, or the inverse probability of
        a row in its group being sampled (needs ``method="ml"``).
    weight_scaling : {"size", "effective", "none"}, default="size"
        Of inverse probabilities within groups, as for ``MixedLM``.
    group_weights : str, array-like of shape (n,) or mapping of labels, optional
        How many times each group's log-likelihood counts: a column, values, or a value for each
        label.
    missing : {"raise", "drop"}, default="raise"
        Whether a missing value is an error, or its row is left out of the fit.
    environment : mapping, optional
        Functions and constants that the formula may use; by default all those of the caller, which
        makes the formula code of the caller's. Pass ``{}`` for a formula that somebody else wrote.
    tol : float, default=1e-8
        Distance from the optimum at which to stop, in standard errors of the variance parameters.
    max_iter : int, default=100
        Largest number of evaluations of the likelihood.
    solver : {"auto", "direct", "iterative"}, default="auto"
        As for ``MixedLM``: several large factors can be fitted iteratively.
    verbose : int, default=0
        1 shows a line for each evaluation of the likelihood.

    Returns
    -------
    MixedLMResults

    Raises
    ------
    ValueError
        If the formula or the data cannot be used.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> results.params.round(3).to_dict()
    {'Intercept': 251.405, 'Days': 10.467}
    >>> same = mixedlm("Reaction ~ Days", load_sleepstudy(), groups="Subject", re_formula="~Days")
    >>> bool(abs(same.llf - results.llf) < 1e-9)
    True
    """
    if environment is None:
        caller = sys._getframe(1)
        environment = ChainMap(caller.f_locals, caller.f_globals)
    text, data = formula_and_data(formula, data, groups, re_formula, missing)
    parsed = parse_formula(text)
    given = {
        name: values_or_column(data, values, name)
        for name, values in (("weights", weights), ("group_weights", group_weights))
    }
    estimator = MixedLM(
        formula=text,
        residual=residual,
        method=method,
        weight_type=weight_type,
        weight_scaling=weight_scaling,
        tol=tol,
        max_iter=max_iter,
        solver=solver,
        verbose=verbose,
    )
    fitted = fitted_to_data(
        estimator,
        parsed,
        data,
        given,
        environment=environment,
        drop=missing == "drop",
        others=residual_columns(residual_structure(residual)),
    )
    return MixedLMResults(fitted)
