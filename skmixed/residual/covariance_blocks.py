"""Covariances of blocks of rows with their derivatives, in the parameters that are reported.

Kenward and Roger's method depends on the parameters in which the covariance is written. These are
SAS's: covariances where the covariance matrix is linear in them, otherwise variances, correlations,
ranges and powers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlations_at import CorrelationsAt
from skmixed.residual.differentiation import central_differences, complex_step
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.patterns import GroupedRows, SameSize

__all__ = ["STEP", "CovarianceBlocks", "NaturalCovariance", "correlation_blocks"]

FloatArray = NDArray[np.float64]

# Of central differences between exact first derivatives: rounding and curvature are about equal.
STEP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceBlocks:
    """Hold the covariances or correlations of blocks of m rows, and their derivatives.

    Attributes
    ----------
    values : ndarray of shape (n_blocks, m, m)
    first : ndarray of shape (K, n_blocks, m, m)
    second : ndarray of shape (K, K, n_blocks, m, m) or None
        None where the values are linear in the K parameters.
    """

    values: FloatArray
    first: FloatArray
    second: FloatArray | None

    def select(self, blocks: slice) -> CovarianceBlocks:
        """Return some of the blocks."""
        second = None if self.second is None else self.second[:, :, blocks]
        return CovarianceBlocks(self.values[blocks], self.first[:, blocks], second)


@dataclass(frozen=True, slots=True, eq=False)
class NaturalCovariance(ABC):
    """The whole covariance sigma^2 R of the residuals in K natural parameters.

    Attributes
    ----------
    linear : bool
        Whether it is linear in them.
    """

    learned: LearnedResidual
    rows: ResidualRows
    rho: FloatArray
    sigma: float
    n_rows: int
    linear: ClassVar[bool]

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Name the parameters."""

    @abstractmethod
    def natural(self, free: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters at some (rho, log sigma), which may be complex."""

    @abstractmethod
    def blocks(self, rows: NDArray[np.intp]) -> CovarianceBlocks:
        """Compute the covariances of blocks of rows, (n_blocks, m), and their derivatives."""

    @property
    def values(self) -> FloatArray:
        """Return the parameters, (K,)."""
        return np.asarray(self.natural(self._free))

    @property
    def derivative(self) -> FloatArray:
        """Return their derivatives in (rho, log sigma), (K, n_rho + 1)."""
        return complex_step(self.natural, self._free).T

    @property
    def _free(self) -> FloatArray:
        """Return (rho, log sigma)."""
        return np.append(self.rho, np.log(self.sigma))


def correlation_blocks(
    learned: LearnedResidual, grouped: GroupedRows | None, rho: FloatArray, rows: NDArray[np.intp]
) -> CovarianceBlocks:
    """Compute the correlations of blocks of rows; rows of different groups have none.

    Second derivatives are central differences of the exact first ones.

    Parameters
    ----------
    rows : ndarray of shape (n_blocks, m)
        Positions of the rows in the data.
    """
    n_blocks, m = rows.shape
    if grouped is None or learned.correlation is None:
        values = np.repeat(np.eye(m)[None], n_blocks, axis=0)
        return CovarianceBlocks(values, np.empty((0, n_blocks, m, m)), None)
    correlations = CorrelationsAt(learned, rho)
    K = learned.n_arms * learned.n_correlations
    linear = learned.correlation.linear
    whole = np.zeros((1 + K + (0 if linear else K * K), n_blocks, m, m))
    # The rows of all blocks one after another, a group in two blocks being two groups.
    flat, block = rows.ravel(), np.repeat(np.arange(n_blocks), m)
    groups = block * (grouped.groups.max(initial=0) + 1) + grouped.groups[flat]
    for size in GroupedRows(groups, grouped.positions[flat], grouped.arms[flat]).sizes:
        block, place = np.divmod(size.rows, m)
        at = (slice(None), block[:, :1, None], place[:, :, None], place[:, None, :])
        whole[at] = _of_patterns(correlations, size)[:, size.pattern]
    second = None if linear else whole[1 + K :].reshape(K, K, n_blocks, m, m)
    return CovarianceBlocks(whole[0], whole[1 : 1 + K], second)


def _of_patterns(at: CorrelationsAt, size: SameSize) -> FloatArray:
    """Return the correlations of patterns, their first and, unless 0, second derivatives."""
    linear, n_arms, k = at.correlation.linear, len(at.of_arms), at.learned.n_correlations
    n, m = size.positions.shape[:2]
    first = np.zeros((n_arms, k, n, m, m))
    second = np.zeros((n_arms, k, n_arms, k, n, m, m) if not linear else 0)
    patterns = size.positions, size.arms
    first[size.arms, :, np.arange(n)] = at.slopes(*patterns).swapaxes(0, 1)
    for arm, own in () if linear else at.members(size.arms):
        second[arm, :, arm][:, :, own] = _second_derivative(at, arm, size.positions[own])
    parts = (at.matrices(*patterns), first, second)
    return np.concatenate([part.reshape(-1, n, m, m) for part in parts])


def _second_derivative(at: CorrelationsAt, arm: int, positions: NDArray[Any]) -> FloatArray:
    """Return the second derivatives in the natural parameters, (k, k, n_patterns, m, m).

    Steps are taken in rho, which has no bounds and whose unit is 1.
    """
    correlation, axis, chain = at.correlation, at.learned.axis, at.chains[arm]

    def first(free: FloatArray) -> FloatArray:
        return correlation.correlation_derivative(correlation.natural(free, axis), positions)

    in_rho = central_differences(first, at.of_arms[arm], STEP)
    flat = np.linalg.solve(chain.T, in_rho.reshape(len(chain), -1)).reshape(in_rho.shape)
    return np.asarray(0.5 * (flat + flat.swapaxes(0, 1)))
