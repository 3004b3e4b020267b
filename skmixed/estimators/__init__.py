"""The scikit-learn face of the library, and its formula functions."""

from __future__ import annotations

from skmixed.estimators.conformal import GroupConformalRegressor
from skmixed.estimators.cross_validation import cross_validate_groups
from skmixed.estimators.formula_api import mixedlm
from skmixed.estimators.group_scores import GroupScores
from skmixed.estimators.mixed_lm import MixedLM
from skmixed.estimators.random_intercept import RandomInterceptRegressor
from skmixed.estimators.scorer import GroupScorer

__all__ = [
    "GroupConformalRegressor",
    "GroupScorer",
    "GroupScores",
    "MixedLM",
    "RandomInterceptRegressor",
    "cross_validate_groups",
    "mixedlm",
]
