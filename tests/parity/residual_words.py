"""R's words for residual structures, nlme's and glmmTMB's, as structures of skmixed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import mul
from typing import Any

from skmixed.residual import (
    AR1,
    ARMA,
    CAR1,
    CompoundSymmetry,
    Correlation,
    Exponential,
    Gaussian,
    Heterogeneous,
    ResidualStructure,
    UnstructuredCorrelation,
    VarianceExponential,
    VarianceFunction,
    VariancePower,
)

__all__ = ["residual_of"]

_CORRELATION = re.compile(r"cor(\w+)\(form = ~(\w+)(?: \| (\w+))?(?:, p = (\d), q = (\d))?\)")
_VARIANCE = re.compile(r"var(Ident|Power|Exp)\(form = ~(?:1 \| )?(\w+)\)")
_TIMED = {"AR1": AR1, "CAR1": CAR1, "Symm": UnstructuredCorrelation}
_IN_SPACE = {"Exp": Exponential, "Gaus": Gaussian}
_VARIANCES = {"Ident": Heterogeneous, "Power": VariancePower, "Exp": VarianceExponential}


def residual_of(figures: Mapping[str, Any]) -> ResidualStructure | None:
    """Return the residual structure of a case, None without one.

    The structure names its groups where there are no random effects.
    """
    factors: list[ResidualStructure] = []
    correlation = figures.get("correlation")
    if correlation:
        factors.append(_correlation(correlation, grouped=figures["fn"] == "gls"))
    factors += map(_variance, _VARIANCE.findall(figures.get("weights") or ""))
    factors += map(Heterogeneous, re.findall(r"^~ ?0 \+ (\w+)$", figures.get("dispformula") or ""))
    return reduce(mul, factors) if factors else None


def _correlation(text: str, *, grouped: bool) -> Correlation:
    """Return what a call of nlme means; ~1 is the order of the rows."""
    match = _CORRELATION.fullmatch(text)
    assert match is not None, text
    kind, form, group, p, q = match.groups()
    group, time = group if grouped else None, None if form == "1" else form
    if kind == "CompSymm":
        return CompoundSymmetry(group=group)
    if kind in _IN_SPACE:
        return _IN_SPACE[kind]((time,), group=group)
    if kind == "ARMA":
        return ARMA(int(p), int(q), time, group=group)
    return _TIMED[kind](time, group=group)


def _variance(call: tuple[str, str]) -> VarianceFunction:
    """Return what a call of nlme means."""
    kind, column = call
    return _VARIANCES[kind](column)
