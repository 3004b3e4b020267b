"""The covariance of the residuals in the parameters in which it is reported.

Kenward and Roger's method depends on the parameters in which it is written. These are SAS's:
covariances where the covariance matrix is linear in them, otherwise variances, correlations, ranges
and powers.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.covariance_blocks import CovarianceBlocks
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.linear_covariance import LinearCovariance
from skmixed.residual.scaled_covariance import ScaledCovariance
from skmixed.residual.structure import named
from skmixed.residual.unstructured import Unstructured

__all__ = ["NaturalCovariance", "natural_covariance", "pattern_keys"]

FloatArray = NDArray[np.float64]


class NaturalCovariance(Protocol):
    """The whole covariance sigma^2 R of the residuals in K natural parameters.

    Attributes
    ----------
    linear : bool
        Whether it is linear in them.
    """

    linear: ClassVar[bool]

    @property
    def names(self) -> list[str]:
        """Name the parameters."""
        ...

    @property
    def values(self) -> FloatArray:
        """Return the parameters, (K,)."""
        ...

    @property
    def derivative(self) -> FloatArray:
        """Return their derivatives in (rho, log sigma), (K, n_rho + 1)."""
        ...

    def blocks(self, rows: NDArray[np.intp]) -> CovarianceBlocks:
        """Compute the covariances of blocks of rows, (n_blocks, m), and their derivatives."""
        ...


def natural_covariance(
    learned: LearnedResidual, rows: ResidualRows, rho: FloatArray, sigma: float, n_rows: int
) -> NaturalCovariance:
    """Write the covariance of the residuals in its natural parameters.

    It is that of rows of weight 1: rows are multiplied by the root of their weight first.

    Parameters
    ----------
    rho : ndarray of shape (n_parameters,)
    """
    chosen = LinearCovariance if _is_linear(learned) else ScaledCovariance
    return chosen(learned, rows, rho, sigma, n_rows)


def _is_linear(learned: LearnedResidual) -> bool:
    """Tell whether there is one variance in each arm, or one of each occasion."""
    correlation = learned.correlation
    if correlation is None or not correlation.linear:
        return False
    if not learned.variances or isinstance(learned.structure, Unstructured):
        return True
    strata = [one for one in learned.structure.factors if isinstance(one, Heterogeneous)]
    arms = named(correlation.by)
    return len(learned.variances) == 1 and [named(one.by) for one in strata] == [arms]


def pattern_keys(rows: ResidualRows, n_rows: int) -> FloatArray:
    """Return what the covariance of a row with others of its group depends on, (n_rows, n_keys)."""
    columns: list[NDArray[Any]] = [np.empty((n_rows, 0))]
    if rows.grouped is not None:
        columns += [rows.grouped.positions.reshape(n_rows, -1), rows.grouped.arms[:, None]]
    for one in rows.deviations:
        parts: tuple[NDArray[Any] | None, ...] = (one.codes, one.values, one.offset)
        columns += [part[:, None] for part in parts if part is not None]
    return np.concatenate(columns, axis=1, dtype=np.float64)
