"""Adjust p-values and confidence limits for several tests being made at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from skmixed.likelihood.batched import cholesky_over_groups

__all__ = ["ADJUSTMENTS", "Adjustment", "Family"]

FloatArray = NDArray[np.float64]

# Directions for the multivariate t, the same each time: their error is some 1e-4.
SEED = 0
LOG2_POINTS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Hold the tests that are adjusted together; one that is NaN, without estimate, still counts.

    ``n_means`` is how many means are compared, if these are all their pairs.
    """

    statistics: FloatArray
    df: FloatArray
    correlation: FloatArray
    n_means: int | None = None

    @property
    def p_values(self) -> FloatArray:
        """Return the p-values of the tests one by one."""
        return np.asarray(2.0 * stats.t.sf(np.abs(self.statistics), self.df))

    def critical(self, error: float | FloatArray) -> FloatArray:
        """Return the two-sided critical values of the tests one by one."""
        return np.asarray(stats.t.isf(0.5 * error, self.df))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Hold one method: the adjusted p-values of a family, and how far its intervals reach.

    They reach a number of standard errors, given the error of all of them together.
    """

    p_values: Callable[[Family], FloatArray]
    critical: Callable[[Family, float], FloatArray]


def _bonferroni(family: Family) -> FloatArray:
    """Multiply by the number of tests."""
    return np.minimum(len(family.df) * family.p_values, 1.0)


def _bonferroni_critical(family: Family, error: float) -> FloatArray:
    """Divide the error among the tests."""
    return family.critical(error / len(family.df))


def _sidak(family: Family) -> FloatArray:
    """Treat the tests as independent: 1 - (1 - p)^m."""
    with np.errstate(divide="ignore"):
        return -np.expm1(len(family.df) * np.log1p(-family.p_values))


def _sidak_critical(family: Family, error: float) -> FloatArray:
    """Solve 1 - (1 - e)^m = error for the error of each interval."""
    return family.critical(float(-np.expm1(np.log1p(-error) / len(family.df))))


def _holm(family: Family) -> FloatArray:
    """Step down from the smallest p-value: each times the number of tests not yet passed."""
    return _stepwise(
        family.p_values, lambda p, m: np.maximum.accumulate(p * (m - np.arange(len(p))))
    )


def _benjamini_hochberg(family: Family) -> FloatArray:
    """Step up from the largest p-value: each times m over its rank (Benjamini, Hochberg 1995)."""
    return _stepwise(
        family.p_values,
        lambda p, m: np.minimum.accumulate((p * m / np.arange(1, len(p) + 1))[::-1])[::-1],
    )


def _stepwise(p: FloatArray, step: Callable[[FloatArray, int], FloatArray]) -> FloatArray:
    """Apply a rule to the p-values in ascending order; NaN stay where they are."""
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(step(p[order], len(p)), 1.0)
    return adjusted


def _tukey(family: Family) -> FloatArray:
    """Refer to the studentized range of the means (Tukey 1953; Kramer 1956)."""
    if _n_means(family) == 2:
        return family.p_values
    ranges = np.sqrt(2.0) * np.abs(family.statistics)
    upper = stats.studentized_range.sf(ranges, _n_means(family), family.df)
    # The integral is good to some 1e-10, which the tail is finer than.
    return np.clip(upper, family.p_values, _bonferroni(family))


def _tukey_critical(family: Family, error: float) -> FloatArray:
    """Return the quantile of the studentized range over sqrt(2)."""
    least, most = family.critical(error), _bonferroni_critical(family, error)
    n_means = _n_means(family)
    if n_means == 2:
        return least

    def tail(reach: float, df: float) -> float:
        return float(stats.studentized_range.sf(np.sqrt(2.0) * reach, n_means, df))

    return _solve(tail, error, family.df, least, most)


def _n_means(family: Family) -> int:
    """Return the number of means compared in pairs."""
    if family.n_means is None:
        raise ValueError(
            "adjust='tukey' is for all pairwise differences of one set of means. Use 'mvt', "
            "'sidak' or 'holm' for other contrasts."
        )
    return family.n_means


def _joint_t(family: Family) -> FloatArray:
    """Refer to the largest of the t statistics, jointly multivariate t (Dunnett 1955)."""
    adjusted = np.full(len(family.df), np.nan)
    exceeded = _exceedance(family)
    for i in np.flatnonzero(np.isfinite(family.statistics)):
        adjusted[i] = exceeded(abs(float(family.statistics[i])), float(family.df[i]))
    return np.clip(adjusted, family.p_values, _bonferroni(family))


def _joint_t_critical(family: Family, error: float) -> FloatArray:
    """Return the quantile of the largest of the t statistics."""
    least, most = family.critical(error), _bonferroni_critical(family, error)
    return _solve(_exceedance(family), error, family.df, least, most)


def _exceedance(family: Family) -> Callable[[float, float], float]:
    """Return the probability, as a function of c and df, that any |t| is larger than c.

    The t are A u R, with A A' their correlation of rank r, u uniform on the sphere and R^2 / r of
    the distribution F(r, df). Given u, the largest is R max|A u|: the integral over R is exact,
    that over u a mean over quasi-random directions (Genz and Bretz 2009, section 4.2).
    """
    known = np.flatnonzero(np.isfinite(family.statistics))
    if not len(known):
        return lambda _c, _df: np.nan
    correlation = family.correlation[np.ix_(known, known)]
    A = cholesky_over_groups(correlation[:, :, None], semidefinite=True)[:, :, 0]
    A = A[:, A.any(axis=0)]
    r = A.shape[1]
    points = stats.qmc.Sobol(r, seed=SEED).random_base2(LOG2_POINTS)
    directions = stats.norm.ppf(points)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    largest = np.abs(directions @ A.T).max(axis=1)

    def exceeded(c: float, df: float) -> float:
        with np.errstate(divide="ignore"):
            squares = (c / largest) ** 2
        tail = stats.chi2.sf(squares, r) if np.isinf(df) else stats.f.sf(squares / r, r, df)
        return float(np.mean(tail))

    return exceeded


def _solve(
    tail: Callable[[float, float], float],
    error: float,
    df: FloatArray,
    least: FloatArray,
    most: FloatArray,
) -> FloatArray:
    """Find for each df where a tail probability is the error, or the bound that is beyond."""
    found: dict[float, float] = {}
    reaches = np.full(len(df), np.nan)
    for i in np.flatnonzero(np.isfinite(least)):
        key = float(np.round(df[i], 8))
        if key not in found:

            def excess(reach: float, at: float = key) -> float:
                return tail(reach, at) - error

            low, high = float(least[i]), float(most[i])
            if excess(low) <= 0.0:
                found[key] = low
            elif excess(high) >= 0.0:
                found[key] = high
            else:
                found[key] = float(brentq(excess, low, high, xtol=1e-10))
        reaches[i] = found[key]
    return reaches


ADJUSTMENTS: Mapping[str, Adjustment] = {
    "none": Adjustment(lambda family: family.p_values, Family.critical),
    "bonferroni": Adjustment(_bonferroni, _bonferroni_critical),
    "sidak": Adjustment(_sidak, _sidak_critical),
    "holm": Adjustment(_holm, _bonferroni_critical),
    "bh": Adjustment(_benjamini_hochberg, _bonferroni_critical),
    "tukey": Adjustment(_tukey, _tukey_critical),
    "mvt": Adjustment(_joint_t, _joint_t_critical),
}
"""Methods by name. Limits that "holm" and "bh" do not have are Bonferroni's, as in emmeans."""
