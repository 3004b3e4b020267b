"""Cluster-robust covariance of the fixed effects of a generalised model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.groups import GroupingFactor
from skmixed.inference.diagnostics.clusters import (
    clusters_of,
    require_clusters,
    small_sample_factor,
)
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.robust_tests import RobustCovariance

__all__ = ["family_robust_covariance"]

FloatArray = NDArray[np.float64]

KINDS = ("CR0", "CR1", "CR1S")


def family_robust_covariance(rows: FamilyRows, kind: str | None, cluster: Any) -> RobustCovariance:
    """Return H^-1 (sum of s_j s_j') H^-1, scaled, with the scores s_j of clusters.

    H is the information on all parameters, and s_j the derivative of the log-likelihood of the rows
    of a cluster, which are independent of the others.

    Parameters
    ----------
    kind, cluster
        As for ``robust_covariance``.

    Raises
    ------
    ValueError
        If there is no such kind, or the clusters are not independent or fewer than two.
    """
    kind = kind or "CR1"
    if kind not in KINDS:
        raise ValueError(
            f"kind must be one of {list(KINDS)} for a generalised model, whose residuals have no "
            f"linear theory, got {kind!r}."
        )
    clusters = clusters_of(rows, cluster)
    n_clusters, name = len(clusters.levels), clusters.levels.name
    require_clusters(n_clusters, name)
    fit, joint = rows.fit, rows.fit.joint
    reached = joint.covariance[joint.beta] @ _scores(rows, clusters)
    root = fit.coordinates.fixed.matrix @ reached
    root *= math.sqrt(small_sample_factor(kind, n_clusters, fit))
    covariance = root @ root.T
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    return RobustCovariance(kind, name, n_clusters, covariance, fit)


def _scores(rows: FamilyRows, clusters: GroupingFactor) -> FloatArray:
    """Return the derivative of each cluster's log-likelihood, (n_parameters, n_clusters)."""
    objective, x = rows.objective, rows.fit.joint.parameters
    order = np.argsort(clusters.codes, kind="stable")
    parts = np.split(order, np.cumsum(clusters.sizes)[:-1])
    return -0.5 * np.array([objective.of_rows(part).gradient(x) for part in parts]).T
