"""Displays of fitted models: they store arrays, then draw them with matplotlib."""

from __future__ import annotations

from skmixed.plots.marginal_covariance import MarginalCovarianceDisplay
from skmixed.plots.model_comparison import ModelComparisonDisplay
from skmixed.plots.profile import ProfileDisplay
from skmixed.plots.random_effects import RandomEffectsDisplay
from skmixed.plots.residuals import ResidualsDisplay

__all__ = [
    "MarginalCovarianceDisplay",
    "ModelComparisonDisplay",
    "ProfileDisplay",
    "RandomEffectsDisplay",
    "ResidualsDisplay",
]
