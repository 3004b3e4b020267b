"""Residual covariances that are linear in variances and covariances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation_blocks import correlation_blocks
from skmixed.residual.covariance_blocks import CovarianceBlocks
from skmixed.residual.differentiation import complex_step
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.unstructured import Unstructured

__all__ = ["LinearCovariance"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LinearCovariance:
    """Write V = sum v_s I_s + sum c_k D_k in the variances of strata and in covariances.

    There is one variance where rows have equal ones, as in compound symmetry; one of each arm where
    the rows of an arm have; and one of each occasion in an unstructured covariance. D_k is where
    the correlation k stands.

    Attributes
    ----------
    learned : LearnedResidual
        With correlations that are linear in their natural parameters, and no structure of
        variances but the strata of `Unstructured`, or those of the arms.
    rho : ndarray of shape (n_parameters,)
    """

    learned: LearnedResidual
    rows: ResidualRows
    rho: FloatArray
    sigma: float
    n_rows: int
    linear: ClassVar[bool] = True

    @property
    def names(self) -> list[str]:
        """Name the variances and the covariances."""
        learned = self.learned
        own = learned.names[: learned.n_arms * learned.n_correlations]
        strata = [name.replace("ratio", "var", 1) for name in learned.names[len(own) :]]
        return ["var", *strata, *("cov " + name.removeprefix("cor ") for name in own)]

    @property
    def values(self) -> FloatArray:
        """Return the parameters."""
        return np.asarray(self.natural(np.append(self.rho, np.log(self.sigma))))

    @property
    def derivative(self) -> FloatArray:
        """Return the derivatives of the parameters in (rho, log sigma)."""
        return complex_step(self.natural, np.append(self.rho, np.log(self.sigma))).T

    def natural(self, free: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters at some (rho, log sigma), which may be complex."""
        learned = self.learned
        assert learned.correlation is not None
        of_arms, of_variances = learned.split(free[:-1])
        logs = np.concatenate([free[-1:], *(free[-1] + part for part in of_variances)])
        parts = [np.exp(2.0 * logs)]
        for part, sizes in zip(of_arms, self._covariance_units(logs), strict=True):
            parts.append(sizes * learned.correlation.natural(part, learned.axis))
        return np.concatenate(parts)

    def blocks(self, rows: NDArray[np.intp]) -> CovarianceBlocks:
        """Compute the covariances of blocks of rows, (n_blocks, m), and their derivatives."""
        C = correlation_blocks(self.learned, self.rows.grouped, self.rho, rows)
        strata = np.zeros(rows.shape, dtype=np.intp)
        if self.rows.deviations:
            strata = self.rows.deviations[0].codes[rows] + 1
        values = self.values
        n_strata = len(values) - len(C.first)
        own = strata == np.arange(n_strata)[:, None, None]
        first = np.concatenate([own[..., None] * np.eye(rows.shape[1]), C.first])
        return CovarianceBlocks(np.tensordot(values, first, axes=1), first, None)

    def _covariance_units(self, logs: NDArray[Any]) -> list[NDArray[Any]]:
        """Return for each arm what its correlations are multiplied by to give covariances."""
        learned = self.learned
        if not self.rows.deviations:
            return [np.exp(2.0 * logs)] * learned.n_arms
        if not isinstance(learned.structure, Unstructured):
            return [np.exp(2.0 * logs[[stratum]]) for stratum in self._strata_of_arms()]
        later, earlier = np.tril_indices(learned.axis.n_occasions, -1)
        return [
            np.exp(logs[strata[later]] + logs[strata[earlier]])
            for strata in self._strata_of_occasions()
        ]

    def _strata_of_arms(self) -> NDArray[np.intp]:
        """Return the stratum of each arm, whose rows share theirs."""
        grouped = self.rows.grouped
        assert grouped is not None
        found = np.zeros(self.learned.n_arms, dtype=np.intp)
        found[grouped.arms] = self.rows.deviations[0].codes + 1
        return found

    def _strata_of_occasions(self) -> NDArray[np.intp]:
        """Return the stratum of each arm's occasions; 0 for one without rows."""
        grouped = self.rows.grouped
        assert grouped is not None
        found = np.zeros((self.learned.n_arms, self.learned.axis.n_occasions), dtype=np.intp)
        found[grouped.arms, grouped.positions] = self.rows.deviations[0].codes + 1
        return found
