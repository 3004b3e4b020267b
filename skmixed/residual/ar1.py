"""Residuals each of which owes a share to the one before: autoregression of the first order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind
from skmixed.residual.power import PowerCorrelation
from skmixed.residual.structure import Names

__all__ = ["AR1"]


@dataclass(frozen=True)
class AR1(PowerCorrelation):
    """Let the correlation of two rows of a group be phi to the power of the time between them.

    Times are integers, and gaps count: rows three steps apart have the correlation phi^3. Of times
    that are labels, their order counts (nlme's corAR1, SAS's AR(1)).

    Parameters
    ----------
    time : str or int, optional
        The column of times, by default the order of the rows in their group.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has a phi of its own.

    See Also
    --------
    CAR1 : The same for times that are any numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import AR1
    >>> AR1().correlations(np.array([0.5]), np.array([[0, 1, 3]]))[0]
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """

    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "integer"

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return phi = tanh(rho)."""
        return np.tanh(rho)
