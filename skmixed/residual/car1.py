"""Autoregression of the first order in continuous time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind
from skmixed.residual.distance import RangeCorrelation, StationaryMarkov
from skmixed.residual.structure import Names, Scale

__all__ = ["CAR1"]


@dataclass(frozen=True)
class CAR1(RangeCorrelation, StationaryMarkov):
    r"""Let the correlation fall by the same factor phi in every unit of time.

    .. math:: \operatorname{corr}(e_i, e_j) = \phi^{|t_i - t_j|}
       = \exp(-|t_i - t_j| / \mathrm{range}), \qquad 0 < \phi < 1

    This is AR1 for times that are any numbers [1]_, [2]_ (nlme's corCAR1, SAS's SP(POW), glmmTMB's
    ou). The parameter reported is phi, the correlation of two rows that are one unit of the time
    column apart. The structure computes with the range, the time in which the correlation falls to
    1/e: with times in years and rows minutes apart, phi would underflow to 0.

    Parameters
    ----------
    time : str or int
        The column of times.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has a phi of its own.

    See Also
    --------
    AR1 : For integer times; phi may be negative.
    Exponential : The same correlations, reported by their range, and in several dimensions.

    References
    ----------
    .. [1] R. H. Jones and F. Boadi-Boateng (1991). Unequally spaced longitudinal data with AR(1)
       serial correlation. Biometrics 47, 161-175.
    .. [2] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import CAR1
    >>> phi = 0.25
    >>> CAR1("hours").correlations(np.array([-1 / np.log(phi)]), np.array([[0.0, 0.5, 1.5]]))[0]
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """

    time: str | int
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "real"
    symbol: ClassVar[str] = r"\phi"
    equation: ClassVar[str] = r"\phi^{|t_i - t_{i'}|}"
    words: ClassVar[str] = "a first-order autoregression in continuous time"

    def names(self, axis: Axis) -> list[str]:
        """Name phi."""
        return ["phi"]

    def scales(self, axis: Axis) -> list[Scale]:
        """Return the logit."""
        return ["logit"]

    def reported(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return phi = exp(-1 / range)."""
        return np.exp(-1.0 / self.natural(rho, axis))
