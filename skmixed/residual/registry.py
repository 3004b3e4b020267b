"""Every residual structure, for the tests of what must hold for all of them."""

from __future__ import annotations

from skmixed.residual.antedependence import AnteDependence
from skmixed.residual.ar1 import AR1
from skmixed.residual.arma import ARMA
from skmixed.residual.car1 import CAR1
from skmixed.residual.compound_symmetry import CompoundSymmetry
from skmixed.residual.correlation import Correlation
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.known_variance import KnownVariance
from skmixed.residual.spatial import Exponential, Gaussian
from skmixed.residual.toeplitz import Toeplitz
from skmixed.residual.unstructured import UnstructuredCorrelation
from skmixed.residual.variance import VarianceFunction
from skmixed.residual.variance_exponential import VarianceExponential
from skmixed.residual.variance_power import VariancePower

__all__ = ["CORRELATIONS", "VARIANCES"]

# On columns with these names.
CORRELATIONS: dict[str, Correlation] = {
    "ar1": AR1("time"),
    "car1": CAR1("time"),
    "arma(2, 0)": ARMA(2, 0, "time"),
    "arma(0, 2)": ARMA(0, 2, "time"),
    "arma(1, 1)": ARMA(1, 1, "time"),
    "arma(3, 2)": ARMA(3, 2, "time"),
    "compound symmetry": CompoundSymmetry(),
    "toeplitz": Toeplitz("time"),
    "ante-dependence": AnteDependence("time"),
    "unstructured": UnstructuredCorrelation("time"),
    "exponential": Exponential(("x", "y")),
    "gaussian": Gaussian(("x", "y")),
}
VARIANCES: dict[str, VarianceFunction] = {
    "heterogeneous": Heterogeneous("stratum"),
    "variance power": VariancePower("covariate"),
    "variance power by stratum": VariancePower("covariate", by="stratum"),
    "variance exponential": VarianceExponential("covariate"),
    "variance exponential by stratum": VarianceExponential("covariate", by="stratum"),
    "known variance": KnownVariance("variance"),
}
