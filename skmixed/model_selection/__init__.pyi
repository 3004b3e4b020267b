"""The public names of skmixed.model_selection: for type checkers, and lazy_loader at run time."""

from .conformal import GroupConformalRegressor as GroupConformalRegressor
from .cross_validation import cross_validate_groups as cross_validate_groups
from .group_scores import GroupScores as GroupScores
from .scorer import GroupScorer as GroupScorer
