"""Displays of fitted models: they store arrays, then draw them with matplotlib."""

from __future__ import annotations

from skmixed.plots.autocorrelation import AutocorrelationDisplay
from skmixed.plots.binned_residuals import BinnedResidualsDisplay
from skmixed.plots.group_fit import GroupFitDisplay
from skmixed.plots.marginal_covariance import MarginalCovarianceDisplay
from skmixed.plots.model_comparison import ModelComparisonDisplay
from skmixed.plots.prediction_comparison import PredictionComparisonDisplay
from skmixed.plots.prediction_interval import PredictionIntervalDisplay
from skmixed.plots.probability_calibration import ProbabilityCalibrationDisplay
from skmixed.plots.profile import ProfileDisplay
from skmixed.plots.random_effects import RandomEffectsDisplay
from skmixed.plots.residuals import ResidualsDisplay
from skmixed.plots.rootogram import RootogramDisplay
from skmixed.plots.semivariogram import SemivariogramDisplay
from skmixed.plots.shrinkage import ShrinkageDisplay
from skmixed.plots.spread_by_stratum import SpreadByStratumDisplay
from skmixed.plots.trajectories import TrajectoriesDisplay

__all__ = [
    "AutocorrelationDisplay",
    "BinnedResidualsDisplay",
    "GroupFitDisplay",
    "MarginalCovarianceDisplay",
    "ModelComparisonDisplay",
    "PredictionComparisonDisplay",
    "PredictionIntervalDisplay",
    "ProbabilityCalibrationDisplay",
    "ProfileDisplay",
    "RandomEffectsDisplay",
    "ResidualsDisplay",
    "RootogramDisplay",
    "SemivariogramDisplay",
    "ShrinkageDisplay",
    "SpreadByStratumDisplay",
    "TrajectoriesDisplay",
]
