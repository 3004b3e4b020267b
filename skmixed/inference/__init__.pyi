"""The public names of skmixed.inference: read by type checkers, and by lazy_loader at run time."""

from .analysis_of_variance import anova as anova
from .conditional_information import ConditionalAIC as ConditionalAIC
from .conditional_information import conditional_aic as conditional_aic
from .deletion import group_influence as group_influence
from .exact_test import exact_lrt as exact_lrt
from .exact_test import exact_rlrt as exact_rlrt
from .explained_variance import icc as icc
from .explained_variance import r2 as r2
from .hat_matrix import effective_df as effective_df
from .intervals import confint as confint
from .likelihood_ratio import anova_models as anova_models
from .likelihood_ratio import likelihood_ratio_test as likelihood_ratio_test
from .linear_tests import t_test as t_test
from .linear_tests import wald_test as wald_test
from .model_comparison import compare as compare
from .profile_curve import ProfileCurve as ProfileCurve
from .profile_likelihood import ProfileLikelihood as ProfileLikelihood
from .profile_likelihood import profile as profile
from .random_term_tests import ranova as ranova
from .robust_tests import RobustCovariance as RobustCovariance
from .row_diagnostics import cooks_distance as cooks_distance
from .row_diagnostics import leverage as leverage
from .row_diagnostics import residuals as residuals
from .sandwich import robust_covariance as robust_covariance
from .term_tests import anova_terms as anova_terms
from .variance_shares import variance_decomposition as variance_decomposition
