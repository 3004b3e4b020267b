"""Fit a problem with skmixed: from NumPy arrays, or from a formula by function or estimator."""

from __future__ import annotations

from typing import Any

from problem import Answer, Fit, Problem

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm

__all__ = ["WAYS"]


def _arrays(problem: Problem) -> Fit:
    X = problem.frame[problem.predictors].to_numpy()
    y, g = problem.frame["y"].to_numpy(), problem.frame["g"].to_numpy()
    if problem.slope:
        model = MixedLM(random_slopes=[0], method=problem.method)
    else:
        model = RandomInterceptRegressor(method=problem.method)
    return lambda: model.fit(X, y, groups=g), _of_estimator


def _formula(problem: Problem) -> Fit:
    return (
        lambda: mixedlm(problem.formula, problem.frame, method=problem.method),
        lambda fit: Answer(fit.llf, fit.params.tolist(), float(fit.scale) ** 0.5),
    )


def _estimator(problem: Problem) -> Fit:
    model = MixedLM(formula=problem.formula, method=problem.method)
    return lambda: model.fit(problem.frame), _of_estimator


def _of_estimator(model: Any) -> Answer:
    return Answer(model.log_likelihood_, [model.intercept_, *model.coef_], model.sigma_)


WAYS = {"arrays": _arrays, "formula": _formula, "estimator": _estimator}
