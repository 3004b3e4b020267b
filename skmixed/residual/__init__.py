"""Structures of the residuals: correlations within groups and unequal variances."""

from skmixed.residual.ar1 import AR1
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import Correlation, MarkovCorrelation
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.structure import Product, ResidualStructure
from skmixed.residual.unstructured import Unstructured, UnstructuredCorrelation
from skmixed.residual.variance import VarianceFunction

__all__ = [
    "AR1",
    "Axis",
    "Correlation",
    "Heterogeneous",
    "MarkovCorrelation",
    "Product",
    "ResidualStructure",
    "Unstructured",
    "UnstructuredCorrelation",
    "VarianceFunction",
]
