"""Fit a problem with mixedlm, the port of lme4 to Python and Rust."""

from __future__ import annotations

from typing import Any

import mixedlm
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _formula(problem: Problem) -> Fit:
    model = problem.model
    return lambda: mixedlm.lmer(model.formula, problem.frame, REML=model.reml), _answer


def _answer(fit: Any) -> Answer:
    terms = fit.VarCorr().as_dict().values()
    return Answer(
        float(fit.logLik().value),
        list(fit.fixef().values()),
        fit.sigma,
        [float(variance) ** 0.5 for term in terms for variance in term.values()],
    )


WAYS = {"formula": _formula}
