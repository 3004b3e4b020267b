"""The coefficients of further predictors by name, in one of many fits of a generalised model."""

from __future__ import annotations

import numpy as np

from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["extra_parameter_names", "extra_parameters_of_fit"]


def extra_parameter_names(fit: LMMFit) -> list[str]:
    """Name the coefficients that are estimated, ``dispersion_x`` or ``zero_inflation_x``."""
    return list(_estimated(fit))


def extra_parameters_of_fit(fit: LMMFit, names_from: LMMFit) -> dict[str, float]:
    """Return the coefficients by name; NaN where one is not estimated.

    Parameters
    ----------
    names_from : LMMFit
        The fit whose parameters are wanted.
    """
    found = _estimated(fit)
    return {name: found.get(name, np.nan) for name in _estimated(names_from)}


def _estimated(fit: LMMFit) -> dict[str, float]:
    """Return the coefficients that are not aliased with others."""
    return {
        f"{one.name}_{name}": float(value)
        for one in extra_predictors(fit)
        for name, value, variance in zip(
            one.names, one.coefficients, one.covariance.diagonal(), strict=True
        )
        if np.isfinite(variance)
    }
