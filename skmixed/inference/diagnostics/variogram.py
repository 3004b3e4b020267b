"""How residuals of one group differ, by how far they are apart in time or space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.row_pairs import PlacedRows, UnitResiduals, placed_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["semivariogram", "semivariogram_of_rows"]

FloatArray = NDArray[np.float64]
Integers = NDArray[np.intp]

# Pairs of rows that are looked at, at most.
PAIRS = 5_000_000


def semivariogram(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: str = "pearson",
    factor: Any = None,
    time: Any = None,
    max_distance: float | None = None,
    n_bins: int = 20,
    **arguments: Any,
) -> pd.DataFrame:
    r"""Return the semivariogram of the residuals within groups, as nlme's ``Variogram``.

    It is the mean of :math:`(r_i - r_j)^2 / 2` over pairs of rows of one group, by their distance.
    For errors of correlation :math:`\rho(d)` and variance 1 it is :math:`1 - \rho(d)`: near 0 for
    close rows, and 1 for rows that do not know of each other.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    kind : {"pearson", "normalised"}, default="pearson"
        Of the residuals, as for ``residuals``. The semivariogram of normalised residuals should be
        1 everywhere.
    factor : str or array-like of shape (n,), optional
        Within which groups: a grouping factor, a column of the data, or labels. By default the
        groups of the residual structure, or the only grouping factor.
    time : str or array-like of shape (n,), optional
        A column of the data, numbers or dates. By default the times or coordinates of the residual
        structure, or the order of the rows.
    max_distance : float, optional
        Pairs that are further apart do not count.
    n_bins : int, default=20
        Intervals of distance, with as many pairs each. Where there are no more different distances
        than that, each stands by itself.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.DataFrame
        One row for each interval: distance (its median), n_pairs, semivariance, fitted (that of the
        errors in the residual structure) and expected (that of the residuals, which are a little
        closer to each other, being about their own group's random effects).

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the groups are not clear, times are no numbers, there is no such kind or no pair, or
        there are too many pairs.

    See Also
    --------
    autocorrelation : For times that are integers.

    References
    ----------
    Pinheiro, J. C. and Bates, D. M. (2000). Mixed-Effects Models in S and S-PLUS. Springer,
    section 5.3.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import semivariogram
    >>> results = mixedlm(
    ...     "Reaction ~ Days + (1 | Subject)", load_sleepstudy(), residual="ar1(Days | Subject)"
    ... )
    >>> semivariogram(results, max_distance=2).round(3)
       distance  n_pairs  semivariance  fitted  expected
    0       1.0    162.0         0.343   0.347     0.346
    1       2.0    144.0         0.518   0.573     0.571
    """
    rows = training_rows(fitted, X, y, **arguments)
    return semivariogram_of_rows(
        rows, kind=kind, factor=factor, time=time, max_distance=max_distance, n_bins=n_bins
    )


def semivariogram_of_rows(
    rows: TrainingRows,
    *,
    kind: str,
    factor: Any,
    time: Any,
    max_distance: float | None,
    n_bins: int,
) -> pd.DataFrame:
    """Return the semivariogram of the residuals of rows, as ``semivariogram``."""
    residuals = UnitResiduals.of(rows, kind)
    placed = placed_rows(rows, factor, time)
    first, second, distance = _pairs(placed, max_distance)
    r, every = residuals.values, np.arange(rows.design.n_rows)
    squares = residuals.expected_products(every, every)
    products = residuals.expected_products(first, second)
    pairs = pd.DataFrame(
        {
            "distance": distance,
            "n_pairs": rows.group_counts[first],
            "semivariance": 0.5 * (r[first] - r[second]) ** 2,
            "fitted": 1.0 - residuals.correlations(first, second),
            "expected": 0.5 * (squares[first] + squares[second]) - products,
        }
    )
    return _binned(pairs, n_bins)


def _pairs(placed: PlacedRows, max_distance: float | None) -> tuple[Integers, Integers, FloatArray]:
    """Return the pairs of rows of one group that are near enough, and their distances."""
    found, n_pairs = [], 0
    for first, second, distance in placed.pairs():
        near = np.full(len(first), True) if max_distance is None else distance <= max_distance
        if placed.positions.ndim == 1 and not near.any():
            break
        found.append((first[near], second[near], distance[near]))
        n_pairs += int(near.sum())
        if n_pairs > PAIRS:
            raise ValueError(
                f"There are more than {PAIRS:,} pairs of rows of one group. Look at those that are "
                "near each other: max_distance=."
            )
    if not n_pairs:
        raise ValueError(
            "There is no pair of rows of one group, or none within max_distance. A semivariogram "
            "needs groups of several rows."
        )
    first, second, distance = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second, distance


def _binned(pairs: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Return the means of pairs over intervals of distance with as many pairs each."""
    distances = pairs["distance"].to_numpy()
    # Times such as 0.1 + 0.2 and 0.3 are the same distance.
    unit = distances.max() or 1.0
    bins = np.round(distances / unit, 12)
    if len(np.unique(bins)) > n_bins:
        edges = np.unique(np.quantile(distances, np.arange(1, n_bins) / n_bins))
        bins = np.searchsorted(edges, distances)
    weights = pairs["n_pairs"]
    names = ["semivariance", "fitted", "expected"]
    sums = pairs[names].mul(weights, axis=0).assign(n_pairs=weights).groupby(bins).sum()
    means = sums[names].div(sums["n_pairs"], axis=0)
    means.insert(0, "n_pairs", sums["n_pairs"])
    means.insert(0, "distance", pairs["distance"].groupby(bins).median())
    return means.reset_index(drop=True)
