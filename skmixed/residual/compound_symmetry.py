"""One correlation between any two rows of a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind, Correlation
from skmixed.residual.structure import Names, Scale

__all__ = ["CompoundSymmetry"]


@dataclass(frozen=True)
class CompoundSymmetry(Correlation):
    r"""Let any two rows of a group have the same correlation rho.

    .. math:: \operatorname{corr}(e_i, e_j) = \rho, \qquad -\frac{1}{m - 1} < \rho < 1

    m is the number of rows of the largest group (nlme's corCompSymm, SAS's CS [1]_, [2]_). A
    positive rho is what a random intercept implies. A negative one, which a variance cannot give,
    is possible too: litter mates that compete for food, or shares of a whole. The search is for the
    logarithm of (1 + (m - 1) rho) / (1 - rho), the ratio of the two eigenvalues.

    Parameters
    ----------
    time : str or int, optional
        A column of occasions, of which a group may have each once. The correlation does not depend
        on them.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has a rho of its own.

    References
    ----------
    .. [1] R. I. Jennrich and M. D. Schluchter (1986). Unbalanced repeated-measures models with
       structured covariance matrices. Biometrics 42, 805-820.
    .. [2] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import CompoundSymmetry
    >>> CompoundSymmetry().correlations(np.array([-0.2]), np.zeros((1, 3)))[0]
    array([[ 1. , -0.2, -0.2],
           [-0.2,  1. , -0.2],
           [-0.2, -0.2,  1. ]])
    """

    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "none"
    linear: ClassVar[bool] = True
    symbol: ClassVar[str] = r"\rho"
    equation: ClassVar[str] = r"\rho"
    words: ClassVar[str] = "compound symmetry"

    def names(self, axis: Axis) -> list[str]:
        """Name the correlation."""
        return ["rho"]

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the correlation at which the eigenvalues have the ratio exp(rho)."""
        m = max(axis.largest, 2)
        half = np.tanh(rho / 2.0)
        return 2.0 * half / (m - (m - 2) * half)

    def scales(self, axis: Axis) -> list[Scale]:
        """Return the logarithm of the ratio of the eigenvalues."""
        return [(-1.0 / (max(axis.largest, 2) - 1), 1.0)]

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Return rho off the diagonal."""
        alike = np.eye(positions.shape[1])
        return np.repeat((alike + natural[0] * (1.0 - alike))[None], len(positions), axis=0)

    def correlation_derivative(
        self, natural: NDArray[np.float64], positions: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return 1 off the diagonal."""
        n_patterns, n_rows = positions.shape[:2]
        return np.repeat((1.0 - np.eye(n_rows))[None, None], n_patterns, axis=1)
