"""Tests of the coefficients of a predictor beside that of the mean."""

from __future__ import annotations

import numpy as np

from skmixed.fitting.glmm_fit import ExtraPredictor
from skmixed.inference.coefficients.wald import TTests

__all__ = ["extra_tests"]


def extra_tests(predictor: ExtraPredictor) -> TTests:
    """Test each coefficient against 0 with the normal distribution; NaN for aliased ones."""
    return TTests.of(predictor.coefficients, np.sqrt(predictor.covariance.diagonal()))
