"""The public names of skmixed.families: read by type checkers, and by lazy_loader at run time."""

from .beta import Beta as Beta
from .binomial import Binomial as Binomial
from .gamma import Gamma as Gamma
from .gaussian import Gaussian as Gaussian
from .inverse_gaussian import InverseGaussian as InverseGaussian
from .links import Identity as Identity
from .links import Inverse as Inverse
from .links import InverseSquared as InverseSquared
from .links import Log as Log
from .links import Sqrt as Sqrt
from .negative_binomial import NegativeBinomial as NegativeBinomial
from .negative_binomial_1 import NegativeBinomial1 as NegativeBinomial1
from .poisson import Poisson as Poisson
from .probability_links import Cauchit as Cauchit
from .probability_links import CLogLog as CLogLog
from .probability_links import Logit as Logit
from .probability_links import LogLog as LogLog
from .probability_links import Probit as Probit
from .reading import FAMILIES as FAMILIES
from .reading import LINKS as LINKS
from .reading import family_from as family_from
from .zero_inflation import ZeroInflated as ZeroInflated
