"""Fit a problem with statsmodels' MixedLM, with its default optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.formula.api as smf
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _formula(problem: Problem) -> Fit:
    model = problem.model
    effects = "~x0" if model.slope else None
    groups = problem.frame[model.groups[0]]

    def fit() -> Any:
        mixed = smf.mixedlm(model.fixed_formula, problem.frame, groups=groups, re_formula=effects)
        return mixed.fit(reml=model.reml)

    return fit, _answer


def _answer(fit: Any) -> Answer:
    return Answer(
        fit.llf,
        fit.fe_params.tolist(),
        float(fit.scale) ** 0.5,
        np.sqrt(np.diagonal(fit.cov_re)).tolist(),
    )


WAYS = {"formula": _formula}
