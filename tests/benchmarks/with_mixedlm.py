"""Fit a problem with mixedlm, the port of lme4 to Python and Rust."""

from __future__ import annotations

import mixedlm
from problem import Answer, Fit, Problem

__all__ = ["WAYS"]


def _formula(problem: Problem) -> Fit:
    return (
        lambda: mixedlm.lmer(problem.formula, problem.frame, REML=problem.reml),
        lambda fit: Answer(float(fit.logLik().value), list(fit.fixef().values()), fit.sigma),
    )


WAYS = {"formula": _formula}
