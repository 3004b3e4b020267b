"""Which rule of degrees of freedom a function of inference applies."""

from __future__ import annotations

from typing import Any

from skmixed.inference.coefficients.degrees_of_freedom import (
    DF_METHODS,
    DegreesOfFreedom,
    default_df_method,
)
from skmixed.inference.inputs import fit_of

__all__ = ["rule_for"]


def rule_for(fitted: Any, df_method: str | None) -> DegreesOfFreedom:
    """Return the rule of a name; without a name that of the results, or Satterthwaite's.

    It gets the rows and the kind of information of the results, where they have them.

    Raises
    ------
    ValueError
        If there is no such rule.
    """
    name = df_method or getattr(fitted, "df_method", None) or default_df_method(fit_of(fitted))
    if name not in DF_METHODS:
        raise ValueError(f"df_method must be one of {sorted(DF_METHODS)}, got {name!r}.")
    rows, information = getattr(fitted, "model", None), getattr(fitted, "information", None)
    return DF_METHODS[name].of(rows, information)
