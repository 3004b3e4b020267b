"""The public names of skmixed.results: read by type checkers, and by lazy_loader at run time."""

from .glmm_results import MixedGLMResults as MixedGLMResults
from .group_intervals import group_coefficients_table as group_coefficients_table
from .group_intervals import random_effects_table as random_effects_table
from .lmm_results import MixedLMResults as MixedLMResults
from .random_effects_draws import RandomEffectsDraws as RandomEffectsDraws
from .random_effects_draws import sample_random_effects as sample_random_effects
from .summary import Summary as Summary
from .words.description import describe as describe
from .words.equation import Equation as Equation
from .words.equation import equation as equation
