"""Which rule of degrees of freedom a function of inference applies."""

from __future__ import annotations

from typing import Any

from skmixed.inference.coefficients.degrees_of_freedom import (
    DF_METHODS,
    DegreesOfFreedom,
    default_df_method,
)
from skmixed.inference.inputs import fitted_model_of

__all__ = ["rule_for"]


def rule_for(fitted: Any, df_method: str | None) -> DegreesOfFreedom:
    """Return the rule of a name; without a name that of the results, or Satterthwaite's.

    It gets the rows and the kind of information of the results, where they have them.

    Raises
    ------
    ValueError
        If there is no such rule.
    """
    found = fitted_model_of(fitted)
    name = df_method or found.df_method or default_df_method(found.fit)
    if name not in DF_METHODS:
        raise ValueError(f"df_method must be one of {sorted(DF_METHODS)}, got {name!r}.")
    model = None if found.rows is None else found.rows.model
    return DF_METHODS[name].of(model, found.information)
