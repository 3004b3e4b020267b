"""Distribution-free limits for a row of a new group, from scores of rows of other groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.prediction.shifted_quantiles import shifted_quantiles

__all__ = ["GroupScoreDistribution", "group_score_distribution", "limits", "smallest_n_groups"]

FloatArray = NDArray[np.float64]

# Sums of weights miss their exact value by rounding: 19 groups are enough for 95 %.
ROUNDING = 1e-10


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
    """
    if not distribution.is_finite(coverage):
        return np.broadcast_to([-np.inf, np.inf], (means.shape[1], 2)).copy()
    level = coverage * (1.0 - ROUNDING)
    scores, weights = distribution.scores, distribution.cumulative_weights
    return np.column_stack(
        [
            -shifted_quantiles(scores, weights, -means, scales, level),
            shifted_quantiles(scores, weights, means, scales, level),
        ]
    )
