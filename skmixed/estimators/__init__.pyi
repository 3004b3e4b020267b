"""The public names of skmixed.estimators: read by type checkers, and by lazy_loader at run time."""

import skmixed.model_selection as _moved

from .formula_api import mixedlm as mixedlm
from .generalised_api import mixedglm as mixedglm
from .mixed_glm import MixedGLM as MixedGLM
from .mixed_lm import MixedLM as MixedLM
from .mixed_logistic import MixedLogisticRegression as MixedLogisticRegression
from .random_intercept import RandomInterceptRegressor as RandomInterceptRegressor

GroupConformalRegressor = _moved.GroupConformalRegressor
GroupScorer = _moved.GroupScorer
GroupScores = _moved.GroupScores
cross_validate_groups = _moved.cross_validate_groups
