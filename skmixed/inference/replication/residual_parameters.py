"""The parameters of a residual structure by name, in one of many fits."""

from __future__ import annotations

import numpy as np

from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["residual_parameter_names", "residual_parameters_of_fit"]


def residual_parameter_names(fit: LMMFit) -> list[str]:
    """Name the reported parameters, as in ``residual_parameters``; none without a structure."""
    return [] if fit.residual is None else fit.residual.learned.names


def residual_parameters_of_fit(fit: LMMFit, names_from: LMMFit) -> dict[str, float]:
    """Return the reported parameters and the free ones, rho, by name.

    Parameters
    ----------
    fit : LMMFit
        What its rows do not determine is NaN, and so is its rho where it has units or parameters of
        its own. If it has no row of the first stratum, sigma is that of another one: what is
        relative to it is NaN, sigma and theta included.
    names_from : LMMFit
        The fit whose parameters are wanted.
    """
    fitted, wanted = fit.residual, names_from.residual
    if fitted is None or wanted is None:
        return {}
    learned = fitted.learned
    values = np.where(fitted.undetermined, np.nan, learned.reported(fitted.rho))
    rho = np.full(len(wanted.rho), np.nan)
    if learned is wanted.learned:
        rho = np.where(fitted.undetermined, np.nan, fitted.rho)
    relative: list[str] = []
    if fitted.strata.index[0] != wanted.strata.index[0]:
        values[learned.n_arms * learned.n_correlations :] = np.nan
        relative = ["sigma", *names_from.theta_names]
    by_name = dict(zip(learned.names, values.tolist(), strict=True))
    return {
        **{name: by_name.get(name, np.nan) for name in wanted.learned.names},
        **dict(zip(names_from.rho_names, rho.tolist(), strict=True)),
        **dict.fromkeys(relative, np.nan),
    }
