"""A correlation for each lag between occasions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.ar1 import AR1
from skmixed.residual.arma import ARMA, durbin_levinson
from skmixed.residual.axis import Axis
from skmixed.residual.compound_symmetry import CompoundSymmetry
from skmixed.residual.correlation import AxisKind, Correlation
from skmixed.residual.distance import DistanceCorrelation
from skmixed.residual.structure import Names

__all__ = ["Toeplitz"]


@dataclass(frozen=True)
class Toeplitz(DistanceCorrelation):
    r"""Give each lag between two occasions its own correlation.

    .. math:: \operatorname{corr}(e_i, e_j) = r_{|i - j|}

    The occasions are numbered in order: of five visits, the first and the third have lag 2, even
    where a subject missed the second (mmrm's toep, SAS's TOEP as a correlation [2]_). The search
    is for the inverse hyperbolic tangents of the partial autocorrelations, all values of which give
    a positive definite matrix [1]_.

    Parameters
    ----------
    time : str or int, optional
        The column of occasions, by default the order of the rows in their group.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has correlations of its own.

    References
    ----------
    .. [1] O. Barndorff-Nielsen and G. Schou (1973). On the parametrization of autoregressive
       models by partial autocorrelations. Journal of Multivariate Analysis 3, 408-419.
    .. [2] R. I. Jennrich and M. D. Schluchter (1986). Unbalanced repeated-measures models with
       structured covariance matrices. Biometrics 42, 805-820.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import Toeplitz
    >>> Toeplitz("visit").correlations(np.array([0.5, -0.1, 0.2]), np.array([[0, 1, 3]]))[0]
    array([[ 1. ,  0.5,  0.2],
           [ 0.5,  1. , -0.1],
           [ 0.2, -0.1,  1. ]])
    """

    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "occasion"
    linear: ClassVar[bool] = True
    symbol: ClassVar[str] = "r"
    equation: ClassVar[str] = r"r_{|t_i - t_{i'}|}"
    words: ClassVar[str] = "a correlation for each lag (Toeplitz)"

    def has_case(self, other: Correlation) -> bool:
        """Return True for all that depend on the lag only."""
        return isinstance(other, Toeplitz | AR1 | ARMA | CompoundSymmetry)

    def names(self, axis: Axis) -> list[str]:
        """Name the lags."""
        return [f"cor lag {lag}" for lag in range(1, axis.n_occasions)]

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the correlations by lag."""
        _, autocorrelations = durbin_levinson(np.tanh(rho))
        return autocorrelations

    def at_distances(self, natural: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
        """Look up the correlations at lags."""
        return np.append(1.0, natural)[distances.astype(np.intp)]

    def distance_derivative(
        self, natural: NDArray[np.float64], distances: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return where each lag stands."""
        lags = np.arange(1, len(natural) + 1)[:, None, None, None]
        return (distances == lags).astype(np.float64)
