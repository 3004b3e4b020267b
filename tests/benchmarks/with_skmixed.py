"""Fit a problem with skmixed: from NumPy arrays, or from a formula by function or estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
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
    return _of_results(estimator.results_)


def _of_results(results: Any) -> Answer:
    table = results.variance_components.iloc[:-1]
    return Answer(
        results.llf,
        results.params.tolist(),
        results.sigma,
        table["sdcor"][table["name2"].isna()].tolist(),
        np.ravel(getattr(results, "monte_carlo_error", [])).tolist(),
    )


WAYS = {"arrays": _arrays, "formula": _formula, "estimator": _estimator}
