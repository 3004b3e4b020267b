"""The public names of skmixed.inference: read by type checkers, and by lazy_loader at run time."""

from .intervals import confint as confint
from .linear_tests import t_test as t_test
from .linear_tests import wald_test as wald_test
from .profile_curve import ProfileCurve as ProfileCurve
from .profile_likelihood import ProfileLikelihood as ProfileLikelihood
from .profile_likelihood import profile as profile
from .term_tests import anova_terms as anova_terms
