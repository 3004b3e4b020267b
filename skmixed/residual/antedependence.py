"""Ante-dependence of the first order: a correlation for each two neighbouring occasions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.ar1 import AR1
from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind, Correlation, MarkovCorrelation, product_of_steps
from skmixed.residual.differentiation import complex_step
from skmixed.residual.structure import Names

__all__ = ["AnteDependence"]


@dataclass(frozen=True)
class AnteDependence(MarkovCorrelation):
    r"""Give each two neighbouring occasions their own correlation; the others follow from these.

    .. math:: \operatorname{corr}(e_i, e_j) = \prod_{k=i}^{j-1} r_k, \qquad i < j

    This is AR1 with a phi that differs from visit to visit, and has far fewer parameters than the
    unstructured correlation [1]_, [2]_ (mmrm's ad; with ``Heterogeneous`` its adh, SAS's ANTE(1)).
    Where a subject missed a visit, the correlations on both sides of it multiply.

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
    .. [1] K. R. Gabriel (1962). Ante-dependence analysis of an ordered set of variables. Annals of
       Mathematical Statistics 33, 201-212.
    .. [2] D. L. Zimmerman and V. A. Núñez-Antón (2010). Antedependence Models for Longitudinal
       Data. Chapman and Hall/CRC, chapter 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import AnteDependence
    >>> AnteDependence("visit").correlations(np.array([0.5, 0.8, -0.5]), np.array([[0, 2, 3]]))[0]
    array([[ 1. ,  0.4, -0.2],
           [ 0.4,  1. , -0.5],
           [-0.2, -0.5,  1. ]])
    """

    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "occasion"
    symbol: ClassVar[str] = "r"
    equation: ClassVar[str] = r"\prod_{t_i \le t < t_{i'}} r_{t,\, t + 1}"
    words: ClassVar[str] = "a first-order ante-dependence"

    def has_case(self, other: Correlation) -> bool:
        """Return True for autoregression."""
        return isinstance(other, AnteDependence | AR1)

    def names(self, axis: Axis) -> list[str]:
        """Name the neighbours."""
        return [
            f"cor {axis.occasions[k]}.{axis.occasions[k + 1]}" for k in range(axis.n_occasions - 1)
        ]

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the correlations of neighbours."""
        return np.tanh(rho)

    def steps(
        self, natural: NDArray[Any], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[Any]:
        """Look up the correlation of two occasions."""
        return _whole(natural)[before.astype(np.intp), after.astype(np.intp)]

    def step_derivative(
        self, natural: NDArray[np.float64], before: NDArray[Any], after: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Look up the derivatives of the correlation of two occasions."""
        derivative = complex_step(_whole, natural)
        return derivative[:, before.astype(np.intp), after.astype(np.intp)]

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Look up the correlation of each two rows."""
        return self.steps(natural, positions[:, :, None], positions[:, None, :])

    def correlation_derivative(
        self, natural: NDArray[np.float64], positions: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Look up the derivatives of the correlation of each two rows."""
        return self.step_derivative(natural, positions[:, :, None], positions[:, None, :])


def _whole(natural: NDArray[Any]) -> NDArray[Any]:
    """Return the correlations of all occasions."""
    return product_of_steps(natural[None])[0]
