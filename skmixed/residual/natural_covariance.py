"""The covariance of the residuals in variances and covariances, or in scales and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.covariance_blocks import (
    STEP,
    CovarianceBlocks,
    NaturalCovariance,
    correlation_blocks,
)
from skmixed.residual.differentiation import complex_step
from skmixed.residual.heterogeneous import Heterogeneous, Strata
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.structure import named
from skmixed.residual.unstructured import Unstructured
from skmixed.residual.variance import LearnedVariance

__all__ = ["natural_covariance", "pattern_keys"]

FloatArray = NDArray[np.float64]


def natural_covariance(
    learned: LearnedResidual, rows: ResidualRows, rho: FloatArray, sigma: float, n_rows: int
) -> NaturalCovariance:
    """Write the covariance of the residuals in its natural parameters.

    It is that of rows of weight 1: rows are multiplied by the root of their weight first.
    """
    chosen = _LinearCovariance if _is_linear(learned) else _ScaledCovariance
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


@dataclass(frozen=True, slots=True, eq=False)
class _LinearCovariance(NaturalCovariance):
    """Write V = sum v_s I_s + sum c_k D_k in the variances of strata and in covariances.

    There is one variance where rows have equal ones, as in compound symmetry; one of each arm where
    the rows of an arm have; and one of each occasion in an unstructured covariance. D_k is where
    the correlation k stands.
    """

    linear: ClassVar[bool] = True

    @property
    def names(self) -> list[str]:
        """Name the variances and the covariances."""
        learned = self.learned
        own = learned.names[: learned.n_arms * learned.n_correlations]
        strata = [name.replace("ratio", "var", 1) for name in learned.names[len(own) :]]
        return ["var", *strata, *("cov " + name.removeprefix("cor ") for name in own)]

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
        grouped, stratum = self.rows.grouped, self.rows.deviations[0].codes + 1
        assert grouped is not None
        if not isinstance(learned.structure, Unstructured):
            of_arms = np.zeros(learned.n_arms, dtype=np.intp)
            of_arms[grouped.arms] = stratum
            return [np.exp(2.0 * logs[[one]]) for one in of_arms]
        # An occasion without rows stays at the first stratum.
        of_occasions = np.zeros((learned.n_arms, learned.axis.n_occasions), dtype=np.intp)
        of_occasions[grouped.arms, grouped.positions] = stratum
        later, earlier = np.tril_indices(learned.axis.n_occasions, -1)
        return [np.exp(logs[one[later]] + logs[one[earlier]]) for one in of_occasions]


@dataclass(frozen=True, slots=True, eq=False)
class _ScaledCovariance(NaturalCovariance):
    """Write V_ij = s_i s_j C_ij in variances, parameters of covariates, and correlations.

    The variances are those of the strata of `Heterogeneous`, or sigma^2 alone; none where the
    variances are known beforehand. Each of the other structures of variances has its own natural
    parameters. Where a variance depends on a covariate, sigma^2 would be extrapolated to a
    covariate of 0 or 1, and depend on its unit: the variance is that at the average logarithm.
    """

    linear: ClassVar[bool] = False

    @property
    def names(self) -> list[str]:
        """Name the parameters: variances, those of covariates, correlations."""
        learned, base = self.learned, self._base
        found = [] if learned.fixes_sigma else ["var"]
        if base is not None:
            strata = learned.variances[base].names
            found = ["var", *(name.replace("ratio", "var", 1) for name in strata)]
        for i, variance in enumerate(learned.variances):
            found += [] if i == base else variance.names
        return found + learned.names[: learned.n_arms * learned.n_correlations]

    def natural(self, free: NDArray[Any]) -> NDArray[Any]:
        """Return the parameters at some (rho, log sigma), which may be complex."""
        learned, base = self.learned, self._base
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
        learned, base = self.learned, self._base
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

    @property
    def _base(self) -> int | None:
        """Return which structure of variances has the strata that sigma is part of."""
        strata = [isinstance(one, Strata) for one in self.learned.variances]
        return strata.index(True) if any(strata) and not self.learned.fixes_sigma else None

    def _averages(self) -> list[FloatArray]:
        """Return what each structure's average logarithm is in its rho, 0 without a covariate."""
        return [
            np.zeros(one.n_parameters)
            if one.values is None or self.learned.fixes_sigma
            else one.derivative().mean(axis=1)
            for one in self.rows.deviations
        ]


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
