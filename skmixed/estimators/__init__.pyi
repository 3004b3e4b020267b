"""The public names of skmixed.estimators: read by type checkers, and by lazy_loader at run time."""

from .conformal import GroupConformalRegressor as GroupConformalRegressor
from .cross_validation import cross_validate_groups as cross_validate_groups
from .formula_api import mixedlm as mixedlm
from .group_scores import GroupScores as GroupScores
from .mixed_lm import MixedLM as MixedLM
from .random_intercept import RandomInterceptRegressor as RandomInterceptRegressor
from .scorer import GroupScorer as GroupScorer
