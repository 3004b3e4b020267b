"""Cluster-robust covariance of the fixed effects of a generalised model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor, differs_within, factorise
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.diagnostics.robust_tests import RobustCovariance
from skmixed.inference.inputs import fit_of, rows_of, with_rows

__all__ = ["family_robust_covariance"]

FloatArray = NDArray[np.float64]

KINDS = ("CR0", "CR1", "CR1S")


def family_robust_covariance(
    fitted: Any, X: Any, y: Any, kind: str | None, cluster: Any, **arguments: Any
) -> RobustCovariance:
    """Return H^-1 (sum of s_j s_j') H^-1, scaled, with the scores s_j of clusters.

    H is the information on all parameters, and s_j the derivative of the log-likelihood of the rows
    of a cluster, which are independent of the others.

    Parameters
    ----------
    fitted, X, y, kind, cluster, **arguments
        As for ``robust_covariance``.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If there is no such kind, or the clusters are not independent or fewer than two.
    """
    if kind not in (None, *KINDS):
        raise ValueError(
            f"kind must be one of {list(KINDS)} for a generalised model, whose residuals have no "
            f"linear theory, got {kind!r}."
        )
    if X is not None:
        fitted = with_rows(fitted, X, y, **arguments)
    fit, kept = fit_of(fitted), rows_of(fitted)
    assert isinstance(fit, GLMMFit)
    model: GLMMModel = kept.model
    clusters = _clusters(model.design, kept.data, cluster)
    n_clusters = len(clusters.levels)
    if n_clusters < 2:
        raise ValueError(
            f"Expected at least two clusters, got {n_clusters} of {clusters.levels.name!r}: their "
            "differences are what the covariance is estimated from. Use smaller clusters."
        )
    kind = kind or "CR1"
    joint = fit.joint
    reached = joint.covariance[joint.beta] @ _scores(model, fit, clusters)
    matrix = fit.coordinates.fixed.matrix
    root = math.sqrt(_scale(kind, n_clusters, fit)) * matrix @ reached
    covariance = root @ root.T
    covariance[fit.fixed.aliased] = covariance[:, fit.fixed.aliased] = np.nan
    return RobustCovariance(kind, clusters.levels.name, n_clusters, covariance, fit)


def _scores(model: GLMMModel, fit: GLMMFit, clusters: GroupingFactor) -> FloatArray:
    """Return the derivative of each cluster's log-likelihood, (n_parameters, n_clusters)."""
    _, objective = model.objective()
    order = np.argsort(clusters.codes, kind="stable")
    parts = np.split(order, np.cumsum(clusters.sizes)[:-1])
    x = fit.joint.parameters
    return -0.5 * np.array([objective.of_rows(rows).gradient(x) for rows in parts]).T


def _scale(kind: str, n_clusters: int, fit: GLMMFit) -> float:
    """Return what the sum of squares is multiplied by."""
    if kind == "CR0":
        return 1.0
    scale = n_clusters / (n_clusters - 1.0)
    if kind == "CR1":
        return scale
    n, p = fit.n_rows, len(fit.fixed.standardised)
    if n <= p:
        raise ValueError(
            f'kind="CR1S" divides by the rows less the coefficients, and got {n:g} rows for '
            f'{p} coefficients. Use kind="CR1", or fewer columns.'
        )
    return scale * (n - 1.0) / (n - p)


def _clusters(design: Design, data: Any, cluster: Any) -> GroupingFactor:
    """Return the clusters that were asked for, or the factor of most levels that can be them."""
    factors = design.factors
    if cluster is None:
        for factor in factors:
            if _independent(factors, factor):
                return factor
        raise ValueError(
            f"No grouping factor among {[one.levels.name for one in factors]} holds whole levels "
            "of the others. Pass cluster=, labels of larger clusters."
        )
    named = [one for one in factors if isinstance(cluster, str) and one.levels.name == cluster]
    found = named[0] if named else _labelled(cluster, data, design)
    if not _independent(factors, found):
        raise ValueError(
            f"Rows of different clusters of {found.levels.name!r} are correlated in the model: a "
            "level of a grouping factor lies in several of them. Use clusters that hold whole "
            "levels."
        )
    return found


def _labelled(cluster: Any, data: Any, design: Design) -> GroupingFactor:
    """Return the clusters of a column of the data, or of labels."""
    if isinstance(cluster, str):
        if data is None or cluster not in data:
            known = [one.levels.name for one in design.factors]
            raise ValueError(
                f"There is no grouping factor {cluster!r}: the model has {known}. Name one of "
                "them, or pass an array of labels."
            )
        return factorise(data[cluster], cluster)
    if len(cluster) != design.n_rows:
        raise ValueError(
            f"Expected one label for each of the {design.n_rows} rows that were fitted, got "
            f"{len(cluster)}. Pass the labels of these rows, or the name of a factor."
        )
    return factorise(cluster, str(getattr(cluster, "name", None) or "cluster"))


def _independent(factors: tuple[GroupingFactor, ...], clusters: GroupingFactor) -> bool:
    """Tell whether every level of every factor lies within one cluster."""
    codes = clusters.codes.astype(np.float64)
    return not any(differs_within(codes, factor.codes).any() for factor in factors)
