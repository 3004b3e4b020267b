"""How residuals of one group are correlated, by how many steps in time they are apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.row_inputs import training_rows
from skmixed.inference.diagnostics.row_pairs import UnitResiduals, placed_rows
from skmixed.inference.diagnostics.training_rows import TrainingRows

__all__ = ["autocorrelation", "autocorrelation_of_rows"]

Integers = NDArray[np.intp]


def autocorrelation(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: str = "normalised",
    factor: Any = None,
    time: Any = None,
    max_lag: int | None = None,
    level: float = 0.95,
    **arguments: Any,
) -> pd.DataFrame:
    r"""Return the autocorrelation of the residuals within groups, as nlme's ``ACF``.

    At lag k it is the mean of the products of residuals that are k steps apart, over the mean of
    their squares:

    .. math:: \hat\rho_k = \frac{\sum_{(i, j)} r_i r_j / n_k}{\sum_i r_i^2 / n}

    Normalised residuals should have none, and Pearson residuals that of the residual structure,
    but for what the estimates take: the residuals of a group are about its own random effects, and
    so tend to negative correlations. ``expected`` has that too.

    Parameters
    ----------
    fitted : MixedLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedlm`` keep their rows.
    kind : {"normalised", "pearson"}, default="normalised"
        Of the residuals, as for ``residuals``.
    factor : str or array-like of shape (n,), optional
        Within which groups: a grouping factor, a column of the data, or labels. By default the
        groups of the residual structure, or the only grouping factor.
    time : str or array-like of shape (n,), optional
        A column of the data, numbers or dates. By default the times of the residual structure, or
        the order of the rows. Integers count with their gaps; of other times only the order counts.
    max_lag : int, optional
        By default nlme's: 10 log10 of the longest group.
    level : float, default=0.95
        Of the limits.
    **arguments
        What else the estimator's ``fit`` was given: ``groups``, ``sample_weight``,
        ``group_weight``.

    Returns
    -------
    pandas.DataFrame
        One row for each lag: lag, n_pairs, autocorrelation, limit (what the autocorrelation of
        independent residuals keeps within, plus or minus, with the probability ``level``), fitted
        (that of the errors in the residual structure) and expected (that of the residuals, whose
        rows and estimates have their part in it).

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the groups are not clear, times are no numbers or two rows of a group have the same, or
        there is no such kind.

    See Also
    --------
    semivariogram : By distance, where times or places are no integers.

    References
    ----------
    Pinheiro, J. C. and Bates, D. M. (2000). Mixed-Effects Models in S and S-PLUS. Springer,
    section 5.3.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import autocorrelation
    >>> results = mixedlm(
    ...     "Reaction ~ Days + (1 | Subject)", load_sleepstudy(), residual="ar1(Days | Subject)"
    ... )
    >>> autocorrelation(results, kind="pearson", max_lag=2).round(3)
       lag  n_pairs  autocorrelation  limit  fitted  expected
    0    0    180.0            1.000  0.146   1.000     1.000
    1    1    162.0            0.505  0.154   0.653     0.541
    2    2    144.0            0.267  0.163   0.427     0.243
    """
    check_level(level)
    rows = training_rows(fitted, X, y, **arguments)
    return autocorrelation_of_rows(
        rows, kind=kind, factor=factor, time=time, max_lag=max_lag, level=level
    )


def autocorrelation_of_rows(
    rows: TrainingRows, *, kind: str, factor: Any, time: Any, max_lag: int | None, level: float
) -> pd.DataFrame:
    """Return the autocorrelation of the residuals of rows, as ``autocorrelation``."""
    residuals = UnitResiduals.of(rows, kind)
    placed = placed_rows(rows, factor, time)
    steps = placed.steps()
    by_group = pd.Series(steps).groupby(placed.groups)
    longest = int((by_group.max() - by_group.min()).max())
    largest = int(10.0 * math.log10(longest + 1.0)) if max_lag is None else max_lag
    every = np.arange(len(steps))
    table = [(0, *_at_lag(residuals, every, every))]
    for lag in range(1, min(longest, largest) + 1):
        first, second = _pairs_at(placed.groups, steps, lag)
        if len(first):
            table.append((lag, *_at_lag(residuals, first, second)))
    found = pd.DataFrame(table, columns=["lag", "n_pairs", "autocorrelation", "fitted", "expected"])
    found[["autocorrelation", "expected"]] /= found[["autocorrelation", "expected"]].iloc[0]
    limit = stats.norm.isf(0.5 * (1.0 - level)) / np.sqrt(found["n_pairs"])
    found.insert(3, "limit", limit)
    return found


def _at_lag(residuals: UnitResiduals, first: Integers, second: Integers) -> list[float]:
    """Return how many pairs count, and the means of products, correlations and expectations."""
    weights = residuals.rows.group_counts[first]
    total = float(weights.sum())
    own = np.ones(len(first)) if first is second else residuals.correlations(first, second)
    products = residuals.values[first] * residuals.values[second]
    parts = products, own, residuals.expected_products(first, second)
    return [total, *(float(weights @ part) / total for part in parts)]


def _pairs_at(groups: Integers, steps: Integers, lag: int) -> tuple[Integers, Integers]:
    """Return the pairs of rows of one group that are so many steps apart."""
    steps = steps - steps.min()
    keys = groups * (int(steps.max()) + lag + 1) + steps
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        raise ValueError(
            f"Two rows of one group have the same time: those at positions {order[twice[0]]} and "
            f"{order[twice[0] + 1]}. Autocorrelations need distinct times within each group: name "
            "the groups with factor= and the times with time=."
        )
    at = np.searchsorted(keys, keys + lag)
    at[at == len(keys)] = 0
    found = np.flatnonzero(keys[at] == keys + lag)
    return order[found], order[at[found]]
