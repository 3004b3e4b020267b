"""The public names of skmixed.residual: read by type checkers, and by lazy_loader at run time."""

from .antedependence import AnteDependence as AnteDependence
from .ar1 import AR1 as AR1
from .arma import ARMA as ARMA
from .axis import Axis as Axis
from .car1 import CAR1 as CAR1
from .compound_symmetry import CompoundSymmetry as CompoundSymmetry
from .correlation import Correlation as Correlation
from .correlation import MarkovCorrelation as MarkovCorrelation
from .heterogeneous import Heterogeneous as Heterogeneous
from .known_variance import KnownVariance as KnownVariance
from .registry import CORRELATIONS as CORRELATIONS
from .registry import VARIANCES as VARIANCES
from .spatial import Exponential as Exponential
from .spatial import Gaussian as Gaussian
from .structure import Product as Product
from .structure import ResidualStructure as ResidualStructure
from .text import parse_residual as parse_residual
from .toeplitz import Toeplitz as Toeplitz
from .unstructured import Unstructured as Unstructured
from .unstructured import UnstructuredCorrelation as UnstructuredCorrelation
from .variance import VarianceFunction as VarianceFunction
from .variance_exponential import VarianceExponential as VarianceExponential
from .variance_power import VariancePower as VariancePower
