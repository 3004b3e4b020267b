"""The parameters of a residual structure with standard errors and limits."""

from __future__ import annotations

import math

import pandas as pd
from scipy import stats

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.variance_parameters import parameter_covariance
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.intervals.wald_variances import residual_estimate

__all__ = ["residual_table"]


def residual_table(fit: LMMFit, level: float = 0.95) -> pd.DataFrame:
    """Return one row for each parameter of the residual structure, then for each stratum.

    Standard errors come from the observed information, limits from the scale on which an estimate
    is nearly normal: logarithms of ratios and ranges, Fisher's z of correlations.
    """
    check_level(level)
    columns = ["parameter", "estimate", "se", "lower", "upper"]
    if fit.residual is None:
        return pd.DataFrame(columns=columns)
    covariance = parameter_covariance(fit)
    reach = float(stats.norm.isf(0.5 * (1.0 - level)))
    known = ~(fit.residual.undetermined | fit.residual.boundary)
    told = [*known, *[True] * len(fit.residual.stratum_deviations)]
    rows = []
    listed = (*fit.residual.natural_parameters, *fit.residual.stratum_deviations)
    for natural, determined in zip(listed, told, strict=True):
        one = residual_estimate(fit, natural, covariance)
        errors = (one.standard_error, *one.limits(reach)) if determined else (math.nan,) * 3
        rows.append((natural.name, one.value, *errors))
    return pd.DataFrame(rows, columns=columns)
