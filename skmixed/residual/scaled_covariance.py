"""Residual covariances in variances of strata, powers of covariates and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.correlation_blocks import correlation_blocks
from skmixed.residual.covariance_blocks import CovarianceBlocks
from skmixed.residual.differentiation import complex_step
from skmixed.residual.heterogeneous import Heterogeneous
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.variance import LearnedVariance, VarianceFunction

__all__ = ["ScaledCovariance", "base_of"]

FloatArray = NDArray[np.float64]

# Of central differences between exact first derivatives.
STEP = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class ScaledCovariance:
    """Write V_ij = s_i s_j C_ij in variances, parameters of covariates, and correlations.

    The variances are those of the strata of `Heterogeneous`, or sigma^2 alone; none where the
    variances are known beforehand. Each of the other structures of variances has its own natural
    parameters. Where a variance depends on a covariate, sigma^2 would be extrapolated to a
    covariate of 0 or 1, and depend on its unit: the variance is that at the average logarithm.

    Attributes
    ----------
    rho : ndarray of shape (n_parameters,)
    """

    learned: LearnedResidual
    rows: ResidualRows
    rho: FloatArray
    sigma: float
    n_rows: int
    linear: ClassVar[bool] = False

    @property
    def names(self) -> list[str]:
        """Name the parameters: variances, those of covariates, correlations."""
        learned, base = self.learned, base_of(self.learned)
        found = [] if learned.fixes_sigma else ["var"]
        if base is not None:
            strata = learned.variances[base].names
            found = ["var", *(name.replace("ratio", "var", 1) for name in strata)]
        for i, variance in enumerate(learned.variances):
            found += [] if i == base else variance.names
        return found + learned.names[: learned.n_arms * learned.n_correlations]

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
        learned, base = self.learned, base_of(self.learned)
        of_arms, of_variances = learned.split(free[:-1])
        logs = np.zeros(0 if learned.fixes_sigma else 1)
        if base is not None:
            logs = np.append(logs, of_variances[base])
        average = sum(part @ one for part, one in zip(of_variances, self._averages(), strict=True))
        parts = [np.exp(2.0 * (free[-1] + average + logs))]
        for i, (variance, part) in enumerate(zip(learned.variances, of_variances, strict=True)):
            parts += [] if i == base else [variance.natural(part)]
        for part in of_arms:
            assert learned.correlation is not None
            parts.append(learned.correlation.natural(part, learned.axis))
        return np.concatenate(parts)

    def blocks(self, rows: NDArray[np.intp]) -> CovarianceBlocks:
        """Compute the covariances of blocks of rows, (n_blocks, m), and their derivatives."""
        C = correlation_blocks(self.learned, self.rows.grouped, self.rho, rows)
        logs, first, second = (one[..., rows] for one in self._deviations())
        size = np.exp(logs[:, :, None] + logs[:, None, :])
        V = size * C.values
        slopes = first[..., :, None] + first[..., None, :]
        in_correlations = size * C.first
        n, k = len(first), len(first) + len(C.first)
        whole = np.empty((k, k, *V.shape))
        whole[:n, :n] = slopes[:, None] * slopes * V
        whole[range(n), range(n)] += (second[..., :, None] + second[..., None, :]) * V
        whole[:n, n:] = slopes[:, None] * in_correlations
        whole[n:, :n] = whole[:n, n:].swapaxes(0, 1)
        whole[n:, n:] = 0.0 if C.second is None else size * C.second
        return CovarianceBlocks(V, np.concatenate([slopes * V, in_correlations]), whole)

    def _deviations(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the rows' log standard deviations, and their derivatives in the parameters.

        Each of them depends on one parameter of each structure, so that the second derivatives
        have no mixed ones: shapes (n,), (n_deviations, n) and again.
        """
        learned, base = self.learned, base_of(self.learned)
        _, parts = learned.split(self.rho)
        logs = np.zeros(self.n_rows)
        strata = np.zeros(self.n_rows, dtype=np.intp)
        first, second = [np.empty((0, self.n_rows))], [np.empty((0, self.n_rows))]
        averages = self._averages()
        for i, (one, part) in enumerate(zip(self.rows.deviations, parts, strict=True)):
            logs += one.logarithms(part)
            if i == base:
                strata = one.codes + 1
                continue
            slope, bend = _inverse_derivatives(learned.variances[i], part)
            whole = one.derivative() - averages[i][:, None]
            first.append(slope[:, None] * whole)
            second.append(bend[:, None] * whole)
        if not learned.fixes_sigma:
            logs += np.log(self.sigma)
            n_strata = 1 if base is None else len(parts[base]) + 1
            own = strata == np.arange(n_strata)[:, None]
            variances = self.values[:n_strata, None]
            first.insert(0, 0.5 * own / variances)
            second.insert(0, -0.5 * own / variances**2)
        return logs, np.concatenate(first), np.concatenate(second)

    def _averages(self) -> list[FloatArray]:
        """Return what each structure's average logarithm is in its rho, 0 without a covariate."""
        return [
            np.zeros(one.n_parameters)
            if one.values is None or self.learned.fixes_sigma
            else one.derivative().mean(axis=1)
            for one in self.rows.deviations
        ]


def base_of(learned: LearnedResidual) -> int | None:
    """Return which structure of variances has the strata that sigma is part of, None for none."""
    functions = [one for one in learned.structure.factors if isinstance(one, VarianceFunction)]
    if learned.fixes_sigma:
        return None
    found = [i for i, one in enumerate(functions) if isinstance(one, Heterogeneous)]
    return found[0] if found else None


def _inverse_derivatives(
    variance: LearnedVariance, rho: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return d rho and d^2 rho in the natural parameters, each of which is a function of one rho.

    The second is from central differences of the exact first derivatives.
    """

    def slopes(free: FloatArray) -> FloatArray:
        return complex_step(variance.natural, free).diagonal()

    at = slopes(rho)
    bend = (slopes(rho + STEP) - slopes(rho - STEP)) / (2.0 * STEP)
    return 1.0 / at, -bend / at**3
