"""The fitted attributes of linear models alone: residuals, and what is measured against them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.results.lmm_results import MixedLMResults

__all__ = ["ResidualAttributes"]


class ResidualAttributes:
    """Offer what a linear fit found of the residuals."""

    lmm_fit_: LMMFit
    results_: MixedLMResults

    @property
    def sigma_(self) -> float:
        """Residual standard deviation of a row of weight 1."""
        return self.lmm_fit_.sigma

    @property
    def residual_variance_(self) -> float:
        """Residual variance of a row of weight 1."""
        return self.lmm_fit_.sigma**2

    @property
    def residual_parameters_(self) -> dict[str, float]:
        """Parameters of the residual structure by name; empty without one."""
        return self.results_.residual_parameters

    @property
    def residual_variances_(self) -> pd.Series:
        """Residual variance of each stratum; one, of a row of weight 1, without strata."""
        return self.results_.residual_variances

    @property
    def icc_(self) -> float:
        """Share of the groups in the variance around the fixed effects."""
        return self.lmm_fit_.icc

    @property
    def monte_carlo_error_(self) -> np.ndarray:
        """Standard errors of ``theta_`` that random probes cause; 0 for an exact fit."""
        return self.results_.monte_carlo_error
