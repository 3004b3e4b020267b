"""Fit a problem with statsmodels' MixedLM, with its default optimisers."""

from __future__ import annotations

from typing import Any

import statsmodels.formula.api as smf
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _formula(problem: Problem) -> Fit:
    effects = "~x0" if problem.slope else None

    def fit() -> Any:
        model = smf.mixedlm(
            problem.fixed_formula, problem.frame, groups=problem.frame["g"], re_formula=effects
        )
        return model.fit(reml=problem.reml)

    return fit, lambda fit: Answer(fit.llf, fit.fe_params.tolist(), float(fit.scale) ** 0.5)


WAYS = {"formula": _formula}
