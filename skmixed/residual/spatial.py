"""Correlations that fall with the distance between two rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind
from skmixed.residual.distance import RangeCorrelation
from skmixed.residual.structure import Names, Scale

__all__ = ["Exponential", "Gaussian"]


@dataclass(frozen=True)
class SpatialCorrelation(RangeCorrelation):
    """A correlation that falls with distance in space from 1; subclasses say how."""

    coordinates: Names
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "coordinates"
    symbol: ClassVar[str] = r"\ell"

    def names(self, axis: Axis) -> list[str]:
        """Name the range."""
        return ["range"]

    def scales(self, axis: Axis) -> list[Scale]:
        """Return the logarithm."""
        return ["log"]


@dataclass(frozen=True)
class Exponential(SpatialCorrelation):
    r"""Let the correlation fall exponentially with the distance of two rows.

    .. math:: \operatorname{corr}(e_i, e_j) = \exp(-d_{ij} / \mathrm{range})

    d is the Euclidean distance, and there is no nugget (nlme's corExp, mmrm's
    sp_exp [1]_). SAS's SP(POW) reports exp(-1 / range).

    Parameters
    ----------
    coordinates : str, int or sequence of these
        The columns of coordinates.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, each with its own range.

    See Also
    --------
    CAR1 : The same correlations in one dimension, reported by phi = exp(-1 / range).

    References
    ----------
    .. [1] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import Exponential
    >>> points = np.array([[[0.0, 0.0], [3.0, 4.0]]])
    >>> Exponential(["x", "y"]).correlations(np.array([10.0]), points)[0].round(4)
    array([[1.    , 0.6065],
           [0.6065, 1.    ]])
    """

    equation: ClassVar[str] = r"\exp(-\lVert t_i - t_{i'} \rVert / \ell)"
    words: ClassVar[str] = "correlations that fall exponentially with distance"


@dataclass(frozen=True)
class Gaussian(SpatialCorrelation):
    r"""Let the correlation fall with the squared distance of two rows.

    .. math:: \operatorname{corr}(e_i, e_j) = \exp(-(d_{ij} / \mathrm{range})^2)

    d is the Euclidean distance, and there is no nugget (nlme's corGaus, mmrm's
    sp_gau [1]_). Rows that are much nearer than the range have correlations so close
    to 1 that the matrix is singular to rounding.

    Parameters
    ----------
    coordinates : str, int or sequence of these
        The columns of coordinates.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, each with its own range.

    References
    ----------
    .. [1] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import Gaussian
    >>> points = np.array([[[0.0, 0.0], [3.0, 4.0]]])
    >>> Gaussian(["x", "y"]).correlations(np.array([10.0]), points)[0].round(4)
    array([[1.    , 0.7788],
           [0.7788, 1.    ]])
    """

    equation: ClassVar[str] = r"\exp(-(\lVert t_i - t_{i'} \rVert / \ell)^2)"
    words: ClassVar[str] = "correlations that fall with squared distance"

    def decay(self, ratio: NDArray[Any]) -> NDArray[Any]:
        """Return exp(-ratio^2)."""
        return np.exp(-(ratio**2))

    def decay_rate(self, ratio: NDArray[Any]) -> NDArray[Any]:
        """Return 2 ratio^2 exp(-ratio^2)."""
        return 2.0 * ratio**2 * np.exp(-(ratio**2))
