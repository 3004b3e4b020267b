"""Fit a problem with gpboost's grouped random effects: by ML, without standard errors."""

from __future__ import annotations

from typing import Any

import gpboost
import numpy as np
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _arrays(problem: Problem) -> Fit:
    model, frame = problem.model, problem.frame
    if model.slope or model.reml:
        raise ValueError("The comparison with gpboost is random intercepts by maximum likelihood.")

    def fit() -> Any:
        X = np.column_stack([np.ones(len(frame)), problem.predictors])
        groups = frame[model.groups].to_numpy()
        mixed = gpboost.GPModel(group_data=groups, likelihood="gaussian")
        return mixed.fit(y=problem.response, X=X)

    return fit, _answer


def _answer(model: Any) -> Answer:
    residual, *random = np.sqrt(np.ravel(model.get_cov_pars())).tolist()
    return Answer(
        -float(model.get_current_neg_log_likelihood()),
        np.ravel(model.get_coef()).tolist(),
        residual,
        random,
    )


WAYS = {"arrays": _arrays}
