"""Distribution-free limits for a row of a new group, from scores of rows of other groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["GroupScoreDistribution", "group_score_distribution", "limits", "smallest_n_groups"]

FloatArray = NDArray[np.float64]

# Sums of weights miss their exact value by rounding: 19 groups are enough for 95 %.
ROUNDING = 1e-10
# The bracket of a limit becomes 1e13 times narrower.
HALVINGS = 44


@dataclass(frozen=True, slots=True, eq=False)
class GroupScoreDistribution:
    """Hold the scores of rows that their model has not seen, in ascending order.

    Attributes
    ----------
    scores : tuple of ndarray
        One array for each model, of the rows that this model has not seen.
    cumulative_weights : tuple of ndarray
        Sums of the weights 1 / ((K + 1) N_k) of a row of group k, which has N_k rows; the missing
        1 / (K + 1) lies at infinity.
    n_groups : int
        K, how many groups the scores come from.
    """

    scores: tuple[FloatArray, ...]
    cumulative_weights: tuple[FloatArray, ...]
    n_groups: int

    def is_finite(self, coverage: float) -> bool:
        """Tell whether there are enough groups for finite limits."""
        return self.n_groups >= smallest_n_groups(coverage)


def smallest_n_groups(coverage: float) -> int:
    """Return the smallest number of groups K with K / (K + 1) >= coverage."""
    return int(np.ceil(coverage / (1.0 - coverage) * (1.0 - ROUNDING)))


def group_score_distribution(
    scores: Sequence[FloatArray], codes: Sequence[NDArray[np.intp]]
) -> GroupScoreDistribution:
    """Weigh scores so that every group counts the same.

    Parameters
    ----------
    scores : sequence of ndarray
        One array for each model.
    codes : sequence of ndarray
        The groups of the same rows; rows of a group have the same model.
    """
    sizes = np.bincount(np.concatenate(codes))
    n_groups = int(np.count_nonzero(sizes))
    ordered, cumulative = [], []
    for values, groups in zip(scores, codes, strict=True):
        order = np.argsort(values, kind="stable")
        ordered.append(values[order])
        cumulative.append(np.cumsum(1.0 / ((n_groups + 1) * sizes[groups[order]])))
    return GroupScoreDistribution(tuple(ordered), tuple(cumulative), n_groups)


def limits(
    distribution: GroupScoreDistribution,
    means: FloatArray,
    scales: FloatArray,
    coverage: float,
) -> FloatArray:
    """Return lower and upper limits of new rows, shape (n, 2).

    The upper limit is the quantile of mean + scale * score over all scores, each with the
    prediction of its own model, where the row of infinite score counts too; the lower limit mirrors
    it (Lee, Barber and Willett 2023; Barber, Candes, Ramdas and Tibshirani 2021 for several
    models).

    Parameters
    ----------
    distribution : GroupScoreDistribution
    means, scales : ndarray of shape (n_models, n)
        Predictions of new rows by each model, and the unit of their scores.
    coverage : float

    Returns
    -------
    ndarray of shape (n, 2)
        Infinite if there are not enough groups.
    """
    if not distribution.is_finite(coverage):
        return np.broadcast_to([-np.inf, np.inf], (means.shape[1], 2)).copy()
    return np.column_stack(
        [
            -_upper(distribution, -means, scales, coverage),
            _upper(distribution, means, scales, coverage),
        ]
    )


def _upper(
    distribution: GroupScoreDistribution, means: FloatArray, scales: FloatArray, coverage: float
) -> FloatArray:
    """Return the smallest values below which the shifted scores have the weight ``coverage``."""
    level = coverage * (1.0 - ROUNDING)
    total = sum(weights[-1] for weights in distribution.cumulative_weights)
    quantiles = np.array(
        [
            values[min(np.searchsorted(weights, level * weights[-1] / total), len(values) - 1)]
            for values, weights in zip(
                distribution.scores, distribution.cumulative_weights, strict=True
            )
        ]
    )
    # Below the smallest of the models' own quantiles no model has its share of the weight, at the
    # largest of them every model has.
    own = means + scales * quantiles[:, None]
    below, enough = own.min(axis=0), own.max(axis=0)
    if len(own) == 1:
        return enough
    steps = [np.append(0.0, weights) for weights in distribution.cumulative_weights]
    for _ in range(HALVINGS):
        middle = 0.5 * (below + enough)
        reached = _weight_up_to(distribution.scores, steps, (middle - means) / scales) >= level
        enough = np.where(reached, middle, enough)
        below = np.where(reached, below, middle)
    return enough


def _weight_up_to(
    known: Sequence[FloatArray], steps: Sequence[FloatArray], scores: FloatArray
) -> FloatArray:
    """Return the weight of the rows whose score is at most that of their model; shape (n,)."""
    weight = np.zeros(scores.shape[1])
    for ascending, step, new in zip(known, steps, scores, strict=True):
        weight += step[np.searchsorted(ascending, new, side="right")]
    return weight
