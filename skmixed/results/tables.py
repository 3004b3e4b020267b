"""Tidy data frames of a finished fit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import FixedEffects, LMMFit
from skmixed.fitting.random_effects import RandomEffects

__all__ = [
    "conditional_sd_table",
    "correlation_matrix",
    "group_coefficient_table",
    "mode_table",
    "variance_table",
]


def correlation_matrix(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlations, shape (k, k); NaN where a variance is 0."""
    sd = np.sqrt(np.diagonal(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation: NDArray[np.float64] = covariance / np.outer(sd, sd)
    return correlation


def variance_table(fit: LMMFit) -> pd.DataFrame:
    """Return one row for each variance and covariance; the last row is the residual.

    Where a residual structure makes the residual variance unequal, that is its mean over the rows.
    A covariance follows the variances of its factor, its ``sdcor`` is the correlation, and it has
    no share. A generalised model has neither a residual nor shares: its variances are those of the
    linear predictor.
    """
    rows = [row for effects in fit.random for row in _variance_rows(effects)]
    generalised = not fit.is_linear
    if not generalised:
        variance = fit.residual_variance
        rows.append(("Residual", None, None, variance, math.sqrt(variance)))
    table = pd.DataFrame(rows, columns=["group", "name1", "name2", "vcov", "sdcor"])
    names = ["group", "name1", "name2"]
    table[names] = table[names].astype(object).where(table[names].notna(), None)
    if generalised:
        return table
    variances = table["vcov"].where(table["name2"].isna())
    total = variances.sum()
    table["share"] = variances / total if total > 0.0 else np.nan
    return table


def mode_table(effects: RandomEffects) -> pd.DataFrame:
    """Return the conditional modes, levels x effects."""
    return _by_level(effects, effects.modes, effects.effect_names)


def conditional_sd_table(effects: RandomEffects) -> pd.DataFrame:
    """Return the standard deviations of the effects given the data, levels x effects."""
    variances = np.diagonal(effects.conditional_covariance, axis1=1, axis2=2)
    return _by_level(effects, np.sqrt(variances), effects.effect_names)


def group_coefficient_table(fixed: FixedEffects, effects: RandomEffects) -> pd.DataFrame:
    """Return fixed effects plus deviations, levels x names; a random effect may stand alone."""
    columns = list(dict.fromkeys(fixed.names + effects.effect_names))
    values = np.zeros((len(effects.levels), len(columns)))
    values[:, : len(fixed.names)] = fixed.coefficients
    for name, modes in zip(effects.effect_names, effects.modes.T, strict=True):
        values[:, columns.index(name)] += modes
    return _by_level(effects, values, tuple(columns))


def _variance_rows(
    effects: RandomEffects,
) -> list[tuple[str, str | None, str | None, float, float]]:
    """List the variances of one factor, then the covariances its structures allow."""
    covariance = effects.effect_covariance
    correlation = correlation_matrix(covariance)
    names, linked = effects.effect_names, effects.covariance.linked_effects
    rows: list[tuple[str, str | None, str | None, float, float]] = [
        (effects.name, name, None, float(covariance[i, i]), float(np.sqrt(covariance[i, i])))
        for i, name in enumerate(names)
    ]
    rows += [
        (effects.name, names[j], names[i], float(covariance[i, j]), float(correlation[i, j]))
        for j in range(len(names))
        for i in range(j + 1, len(names))
        if linked[i, j]
    ]
    return rows


def _by_level(
    effects: RandomEffects, values: NDArray[np.float64], columns: tuple[str, ...]
) -> pd.DataFrame:
    """Label values with the levels of the factor."""
    labels = effects.levels.labels
    index = labels if labels.nlevels > 1 else labels.rename(effects.name)
    return pd.DataFrame(values, index=index, columns=list(columns), copy=True)
