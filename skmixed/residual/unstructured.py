"""Any correlations between occasions, and with variances of their own any covariances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.axis import Axis
from skmixed.residual.correlation import AxisKind, Correlation
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.structure import Names, ResidualStructure, named

__all__ = ["Unstructured", "UnstructuredCorrelation"]


@dataclass(frozen=True)
class UnstructuredCorrelation(Correlation):
    """Let every two occasions have a correlation of their own (nlme's corSymm).

    The free parameters are the entries below the unit diagonal of a triangle, whose rows over their
    lengths are a root of the correlations.

    Parameters
    ----------
    time : str or int, optional
        The column of occasions, by default the order of the rows in their group.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels each of which has correlations of its own.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import UnstructuredCorrelation
    >>> UnstructuredCorrelation().correlations(np.array([0.5, 0.1, 0.2]), np.array([[0, 2]]))[0]
    array([[1. , 0.1],
           [0.1, 1. ]])
    """

    time: str | int | None = None
    group: Names | None = None
    by: Names | None = None
    axis_kind: ClassVar[AxisKind] = "occasion"
    linear: ClassVar[bool] = True
    symbol: ClassVar[str] = "r"
    equation: ClassVar[str] = r"r_{t_i t_{i'}}"
    words: ClassVar[str] = "a correlation for each pair of occasions"

    def has_case(self, other: Correlation) -> bool:
        """Return True for all that depend on occasions."""
        return other.axis_kind != "coordinates"

    def n_parameters(self, axis: Axis) -> int:
        """Return the number of pairs of occasions."""
        return axis.n_occasions * (axis.n_occasions - 1) // 2

    def names(self, axis: Axis) -> list[str]:
        """Name the pairs of occasions."""
        later, earlier = np.tril_indices(axis.n_occasions, -1)
        return [
            f"cor {axis.occasions[j]}.{axis.occasions[i]}"
            for i, j in zip(later, earlier, strict=True)
        ]

    def natural(self, rho: NDArray[Any], axis: Axis) -> NDArray[Any]:
        """Return the correlations, row by row of the lower triangle."""
        root, _ = _unit_rows(rho, axis.n_occasions)
        return (root @ root.T)[_below(axis.n_occasions)]

    def natural_derivative(self, rho: NDArray[np.float64], axis: Axis) -> NDArray[np.float64]:
        """Return the derivatives of the correlations in the entries of the triangle."""
        rows, columns = _below(axis.n_occasions)
        root, lengths = _unit_rows(rho, axis.n_occasions)
        natural = (root @ root.T)[rows, columns][:, None]
        # An entry moves its row of unit length, and the pairs (i, j) that the row is one of.
        of_i, of_j = root[np.ix_(rows, columns)], root[np.ix_(columns, columns)]
        moved = (of_j - natural * of_i) * np.equal.outer(rows, rows)
        moved += (of_i - natural * of_j) * np.equal.outer(columns, rows)
        return np.asarray(moved / lengths[rows])

    def natural_curvature(
        self, weights: NDArray[np.float64], rho: NDArray[np.float64], axis: Axis
    ) -> NDArray[np.float64]:
        """Return the second derivatives in rho of the sum of weights times correlations.

        With u the rows of unit length, S the weights as a symmetric matrix and g = S u, the entries
        of rows i and j are bent by S_ij P_i P_j, P = (I - u u') / length, and those of one row by
        (3 (g'u) u u' - (g'u) I - g u' - u g') / length^2.
        """
        m = axis.n_occasions
        rows, columns = _below(m)
        (u, lengths), S = _unit_rows(rho, m), np.zeros((m, m))
        S[rows, columns] = S[columns, rows] = weights
        g = S @ u
        P = (np.eye(m) - u[:, :, None] * u[:, None, :]) / lengths[:, None, None]
        along = np.einsum("ia,ia->i", g, u)[:, None, None]
        mixed = g[:, :, None] * u[:, None, :]
        own = along * (3.0 * u[:, :, None] * u[:, None, :] - np.eye(m)) - mixed
        own -= mixed.swapaxes(1, 2)
        own /= (lengths**2)[:, None, None]
        # P_i P_j of all pairs of rows at once: (i, a), (j, b).
        whole = np.tensordot(P, P, axes=(2, 1)) * S[:, None, :, None]
        whole[np.arange(m), :, np.arange(m)] = own
        return np.asarray(whole[rows, columns][:, rows, columns])

    def correlations(self, natural: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
        """Look up the correlation of each two occasions."""
        return np.append(natural, 1.0)[_pairs(positions, len(natural))]

    def correlation_derivative(
        self, natural: NDArray[np.float64], positions: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Return where each correlation stands."""
        m = len(natural)
        pairs = _pairs(positions, m)
        return np.moveaxis(np.eye(m + 1, m)[pairs], -1, 0)


@dataclass(frozen=True)
class Unstructured(ResidualStructure):
    """Let every occasion have a variance, and every two a covariance, of their own.

    It is what the analysis of trials calls unstructured (mmrm's and SAS's us or UN).

    Parameters
    ----------
    time : str or int
        The column of occasions.
    group : str, int or sequence of these, optional
        The column of labels within which rows are correlated, by default the innermost factor.
    by : str, int or sequence of these, optional
        A column of labels, such as the arm of a trial, each of which has covariances of its own.

    Examples
    --------
    >>> from skmixed.residual import Unstructured
    >>> Unstructured(time="visit", group="subject").factors[1]
    Heterogeneous(by=('visit',))
    """

    time: str | int
    group: Names | None = None
    by: Names | None = None

    @property
    def factors(self) -> tuple[ResidualStructure, ...]:
        """Return the correlations and the standard deviations that it is made of."""
        correlation = UnstructuredCorrelation(self.time, self.group, self.by)
        return correlation, Heterogeneous((*named(self.by), self.time))


@lru_cache
def _below(n_occasions: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the entries below the diagonal."""
    rows, columns = np.tril_indices(n_occasions, -1)
    return rows, columns


def _unit_rows(rho: NDArray[Any], n_occasions: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the triangle with rows of length 1, and the lengths that they had."""
    root = np.eye(n_occasions, dtype=rho.dtype)
    root[_below(n_occasions)] = rho
    lengths = np.sqrt(np.sum(root**2, axis=1))
    return root / lengths[:, None], lengths


def _pairs(positions: NDArray[Any], n_pairs: int) -> NDArray[np.intp]:
    """Return where the pair of each two rows stands in a lower triangle; n_pairs for one row."""
    i, j = positions[:, :, None], positions[:, None, :]
    high, low = np.maximum(i, j), np.minimum(i, j)
    return np.where(i == j, n_pairs, high * (high - 1) // 2 + low).astype(np.intp)
