"""Fit a problem with skmixed: from NumPy arrays, or from a formula by function or estimator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
from problem import Answer, Fit, Problem

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm

__all__ = ["WAYS"]


def _arrays(problem: Problem) -> Fit:
    model = problem.model
    X, y, g = problem.predictors, problem.response, problem.frame[model.groups[0]].to_numpy()
    if model.slope:
        estimator = MixedLM(random_slopes=[0], method=model.method)
    else:
        estimator = RandomInterceptRegressor(method=model.method)
    return lambda: estimator.fit(X, y, groups=g), _of_estimator


def _formula(problem: Problem) -> Fit:
    model = problem.model
    return (lambda: mixedlm(model.formula, problem.frame, method=model.method), _of_results)


def _estimator(problem: Problem) -> Fit:
    estimator = MixedLM(formula=problem.model.formula, method=problem.model.method)
    return lambda: estimator.fit(problem.frame), _of_estimator


def _of_estimator(estimator: Any) -> Answer:
    errors = getattr(estimator, "monte_carlo_error_", None)
    return replace(_of_results(estimator.results_), monte_carlo_error=pd.Series(errors).tolist())


def _of_results(results: Any) -> Answer:
    table = results.variance_components.iloc[:-1]
    random_sd = table["sdcor"][table["name2"].isna()].tolist()
    return Answer(results.llf, results.params.tolist(), results.sigma, random_sd)


WAYS = {"arrays": _arrays, "formula": _formula, "estimator": _estimator}
