"""The public names of skmixed.estimators: read by type checkers, and by lazy_loader at run time."""

from .conformal import GroupConformalRegressor as GroupConformalRegressor
from .cross_validation import cross_validate_groups as cross_validate_groups
from .formula_api import mixedlm as mixedlm
from .generalised_api import mixedglm as mixedglm
from .group_scores import GroupScores as GroupScores
from .mixed_glm import MixedGLM as MixedGLM
from .mixed_lm import MixedLM as MixedLM
from .mixed_logistic import MixedLogisticRegression as MixedLogisticRegression
from .random_intercept import RandomInterceptRegressor as RandomInterceptRegressor
from .scorer import GroupScorer as GroupScorer
