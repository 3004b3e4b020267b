"""The public names of skmixed: read by type checkers, and by lazy_loader at run time."""

from . import covariance as covariance
from . import datasets as datasets
from . import inference as inference
from . import plots as plots
from .estimators import MixedGLM as MixedGLM
from .estimators import MixedLM as MixedLM
from .estimators import MixedLogisticRegression as MixedLogisticRegression
from .estimators import RandomInterceptRegressor as RandomInterceptRegressor
from .estimators import mixedglm as mixedglm
from .estimators import mixedlm as mixedlm
from .exceptions import FractionalResponseWarning as FractionalResponseWarning
from .exceptions import GroupDtypeWarning as GroupDtypeWarning
from .exceptions import GroupsNotPassedWarning as GroupsNotPassedWarning
from .exceptions import InconsistentVersionWarning as InconsistentVersionWarning
from .exceptions import NoGroupsWarning as NoGroupsWarning
from .exceptions import SingularFitWarning as SingularFitWarning
from .likelihood.penalties import GammaPrior as GammaPrior
from .likelihood.penalties import Penalty as Penalty
from .likelihood.penalties import WishartPrior as WishartPrior
from .model_selection import GroupConformalRegressor as GroupConformalRegressor
from .model_selection import GroupScorer as GroupScorer
from .model_selection import cross_validate_groups as cross_validate_groups

__version__: str
