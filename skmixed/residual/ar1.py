"""Residuals each of which owes a share to the one before: autoregression of the first order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind
from skmixed.residual.distance import StationaryMarkov
from skmixed.residual.structure import Names

__all__ = ["AR1"]


@dataclass(frozen=True)
class AR1(StationaryMarkov):
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
    symbol: ClassVar[str] = r"\phi"
    equation: ClassVar[str] = r"\phi^{|t_i - t_{i'}|}"
    words: ClassVar[str] = "a first-order autoregression"

    def start(self, axis: Axis) -> NDArray[np.float64]:
        """Return a phi with which neighbours are correlated by 0.2, whatever the unit of time.

        At phi = 0, the correlations of rows that are two or more steps apart have no slope.
        """
        return np.arctanh([0.2 ** (1.0 / axis.unit)])

    def names(self, axis: Axis) -> list[str]:
        """Name phi."""
        return ["phi"]

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return phi = tanh(rho)."""
        return np.tanh(rho)

    def natural_derivative(self, rho: NDArray[np.float64], axis: Axis) -> NDArray[np.float64]:
        """Return the derivative of tanh."""
        return np.asarray(1.0 - np.tanh(rho) ** 2)[None]

    def at_distances(self, natural: NDArray[Any], distances: NDArray[Any]) -> NDArray[Any]:
        """Return phi to the power of times between rows."""
        return natural[0] ** distances

    def distance_derivative(
        self, natural: NDArray[np.float64], distances: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return the derivative of the powers."""
        return (distances * natural[0] ** np.maximum(distances - 1.0, 0.0))[None]
