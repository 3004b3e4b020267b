"""Formula and data frame to results of a generalised model, as in statsmodels.formula.api."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from skmixed.design.side_parts import parse_side_formula
from skmixed.estimators.formula_arguments import (
    fitted_to_data,
    formula_and_data,
    values_or_column,
)
from skmixed.estimators.mixed_glm import MixedGLM
from skmixed.formula import columns_of, parse_formula
from skmixed.formula.columns import n_rows
from skmixed.results.glmm_results import MixedGLMResults

__all__ = ["mixedglm"]


def mixedglm(
    formula: str,
    data: Any,
    *,
    family: Any = "binomial",
    link: Any = None,
    groups: Any = None,
    re_formula: str | None = None,
    weights: Any = None,
    offset: Any = None,
    exposure: Any = None,
    n_quadrature: int = 1,
    zero_inflation: str | None = None,
    dispersion: str | None = None,
    penalty: Any = None,
    missing: str = "raise",
    environment: Mapping[str, Any] | None = None,
    tol: float = 1e-8,
    max_iter: int = 500,
    solver: str = "auto",
    verbose: int = 0,
) -> MixedGLMResults:
    """Fit a generalised linear mixed model to a data frame.

    Parameters
    ----------
    formula : str
        lme4's language, ``"y ~ x + offset(log(t)) + (1 + x | g)"``; or fixed effects alone, with
        ``groups``. A binomial response is 0 and 1, two labels of which the second is the success,
        ``successes / trials``, ``cbind(successes, failures)``, or a proportion with ``weights``.
    data : DataFrame or mapping of columns
    family : str, Distribution, or family of statsmodels, default="binomial"
        As for ``MixedGLM``.
    link : str, Link, or link of statsmodels, optional
        By default that of the family.
    groups : str or array-like of shape (n,), optional
        statsmodels' way to name the column of labels, or to give them.
    re_formula : str, optional
        The effects that vary between ``groups``, ``"~x"``; an intercept by default.
    weights : str or array-like of shape (n,), optional
        Column of weights, or the weights: the trials behind each proportion of successes, else
        how many times each row counts.
    offset : str or array-like of shape (n,), optional
        A known part of the linear predictor, beside the ``offset(...)`` of the formula.
    exposure : str or array-like of shape (n,), optional
        Time, area or persons at risk, by which the mean is multiplied: the logarithm is added to
        the offset. It needs the log link.
    n_quadrature : int, default=1
        Nodes of adaptive Gauss-Hermite quadrature for each random effect of a group; 1 is Laplace's
        approximation. More need one grouping factor.
    zero_inflation : str, optional
        A formula without a response, ``"~ 1 + x"``, for the logit of the probability that a count
        is 0 whatever its mean.
    dispersion : str, optional
        A formula without a response, ``"~ x"``, for the logarithm of the dispersion, in glmmTMB's
        convention.
    penalty : optional
        As for ``MixedGLM``.
    missing : {"raise", "drop"}, default="raise"
        Whether a missing value is an error, or its row is left out of the fit.
    environment : mapping, optional
        Functions and constants that the formulas may use; by default all those of the caller, which
        makes the formulas code of the caller's. Pass ``{}`` for formulas that somebody else wrote.
    tol : float, default=1e-8
        Distance from the optimum at which to stop, in standard errors of the parameters.
    max_iter : int, default=500
        Largest number of evaluations of the likelihood.
    solver : {"auto", "direct", "iterative"}, default="auto"
        As for ``MixedGLM``: several large factors can be fitted iteratively.
    verbose : int, default=0
        1 shows a line for each evaluation of the likelihood.

    Returns
    -------
    MixedGLMResults

    Raises
    ------
    ValueError
        If the formula or the data cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"x": rng.normal(size=600), "g": np.arange(600) % 30})
    >>> rate = np.exp(0.5 * data["x"] + 0.7 * rng.normal(size=30)[data["g"]])
    >>> data["events"] = rng.poisson(rate)
    >>> results = mixedglm("events ~ x + (1 | g)", data, family="poisson")
    >>> results.params.round(2).to_dict()
    {'Intercept': -0.09, 'x': 0.52}
    """
    if environment is None:
        caller = sys._getframe(1)
        environment = ChainMap(caller.f_locals, caller.f_globals)
    text, data = formula_and_data(formula, data, groups, re_formula, missing)
    parsed = parse_formula(text)
    parsed.require_response()
    given = {
        name: values_or_column(data, values, name)
        for name, values in (("weights", weights), ("offset", offset), ("exposure", exposure))
    }
    estimator = MixedGLM(
        formula=text,
        family=family,
        link=link,
        average=False,
        n_quadrature=n_quadrature,
        penalty=penalty,
        tol=tol,
        max_iter=max_iter,
        solver=solver,
        verbose=verbose,
        zero_inflation=zero_inflation,
        dispersion=dispersion,
    )
    drop, sides = missing == "drop", {"zero_inflation": zero_inflation, "dispersion": dispersion}
    fitted = fitted_to_data(
        estimator,
        parsed,
        data,
        given,
        environment=environment,
        drop=drop,
        others=_side_variables(sides, data, environment) if drop else (),
    )
    assert fitted.rows is not None
    rows = replace(fitted.rows, offset=_offset(data, given))
    return MixedGLMResults(replace(fitted, rows=rows, df_method="normal"))


def _offset(data: Any, given: Mapping[str, Any]) -> Any:
    """Return what was added to the linear predictor of each row, NaN where it is not known."""
    if given["offset"] is None and given["exposure"] is None:
        return None
    numbers = np.zeros(n_rows(data))
    if given["offset"] is not None:
        numbers = numbers + np.asarray(given["offset"], dtype=np.float64)
    if given["exposure"] is not None:
        numbers = numbers + np.log(np.asarray(given["exposure"], dtype=np.float64))
    return numbers


def _side_variables(
    formulas: Mapping[str, str | None], data: Any, environment: Mapping[str, Any]
) -> list[str]:
    """Name the columns of data that the formulas of further predictors read."""
    return [
        name
        for argument, text in formulas.items()
        if text is not None
        for name in columns_of(parse_side_formula(text, argument), data, environment=environment)[0]
    ]
