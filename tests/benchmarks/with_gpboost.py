"""Fit a problem with gpboost's grouped random effects: by ML, without standard errors."""

from __future__ import annotations

from typing import Any

import gpboost
import numpy as np
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _arrays(problem: Problem) -> Fit:
    if problem.slope or problem.reml:
        raise ValueError("The comparison with gpboost is a random intercept by maximum likelihood.")
    frame = problem.frame

    def fit() -> Any:
        X = np.column_stack([np.ones(len(frame)), frame[problem.predictors]])
        model = gpboost.GPModel(group_data=frame["g"].to_numpy(), likelihood="gaussian")
        return model.fit(y=frame["y"].to_numpy(), X=X)

    return fit, _answer


def _answer(model: Any) -> Answer:
    return Answer(
        -float(model.get_current_neg_log_likelihood()),
        np.ravel(model.get_coef()).tolist(),
        float(np.sqrt(np.ravel(model.get_cov_pars())[0])),
    )


WAYS = {"arrays": _arrays}
