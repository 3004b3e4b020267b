"""Clusters of rows that are independent of each other, for sandwich covariances."""

from __future__ import annotations

from typing import Any

from skmixed.design.groups import GroupingFactor
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.diagnostics.labelled_rows import LabelledRows

__all__ = ["clusters_of", "require_clusters", "small_sample_factor"]


def clusters_of(rows: LabelledRows, cluster: Any) -> GroupingFactor:
    """Return the clusters that were asked for, or the factor of most levels that can be them.

    Parameters
    ----------
    cluster : str, array-like of shape (n,) or None
        As for ``LabelledRows.factor``.

    Raises
    ------
    ValueError
        If rows of different clusters are correlated, or no grouping factor can be the clusters.
    """
    if cluster is None:
        return _outer_factor(rows)
    clusters = rows.factor(cluster)
    if rows.independent(clusters):
        return clusters
    raise ValueError(
        f"Rows of different clusters of {clusters.levels.name!r} are correlated in the model: "
        "some level of a grouping factor, or some group that the residual structure correlates, "
        "lies in several of them. Use clusters that hold whole levels and groups."
    )


def require_clusters(n_clusters: float, name: str) -> None:
    """Raise ValueError if there are fewer than two clusters.

    Parameters
    ----------
    name : str
        What the clusters are called.
    """
    if n_clusters < 2:
        raise ValueError(
            f"Expected at least two clusters, got {n_clusters:g} of {name!r}: their differences "
            "are what the covariance is estimated from. Use smaller clusters."
        )


def small_sample_factor(kind: str, n_clusters: float, fit: LMMFit) -> float:
    """Return what the sum of squared scores is multiplied by.

    Raises
    ------
    ValueError
        If ``"CR1S"`` has no more rows than coefficients.
    """
    if kind == "CR0":
        return 1.0
    factor = n_clusters / (n_clusters - 1.0)
    if kind == "CR1":
        return factor
    n, p = fit.n_rows, len(fit.fixed.standardised)
    if n <= p:
        raise ValueError(
            f'kind="CR1S" divides by the rows minus the coefficients, and got {n:g} rows for '
            f'{p} coefficients. Use kind="CR1", or fewer columns.'
        )
    return factor * ((n - 1.0) / (n - p))


def _outer_factor(rows: LabelledRows) -> GroupingFactor:
    """Return the factor of most levels that holds whole levels and groups of errors."""
    for factor in rows.factors:
        if rows.independent(factor):
            return factor
    if not rows.factors:
        raise ValueError(
            "The model has no groups that could be clusters. Pass cluster=, a column or labels of "
            "groups of rows that are independent of each other."
        )
    raise ValueError(
        f"The grouping factors {[one.levels.name for one in rows.factors]} are crossed: the "
        "levels of none hold whole levels of the others. Pass cluster=, labels of larger clusters."
    )
