"""Tests of the coefficients of a predictor beside that of the mean."""

from __future__ import annotations

import numpy as np
from scipy import stats

from skmixed.fitting.glmm_fit import ExtraPredictor
from skmixed.inference.coefficients.wald import TTests

__all__ = ["extra_tests"]


def extra_tests(predictor: ExtraPredictor) -> TTests:
    """Test each coefficient against 0 with the normal distribution; NaN for aliased ones."""
    estimates = predictor.coefficients
    errors = np.sqrt(predictor.covariance.diagonal())
    statistics = np.full(len(estimates), np.nan)
    np.divide(estimates, errors, out=statistics, where=errors > 0.0)
    p_values = np.asarray(2.0 * stats.norm.sf(np.abs(statistics)))
    return TTests(estimates, errors, np.full(len(estimates), np.inf), statistics, p_values)
